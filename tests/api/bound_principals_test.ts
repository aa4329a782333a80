/** Users whom bucket policies name: meant is who has the name when the policy is put, and nobody who has it later. */

import { match, ok, strictEqual } from "node:assert/strict";
import { parsePolicy } from "../../src/iam/policy.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { createMemoryUsers } from "../../src/store/memory/users.ts";
import { createIamGateway, type IamGateway, type Key, texts } from "./iam_client.ts";
import { ACCOUNT } from "./test_gateway.ts";

const bucket = "bucket" as BucketName;
const BOB = `arn:aws:iam::${ACCOUNT}:user/staff/bob`;

/** Returns the text of a policy by which a user may read, written as no formatter would. */
function policyOf(arn: string): string {
  return `{ "Version":"2012-10-17",
    "Id" : "${arn}",
    "Statement" : [ {"Effect":"Allow", "Principal" : {"AWS":["${arn}", "${ACCOUNT}" ]},
      "Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*",
      "Condition": {"ArnLike": {"aws:PrincipalArn": ["${arn}", "arn:aws:iam::${ACCOUNT}:user/staff/*"]}}
    } ] }`;
}

type Scene = IamGateway & {
  readonly readAs: (key: Key) => Promise<number>;
  readonly putPolicy: (text: string) => Promise<Response>;
  readonly policy: () => Promise<string>;
};

async function createScene(): Promise<Scene> {
  const users = createMemoryUsers();
  const gateway = await createIamGateway({
    users,
    hasPrincipal(arn) {
      const name = arn.split("/").at(-1) ?? "";
      return arn.endsWith(":root") || users.current()?.user(ACCOUNT, name) !== undefined;
    },
  });
  strictEqual((await gateway.send("PUT", "/bucket/a", { body: "a" })).status, 200);
  return {
    ...gateway,
    readAs: async (key) => (await gateway.send("GET", "/bucket/a", { ...key })).status,
    putPolicy: (body) => gateway.send("PUT", "/bucket?policy", { body }),
    policy: async () => await (await gateway.send("GET", "/bucket?policy")).text(),
  };
}

Deno.test("a later user of the same name is not meant, and the former one is shown by the id", async () => {
  const { store, createUser, must, readAs, putPolicy, policy } = await createScene();
  const bob = await createUser("bob", "/staff/");
  const [id = ""] = texts(await must("GetUser", { UserName: "bob" }), "User", "UserId");
  const text = policyOf(BOB);
  strictEqual((await putPolicy(text)).status, 204);
  strictEqual(await policy(), text);
  strictEqual(await readAs(bob), 200);

  await must("DeleteAccessKey", { UserName: "bob", AccessKeyId: bob.accessKeyId });
  await must("DeleteUser", { UserName: "bob" });
  const shown = text.replace(`["${BOB}", "${ACCOUNT}"`, `["${id}", "${ACCOUNT}"`);
  ok(shown !== text);
  strictEqual(await policy(), shown);
  const later = await createUser("bob", "/staff/");
  strictEqual(await readAs(later), 403);
  strictEqual(await policy(), shown);
  // As on Amazon, a policy with such an id cannot be put, and one with the ARN means the later user.
  match(
    await (await putPolicy(shown)).text(),
    /<Code>MalformedPolicy<.*Invalid principal in policy/,
  );
  strictEqual((await putPolicy(text)).status, 204);
  strictEqual(await readAs(later), 200);
  const kept = await store.readDocument(bucket, "policy") ?? "";
  parsePolicy(kept, "bucket", { origin: "a test", bucket });
});

Deno.test("a user who is renamed is meant and shown by the new name", async () => {
  const { createUser, must, readAs, putPolicy, policy } = await createScene();
  const bob = await createUser("bob", "/staff/");
  strictEqual((await putPolicy(policyOf(BOB))).status, 204);
  await must("UpdateUser", { UserName: "bob", NewUserName: "robert" });
  strictEqual(await readAs(bob), 200);
  match(await policy(), /"AWS":\["arn:aws:iam::\d{12}:user\/staff\/robert"/);
  strictEqual(await readAs(await createUser("bob", "/staff/")), 403);
});

Deno.test("NotPrincipal excepts the user who was named, and no later one", async () => {
  const { createUser, must, readAs, putPolicy } = await createScene();
  const bob = await createUser("bob", "/staff/");
  const everybody = { Effect: "Allow", Principal: "*" };
  const others = {
    Effect: "Deny",
    NotPrincipal: { AWS: [BOB, `arn:aws:iam::${ACCOUNT}:root`] },
  };
  const more = { Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/*" };
  const Statement = [{ ...everybody, ...more }, { ...others, ...more }];
  strictEqual((await putPolicy(JSON.stringify({ Version: "2012-10-17", Statement }))).status, 204);
  strictEqual(await readAs(bob), 200);
  await must("DeleteAccessKey", { UserName: "bob", AccessKeyId: bob.accessKeyId });
  await must("DeleteUser", { UserName: "bob" });
  strictEqual(await readAs(await createUser("bob", "/staff/")), 403);
});

Deno.test("a policy that was kept by the ARN goes on to mean who has it, and broken text is shown as it is", async () => {
  const { store, createUser, readAs, policy } = await createScene();
  const bob = await createUser("bob", "/staff/");
  await store.putDocument(bucket, "policy", policyOf(BOB));
  strictEqual(await readAs(bob), 200);
  strictEqual(await policy(), policyOf(BOB));
  for (const broken of ['{"Statement":{"Principal":{"AWS":"\\x"}}}', '{"\\', '{"a":"', "]}}"]) {
    await store.putDocument(bucket, "policy", broken);
    strictEqual(await policy(), broken);
  }
});
