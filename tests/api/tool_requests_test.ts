/** Replays the requests that tools make: `tool_requests.ts` and its like list them. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createIamGateway } from "./iam_client.ts";
import { replay } from "./replay.ts";
import { TERRAFORM_VERSIONS } from "./terraform_version_requests.ts";
import { createTestGateway } from "./test_gateway.ts";
import { TOOLS } from "./tool_requests.ts";
import { VEEAM, VEEAM_POLICY } from "./veeam_requests.ts";

const ALL = { ...TOOLS, ...TERRAFORM_VERSIONS, "Veeam's immutable repository": VEEAM };

for (const [tool, steps] of Object.entries(ALL)) {
  Deno.test(`${tool}: every request gets Amazon's answer`, async () => {
    await replay(await createTestGateway(), steps);
  });
}

Deno.test("the lists of requests name no operation that the gateway does not know", () => {
  const all = Object.values(ALL).flat();
  strictEqual(all.length > 100, true);
  // MFA delete and transitions are refused for good.
  deepStrictEqual(
    all.filter(({ status }) => status === 501).map(({ target }) => target),
    ["/tool?versioning=", "/tool?lifecycle="],
  );
});

Deno.test("the actions that Veeam says to allow are enough for its requests", async () => {
  const { must, createUser, ok, send } = await createIamGateway();
  const key = await createUser("veeam");
  await must("PutUserPolicy", {
    UserName: "veeam",
    PolicyName: "immutable",
    PolicyDocument: JSON.stringify(VEEAM_POLICY),
  });
  await ok("PUT", "/tool", { headers: { "x-amz-bucket-object-lock-enabled": "true" } });
  await replay(
    { send: (method, target, options) => send(method, target, { ...options, ...key }) },
    VEEAM.slice(1, -1),
  );
});
