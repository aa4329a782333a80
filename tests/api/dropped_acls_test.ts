/** ACL headers of writes, which are refused or dropped (`--bucket.acl-headers`). */

import { deepStrictEqual } from "node:assert/strict";
import { assertError, createTestGateway, type Send, type TestGateway } from "./test_gateway.ts";
import { createUpload } from "./multipart_steps.ts";

type Write = readonly [method: string, target: string, send?: Send];

/** Every write that may carry an ACL. */
async function writes(gateway: TestGateway): Promise<readonly Write[]> {
  await gateway.ok("PUT", "/bucket/source", { body: "x" });
  const id = await createUpload(gateway);
  const copied = { headers: { "x-amz-copy-source": "/bucket/source" } };
  return [
    ["PUT", "/created"],
    ["PUT", "/bucket/key", { body: "x" }],
    ["PUT", "/bucket/copy", copied],
    ["POST", "/bucket/other?uploads"],
    ["PUT", `/bucket/key?partNumber=1&uploadId=${id}`, { body: "x" }],
    ["PUT", `/bucket/key?partNumber=2&uploadId=${id}`, copied],
  ];
}

function withHeader([method, target, send = {}]: Write, name: string, value: string): Write {
  return [method, target, { ...send, headers: { ...send.headers, [name]: value } }];
}

Deno.test("every write with a wider ACL is refused by default", async () => {
  const gateway = await createTestGateway();
  for (const write of await writes(gateway)) {
    for (
      const [name, value, code] of [
        ["x-amz-acl", "public-read", "AccessControlListNotSupported"],
        ["x-amz-grant-read", 'id="bob"', "AccessControlListNotSupported"],
        ["x-amz-acl", "everyone", "InvalidArgument"],
      ] as const
    ) await assertError(await gateway.send(...withHeader(write, name, value)), 400, code);
    await gateway.ok(...withHeader(write, "x-amz-acl", "private"));
  }
});

Deno.test("dropped ACLs change nothing, are reported, and must be ACLs", async () => {
  const dropped: string[] = [];
  const gateway = await createTestGateway({
    dropAcl: (bucket, acl) => void dropped.push(`${bucket} ${acl}`),
  });
  const { ok, send } = gateway;
  const expected: string[] = [];
  for (const write of await writes(gateway)) {
    await assertError(
      await send(...withHeader(write, "x-amz-acl", "everyone")),
      400,
      "InvalidArgument",
    );
    await ok(...withHeader(write, "x-amz-acl", "private"));
    await ok(...withHeader(write, "x-amz-acl", "public-read"));
    await ok(...withHeader(write, "x-amz-grant-full-control", 'id="bob"'));
    const bucket = write[1] === "/created" ? "created" : "bucket";
    expected.push(`${bucket} public-read`, `${bucket} grants`);
  }
  deepStrictEqual(dropped, expected);
  await assertError(await send("GET", "/bucket/key", { anonymous: true }), 403, "AccessDenied");
  const headers = { "x-amz-acl": "public-read" };
  for (const target of ["/bucket?acl", "/bucket/key?acl"]) {
    const put = await send("PUT", target, { headers });
    await assertError(put, 400, "AccessControlListNotSupported");
  }
  deepStrictEqual(dropped, expected);
});
