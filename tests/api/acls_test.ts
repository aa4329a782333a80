/** GetBucketAcl, PutBucketAcl, GetObjectAcl and PutObjectAcl. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { textOf } from "../../src/s3/xml_reader.ts";
import { assertError, createTestGateway, readXml, type Send, textsAt } from "./test_gateway.ts";

const TARGETS = ["/bucket?acl", "/bucket/key?acl", "/bucket/key?acl&versionId=null"];

function grant(grantee: string, permission = "FULL_CONTROL"): string {
  return `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ` +
    `xsi:type="CanonicalUser">${grantee}</Grantee><Permission>${permission}</Permission></Grant>`;
}

function policy(owner: string, ...grants: readonly string[]): string {
  return `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
    `<Owner><ID>${owner}</ID></Owner><AccessControlList>${
      grants.join("")
    }</AccessControlList></AccessControlPolicy>`;
}

const ALICE = "<ID>alice</ID>";
const EVERYONE = "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>";

Deno.test("ACLs give the owner of the bucket full control, and a PUT of exactly this is accepted", async () => {
  const { ok } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  for (const target of TARGETS) {
    const text = await (await ok("GET", target)).text();
    const root = await readXml(await ok("GET", target), "AccessControlPolicy");
    deepStrictEqual(textsAt(root, "Owner", "ID"), ["alice"]);
    const grants = ["AccessControlList", "Grant"] as const;
    deepStrictEqual(textsAt(root, ...grants, "Grantee", "ID"), ["alice"]);
    deepStrictEqual(textsAt(root, ...grants, "Permission"), ["FULL_CONTROL"]);
    // The Java SDK 1 fails without the kind of the grantee.
    match(text, /<Grantee xmlns:xsi="http:\/\/www\.w3\.org\/2001\/XMLSchema-instance" xsi:type="C/);

    const harmless: Send[] = [
      { body: text },
      { body: policy("alice", grant(ALICE)) },
      { headers: { "x-amz-acl": "private" } },
      { headers: { "x-amz-acl": "bucket-owner-full-control" } },
    ];
    for (const send of harmless) strictEqual(await (await ok("PUT", target, send)).text(), "");
    strictEqual(await (await ok("GET", target)).text(), text);
  }
});

Deno.test("an ACL that says anything else is refused and changes nothing", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  const unsupported: readonly Send[] = [
    ...["public-read", "authenticated-read"].map((acl) => ({ headers: { "x-amz-acl": acl } })),
    { headers: { "x-amz-grant-read": 'id="alice"' } },
    { body: policy("alice") },
    { body: policy("alice", grant(ALICE), grant(EVERYONE, "READ")) },
    { body: policy("alice", grant(EVERYONE)) },
    { body: policy("alice", grant(ALICE, "READ")) },
    { body: policy("bob", grant("<ID>bob</ID>")) },
    { body: policy("alice", grant("<ID>bob</ID>")) },
    { body: policy("bob", grant(ALICE)) },
    { body: policy("alice", grant("<EmailAddress>a@b.test</EmailAddress>")) },
  ];
  const wrong: readonly (readonly [string, Send])[] = [
    ["InvalidArgument", { headers: { "x-amz-acl": "everyone" } }],
    ["InvalidRequest", { headers: { "x-amz-acl": "private", "x-amz-grant-read": "id=a" } }],
    ["UnexpectedContent", { headers: { "x-amz-acl": "private" }, body: policy("alice") }],
    ["MissingSecurityHeader", {}],
    ["MalformedACLError", { body: "<AccessControlPolicy>" }],
    ["MalformedACLError", { body: "<Acl/>" }],
    ["MalformedACLError", { body: "<AccessControlPolicy/>" }],
    ["MalformedACLError", { body: policy("alice", grant(ALICE, "EVERYTHING")) }],
    ["MalformedACLError", { body: policy("alice", "<Grant/>") }],
    ["MaxMessageLengthExceeded", { body: policy("alice") + " ".repeat(64 * 1024) }],
  ];
  for (const target of TARGETS) {
    const before = await (await ok("GET", target)).text();
    for (const row of unsupported) {
      await assertError(await send("PUT", target, row), 400, "AccessControlListNotSupported");
    }
    for (const [code, row] of wrong) await assertError(await send("PUT", target, row), 400, code);
    strictEqual(await (await ok("GET", target)).text(), before);
  }
  const error = await assertError(await send("PUT", "/bucket?acl"), 400, "MissingSecurityHeader");
  strictEqual(textOf(error, "MissingHeaderName"), "x-amz-acl");
});

Deno.test("ACLs are those of an existing bucket, object and version", async () => {
  const { send, ok } = await createTestGateway();
  const headers = { "x-amz-acl": "private" };
  for (
    const [target, status, code] of [
      ["/missing?acl", 404, "NoSuchBucket"],
      ["/missing/key?acl", 404, "NoSuchBucket"],
      ["/bucket/missing?acl", 404, "NoSuchKey"],
      ["/bucket/missing?acl&versionId=0123456789abcdef", 404, "NoSuchVersion"],
    ] as const
  ) {
    await assertError(await send("GET", target), status, code);
    await assertError(await send("PUT", target, { headers }), status, code);
  }
  await ok("PUT", "/bucket/key", { body: "x" });
  const expected = { "x-amz-expected-bucket-owner": "bob" };
  for (const target of TARGETS) {
    await assertError(await send("GET", target, { headers: expected }), 403, "AccessDenied");
    const both = { headers: { ...headers, ...expected } };
    await assertError(await send("PUT", target, both), 403, "AccessDenied");
    await assertError(await send("GET", target, { anonymous: true }), 403, "AccessDenied");
  }
});

Deno.test("an ACL of a bucket whose owner nobody knows names none", async () => {
  const store = createMemoryStore();
  const { ok, send } = await createTestGateway({
    store: {
      ...store,
      readBucket: async (name) => ({ ...await store.readBucket(name), owner: undefined }),
    },
  });
  const root = await readXml(await ok("GET", "/bucket?acl"), "AccessControlPolicy");
  deepStrictEqual(root.children.map(({ name }) => name), ["AccessControlList"]);
  deepStrictEqual(root.children[0]?.children, []);
  await ok("PUT", "/bucket?acl", { headers: { "x-amz-acl": "private" } });
  const put = await send("PUT", "/bucket?acl", { body: policy("alice", grant(ALICE)) });
  await assertError(put, 400, "AccessControlListNotSupported");
});
