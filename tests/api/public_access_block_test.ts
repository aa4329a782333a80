/**
 * Public access blocks on requests: who may use a bucket with a public policy, and which writes are refused.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import type { GatewayServices } from "../../src/gateway.ts";
import { Directory } from "../../src/iam/directory.ts";
import { S3Error } from "../../src/s3/errors.ts";
import { parseBucketName } from "../../src/s3/names.ts";
import { BLOCKS, parsePublicAccessBlock } from "../../src/s3/public_access_block.ts";
import { createMemoryUsers } from "../../src/store/memory/users.ts";
import {
  allow,
  createPolicyScene,
  OTHER_ACCOUNT,
  outcomeOf,
  policyOf,
  to,
  type Who,
} from "./policy_scene.ts";
import { ACCOUNT, type Send } from "./test_gateway.ts";

const DENIED = "403 AccessDenied";

/** Returns the document of a block in which some switches are on. */
function block(...on: readonly (typeof BLOCKS[number])[]): string {
  const switches = BLOCKS.map((name) => `<${name}>${on.includes(name)}</${name}>`).join("");
  return `<PublicAccessBlockConfiguration>${switches}</PublicAccessBlockConfiguration>`;
}

const READ = allow("GetObject", "/*", to("everybody"));
const READ_OF_STRANGER = allow("GetObject", "/*", to("stranger"));

/** Who reads an object, under which policy, while public buckets are restricted. */
const READS: readonly (readonly [string, ReturnType<typeof allow>[], Who, string])[] = [
  ["a public policy", [READ], "nobody", DENIED],
  ["a public policy", [READ], "stranger", DENIED],
  ["a public policy", [READ], "ann", "200"],
  ["a public policy", [READ], "root", "200"],
  ["a public policy", [READ], "admin", "200"],
  ["a public policy that also names somebody", [READ, READ_OF_STRANGER], "stranger", DENIED],
  ["a policy that is not public", [READ_OF_STRANGER], "stranger", "200"],
  ["a policy that is not public", [READ_OF_STRANGER], "nobody", DENIED],
];

Deno.test("a restricted bucket with a public policy is for the owner's account alone", async (t) => {
  for (const [title, statements, who, expected] of READS) {
    await t.step(`${title}: ${who}`, async () => {
      const scene = await createPolicyScene();
      await scene.as("root", "PUT", "/bucket/key", { body: "x" });
      await scene.setBucketPolicy(...statements);
      const isAllowed = expected === "200" || statements.includes(READ);
      const read = () => scene.as(who, "GET", "/bucket/key").then(outcomeOf);
      strictEqual(await read(), isAllowed ? "200" : DENIED, "without a block");
      const put = await scene.as("root", "PUT", "/bucket?publicAccessBlock", {
        body: block("RestrictPublicBuckets"),
      });
      strictEqual(put.status, 200);
      strictEqual(await read(), expected);
      await scene.as("root", "DELETE", "/bucket?publicAccessBlock");
      strictEqual(await read(), isAllowed ? "200" : DENIED, "after the block");
    });
  }
});

Deno.test("each switch does its own part alone", async (t) => {
  for (const name of BLOCKS) {
    await t.step(name, async () => {
      const scene = await createPolicyScene({ dropAcl: () => {} });
      await scene.as("root", "PUT", "/bucket/key", { body: "x" });
      await scene.as("root", "PUT", "/bucket?publicAccessBlock", { body: block(name) });
      const put = await scene.as("root", "PUT", "/bucket?policy", { body: policyOf(READ) });
      strictEqual(await outcomeOf(put), name === "BlockPublicPolicy" ? DENIED : "204");
      await scene.setBucketPolicy(READ);
      const read = await scene.as("nobody", "GET", "/bucket/key");
      strictEqual(await outcomeOf(read), name === "RestrictPublicBuckets" ? DENIED : "200");
      const headers = { "x-amz-acl": "public-read" };
      const write = await scene.as("root", "PUT", "/bucket/new", { body: "x", headers });
      strictEqual(await outcomeOf(write), name === "BlockPublicAcls" ? DENIED : "200");
    });
  }
});

Deno.test("a block of public policies lets others through, and the present one stays", async () => {
  const scene = await createPolicyScene();
  await scene.as("root", "PUT", "/bucket/key", { body: "x" });
  await scene.setBucketPolicy(READ);
  await scene.as("root", "PUT", "/bucket?publicAccessBlock", { body: block("BlockPublicPolicy") });
  strictEqual((await scene.as("nobody", "GET", "/bucket/key")).status, 200);
  const body = policyOf(READ_OF_STRANGER);
  strictEqual((await scene.as("root", "PUT", "/bucket?policy", { body })).status, 204);
  strictEqual(await outcomeOf(await scene.as("nobody", "GET", "/bucket/key")), DENIED);
  const status = await scene.as("root", "GET", "/bucket?policyStatus");
  strictEqual((await status.text()).includes("<IsPublic>false</IsPublic>"), true);
});

Deno.test("a block that somebody else wrote and nobody can read blocks everything", async () => {
  const scene = await createPolicyScene();
  await scene.as("root", "PUT", "/bucket/key", { body: "x" });
  await scene.setBucketPolicy(READ);
  await scene.store.putDocument(parseBucketName("bucket"), "publicAccessBlock", "<broken/>");
  strictEqual(await outcomeOf(await scene.as("nobody", "GET", "/bucket/key")), DENIED);
});

const GROUPS = "http://acs.amazonaws.com/groups/global";

/** ACLs of writes, and what comes of them where ACLs are ignored and public ones are blocked. */
const ACLS: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
  [{ "x-amz-acl": "private" }, "200"],
  [{ "x-amz-acl": "bucket-owner-full-control" }, "200"],
  [{ "x-amz-acl": "bucket-owner-read" }, "200"],
  [{ "x-amz-acl": "aws-exec-read" }, "200"],
  [{ "x-amz-acl": "public-read" }, DENIED],
  [{ "x-amz-acl": "public-read-write" }, DENIED],
  [{ "x-amz-acl": "authenticated-read" }, DENIED],
  [{ "x-amz-grant-read": 'id="abc"' }, "200"],
  [{ "x-amz-grant-read": `uri="${GROUPS}/AllUsers"` }, DENIED],
  [{ "x-amz-grant-full-control": `id="abc", uri="${GROUPS}/AuthenticatedUsers"` }, DENIED],
];

Deno.test("writes with a public ACL are refused where they are blocked", async (t) => {
  const writes: readonly (readonly [string, string, Send])[] = [
    ["PUT", "/bucket/new", { body: "x" }],
    ["PUT", "/bucket/copy", { headers: { "x-amz-copy-source": "bucket/key" } }],
    ["POST", "/bucket/upload?uploads=", {}],
  ];
  for (const [headers, expected] of ACLS) {
    await t.step(JSON.stringify(headers), async () => {
      const scene = await createPolicyScene({ dropAcl: () => {} });
      await scene.as("root", "PUT", "/bucket/key", { body: "x" });
      for (const [method, target, send] of writes) {
        const all = { ...send, headers: { ...send.headers, ...headers } };
        strictEqual(await outcomeOf(await scene.as("root", method, target, all)), "200", target);
      }
      await scene.as("root", "PUT", "/bucket?publicAccessBlock", {
        body: block("BlockPublicAcls"),
      });
      for (const [method, target, send] of writes) {
        const all = { ...send, headers: { ...send.headers, ...headers } };
        strictEqual(await outcomeOf(await scene.as("root", method, target, all)), expected, target);
      }
    });
  }
});

Deno.test("new buckets begin with a block if the operator says so", async () => {
  const services: Partial<GatewayServices> = { dropAcl: () => {}, blocksNewBuckets: true };
  const scene = await createPolicyScene(services);
  await scene.as("root", "PUT", "/fresh");
  const kept = await scene.as("root", "GET", "/fresh?publicAccessBlock");
  strictEqual((await kept.text()).split(">true<").length - 1, BLOCKS.length);
  const headers = { "x-amz-acl": "public-read" };
  strictEqual(await outcomeOf(await scene.as("root", "PUT", "/open", { headers })), DENIED);
  // A policy that is public needs the block to be lifted first.
  const body = policyOf(READ).replaceAll("bucket", "fresh");
  const put = () => scene.as("root", "PUT", "/fresh?policy", { body }).then(outcomeOf);
  strictEqual(await put(), DENIED);
  await scene.as("root", "DELETE", "/fresh?publicAccessBlock");
  strictEqual(await put(), "204");
});

const ACCOUNT_BLOCK = "/v20180820/configuration/publicAccessBlock";
const ofAccount = (account: string): Send["headers"] & object => ({ "x-amz-account-id": account });

/** Who may do what with the block of an account, and under which policies. */
const OF_ACCOUNTS: readonly (readonly [Who, string, string, string, string])[] = [
  ["root", ACCOUNT, "", "200", "200"],
  ["admin", ACCOUNT, "", "200", "200"],
  ["stranger", OTHER_ACCOUNT, "", "200", "200"],
  ["stranger", ACCOUNT, "", DENIED, DENIED],
  ["root", OTHER_ACCOUNT, "", DENIED, DENIED],
  ["nobody", ACCOUNT, "", DENIED, DENIED],
  ["ann", ACCOUNT, "", DENIED, DENIED],
  ["ann", ACCOUNT, "s3:PutBucketPublicAccessBlock", DENIED, DENIED],
  ["ann", ACCOUNT, "s3:PutAccountPublicAccessBlock", "200", "200"],
  ["ann", OTHER_ACCOUNT, "s3:PutAccountPublicAccessBlock", DENIED, DENIED],
];

Deno.test("the block of an account is for its root, and for users whom a policy lets", async (t) => {
  for (const [who, account, action, put, deletion] of OF_ACCOUNTS) {
    await t.step(`${who} ${action} of ${account}`, async () => {
      const scene = await createPolicyScene();
      if (action !== "") scene.give(who, allow(action, "*"));
      const headers = ofAccount(account);
      const body = block("BlockPublicPolicy");
      const send = (method: string, more: Send = {}) =>
        scene.as(who, method, ACCOUNT_BLOCK, { ...more, headers }).then(outcomeOf);
      strictEqual(await send("PUT", { body }), put);
      strictEqual(await send("DELETE"), deletion);
      scene.give(who, allow("GetAccountPublicAccessBlock", "*"));
      strictEqual(
        await send("GET"),
        put === "200" || who === "ann" && account === ACCOUNT
          ? "404 NoSuchPublicAccessBlockConfiguration"
          : DENIED,
      );
    });
  }
});

Deno.test("the block of an account holds for its buckets beside their own, and for no other's", async (t) => {
  for (const name of BLOCKS) {
    for (const where of ["account", "bucket", "other account"]) {
      await t.step(`${name} of the ${where}`, async () => {
        const scene = await createPolicyScene({ dropAcl: () => {} });
        await scene.as("root", "PUT", "/bucket/key", { body: "x" });
        const [ofBucket, ofOwner, ofOther] = ["bucket", "account", "other account"].map((place) =>
          place === where ? block(name) : block()
        );
        await scene.as("root", "PUT", "/bucket?publicAccessBlock", { body: ofBucket ?? "" });
        for (
          const [who, account, body] of [
            ["root", ACCOUNT, ofOwner],
            ["stranger", OTHER_ACCOUNT, ofOther],
          ] as const
        ) {
          const send = { headers: ofAccount(account), body: body ?? "" };
          strictEqual((await scene.as(who, "PUT", ACCOUNT_BLOCK, send)).status, 200);
        }
        const blocks = (block: string): boolean => name === block && where !== "other account";
        const body = policyOf(READ);
        const put = await scene.as("root", "PUT", "/bucket?policy", { body });
        strictEqual(await outcomeOf(put), blocks("BlockPublicPolicy") ? DENIED : "204");
        await scene.setBucketPolicy(READ);
        const read = await scene.as("nobody", "GET", "/bucket/key");
        strictEqual(await outcomeOf(read), blocks("RestrictPublicBuckets") ? DENIED : "200");
        const headers = { "x-amz-acl": "public-read" };
        const write = await scene.as("root", "PUT", "/bucket/new", { body: "x", headers });
        strictEqual(await outcomeOf(write), blocks("BlockPublicAcls") ? DENIED : "200");
        const create = await scene.as("root", "PUT", "/made", { headers });
        const isOfOwner = name === "BlockPublicAcls" && where === "account";
        strictEqual(await outcomeOf(create), isOfOwner ? DENIED : "200");
      });
    }
  }
});

Deno.test("a block of an account that is no document is refused, and nothing changes", async () => {
  const scene = await createPolicyScene();
  const headers = ofAccount(ACCOUNT);
  const put = (body: string) =>
    scene.as("root", "PUT", ACCOUNT_BLOCK, { headers, body }).then(outcomeOf);
  for (const body of ["", "x", "<PublicAccessBlock/>", block().replace("false", "no")]) {
    strictEqual((await put(body)).slice(0, 4), "400 ", body);
  }
  const get = await scene.as("root", "GET", ACCOUNT_BLOCK, { headers });
  strictEqual(await outcomeOf(get), "404 NoSuchPublicAccessBlockConfiguration");
});

Deno.test("the block of an account that NATS does not keep is refused with the reason", async () => {
  const message = "Users cannot be changed: NATS_S3_USERS_KEY, which seals secrets, is not set.";
  const users = createMemoryUsers();
  const scene = await createPolicyScene({
    users: { ...users, change: () => Promise.reject(new S3Error("AccessDenied", {}, { message })) },
  });
  const put = await scene.as("root", "PUT", ACCOUNT_BLOCK, {
    headers: ofAccount(ACCOUNT),
    body: block(),
  });
  strictEqual((await put.text()).includes(message), true);
});

Deno.test("settings of an account are no account, so isolation does not begin with them", () => {
  const publicAccessBlock = parsePublicAccessBlock(block());
  const directory = new Directory([
    { kind: "settings", value: { account: ACCOUNT, publicAccessBlock } },
  ]);
  strictEqual(directory.accounts.size, 0);
  strictEqual(directory.blockOf(ACCOUNT), publicAccessBlock);
});
