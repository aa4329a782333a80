/** Version ids and delete markers in requests and answers. */

import { deepStrictEqual, match, notStrictEqual, strictEqual } from "node:assert/strict";
import { optionalTextOf, textOf } from "../../src/s3/xml_reader.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import {
  assertError,
  createTestGateway,
  readXml,
  type Send,
  type TestGateway,
  textsAt,
} from "./test_gateway.ts";
import { document, idOf, mark, put, setVersioning, UNKNOWN } from "./version_steps.ts";

const KEY = "/bucket/key";
const TAGS = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";

async function createVersioned(): Promise<TestGateway> {
  const gateway = await createTestGateway();
  await setVersioning(gateway, "Enabled");
  return gateway;
}

/** Returns every version of the bucket with its content, so that a test sees whether anything changed. */
async function stateOf({ store }: TestGateway): Promise<unknown> {
  return await store.listVersions("bucket" as never, {
    prefix: "",
    delimiter: "",
    limit: 1000,
    afterKey: "",
    afterVersion: undefined,
  });
}

Deno.test("answers of a bucket that never had versioning name no version", async () => {
  const gateway = await createTestGateway();
  const { ok } = gateway;
  const requests: readonly (readonly [string, string, Send?])[] = [
    ["PUT", KEY, { body: "x" }],
    ["GET", KEY],
    ["HEAD", `${KEY}?versionId=null`],
    ["PUT", "/bucket/copy", { headers: { "x-amz-copy-source": "bucket/key" } }],
    ["PUT", `${KEY}?tagging`, { body: TAGS }],
    ["GET", `${KEY}?tagging`],
    ["DELETE", `${KEY}?tagging`],
    ["GET", `${KEY}?attributes`, { headers: { "x-amz-object-attributes": "ETag" } }],
    ["DELETE", KEY],
  ];
  for (const [method, target, send] of requests) {
    const { headers } = await ok(method, target, send);
    for (const name of ["version-id", "delete-marker", "copy-source-version-id"]) {
      strictEqual(headers.get(`x-amz-${name}`), null, `${method} ${target}`);
    }
  }
});

Deno.test("every write names the version that it made, and every read the one that it read", async () => {
  const gateway = await createVersioned();
  const { ok } = gateway;
  const first = await put(gateway, "one");
  const second = await put(gateway, "two");
  notStrictEqual(first, second);
  match(first, /^[0-9A-Za-z]{32}$/);
  for (const [query, id, text] of [["", second, "two"], [`versionId=${first}`, first, "one"]]) {
    const got = await ok("GET", `${KEY}?${query}`);
    strictEqual(await got.text(), text);
    strictEqual(idOf(got), id);
    strictEqual(idOf(await ok("HEAD", `${KEY}?${query}`)), id);
    const range = await ok("GET", `${KEY}?${query}`, { headers: { range: "bytes=1-" } });
    strictEqual(await range.text(), text?.slice(1));
    strictEqual(idOf(range), id);
  }
  const uploadId = await createUpload(gateway);
  const etag = await uploadPart(gateway, uploadId, 1, "parts");
  const body = completion([[1, etag]]);
  const third = idOf(await ok("POST", `${KEY}?uploadId=${uploadId}`, { body }));
  strictEqual(idOf(await ok("HEAD", KEY)), third);
});

Deno.test("a delete marker hides the object, and shows it again when it is removed", async () => {
  const gateway = await createVersioned();
  const { ok, send } = gateway;
  const id = await put(gateway, "x");
  const deleted = await ok("DELETE", KEY);
  strictEqual(deleted.headers.get("x-amz-delete-marker"), "true");
  const marker = idOf(deleted);
  const markers = { "x-amz-delete-marker": "true", "x-amz-version-id": marker };
  const attributes = { headers: { "x-amz-object-attributes": "ETag" } };
  for (const [query, more] of [["", {}], ["tagging&", {}], ["attributes&", attributes]] as const) {
    const gone = await send("GET", `${KEY}?${query}`, more);
    for (const [name, value] of Object.entries(markers)) strictEqual(gone.headers.get(name), value);
    await assertError(gone, 404, "NoSuchKey");
    const named = await send("GET", `${KEY}?${query}versionId=${marker}`, more);
    for (const [name, value] of Object.entries(markers)) {
      strictEqual(named.headers.get(name), value);
    }
    await assertError(named, 405, "MethodNotAllowed");
  }
  const head = await send("HEAD", KEY);
  deepStrictEqual([head.status, head.headers.get("x-amz-delete-marker")], [404, "true"]);
  const named = await send("HEAD", `${KEY}?versionId=${marker}`);
  deepStrictEqual([named.status, named.headers.get("allow")], [405, "DELETE"]);
  notStrictEqual(named.headers.get("last-modified"), null);
  strictEqual(await (await ok("GET", `${KEY}?versionId=${id}`)).text(), "x");

  const removed = await ok("DELETE", `${KEY}?versionId=${marker}`);
  strictEqual(removed.headers.get("x-amz-delete-marker"), "true");
  strictEqual(idOf(removed), marker);
  strictEqual(await (await ok("GET", KEY)).text(), "x");
  const version = await ok("DELETE", `${KEY}?versionId=${id}`);
  strictEqual(version.headers.get("x-amz-delete-marker"), null);
  strictEqual(idOf(version), id);
  const { headers } = await send("GET", KEY);
  strictEqual(headers.get("x-amz-delete-marker"), null);
});

Deno.test("an unknown version is NoSuchVersion, a malformed one InvalidArgument, and nothing changes", async () => {
  const gateway = await createVersioned();
  const { send } = gateway;
  await put(gateway, "x");
  const attributes = { headers: { "x-amz-object-attributes": "ETag" } };
  const before = await stateOf(gateway);
  const requests: readonly (readonly [string, string, Send?])[] = [
    ["GET", ""],
    ["GET", "acl&"],
    ["PUT", "acl&", { headers: { "x-amz-acl": "private" } }],
    ["GET", "tagging&"],
    ["PUT", "tagging&", { body: TAGS }],
    ["DELETE", "tagging&"],
    ["GET", "attributes&", attributes],
    ["GET", "retention&"],
    ["GET", "legal-hold&"],
  ];
  for (const [method, query, more] of requests) {
    for (const id of [UNKNOWN, "a".repeat(64), "null"]) {
      const error = await assertError(
        await send(method, `${KEY}?${query}versionId=${id}`, more),
        404,
        "NoSuchVersion",
      );
      deepStrictEqual([textOf(error, "Key"), textOf(error, "VersionId")], ["key", id]);
    }
    for (const id of ["", "x", "%C3%A9", `${UNKNOWN}${UNKNOWN}1`]) {
      const malformed = await send(method, `${KEY}?${query}versionId=${id}`, more);
      await assertError(malformed, 400, "InvalidArgument");
    }
  }
  strictEqual((await send("DELETE", `${KEY}?versionId=${UNKNOWN}`)).status, 204);
  await assertError(await send("DELETE", `${KEY}?versionId=x`), 400, "InvalidArgument");
  deepStrictEqual(await stateOf(gateway), before);
});

Deno.test("tags, ACLs and attributes are those of the version that is named", async () => {
  const gateway = await createVersioned();
  const { ok } = gateway;
  const first = await put(gateway, "one");
  const second = await put(gateway, "second");
  const tagged = `${KEY}?tagging&versionId=${first}`;
  strictEqual(idOf(await ok("PUT", tagged, { body: TAGS })), first);
  const tagsOf = async (target: string): Promise<readonly unknown[]> => {
    const response = await ok("GET", target);
    const root = await readXml(response, "Tagging");
    return [idOf(response), ...textsAt(root, "TagSet", "Tag", "Key")];
  };
  deepStrictEqual(await tagsOf(tagged), [first, "a"]);
  deepStrictEqual(await tagsOf(`${KEY}?tagging`), [second]);
  strictEqual(idOf(await ok("DELETE", tagged)), first);
  deepStrictEqual(await tagsOf(tagged), [first]);
  for (const [query, id, size] of [["", second, "6"], [`&versionId=${first}`, first, "3"]]) {
    const response = await ok("GET", `${KEY}?attributes${query}`, {
      headers: { "x-amz-object-attributes": "ObjectSize" },
    });
    strictEqual(idOf(response), id);
    const root = await readXml(response, "GetObjectAttributesResponse");
    strictEqual(textOf(root, "ObjectSize"), size);
  }
  await ok("GET", `${KEY}?acl&versionId=${first}`);
});

Deno.test("a copy names the version that it copied and the one that it made", async () => {
  const gateway = await createVersioned();
  const { ok, send } = gateway;
  const first = await put(gateway, "first");
  const second = await put(gateway, "second");
  const copy = (versionId: string): Send => ({
    headers: {
      "x-amz-copy-source": `bucket/key${versionId}`,
      "x-amz-metadata-directive": "REPLACE",
    },
  });
  for (
    const [query, id, text] of [["", second, "second"], [`?versionId=${first}`, first, "first"]]
  ) {
    const copied = await ok("PUT", "/bucket/copy", copy(query ?? ""));
    strictEqual(copied.headers.get("x-amz-copy-source-version-id"), id);
    const made = await ok("GET", `/bucket/copy?versionId=${idOf(copied)}`);
    strictEqual(await made.text(), text);
    const uploadId = await createUpload(gateway);
    const part = `${KEY}?partNumber=1&uploadId=${uploadId}`;
    const { headers } = await ok("PUT", part, copy(query ?? ""));
    strictEqual(headers.get("x-amz-copy-source-version-id"), id);
    strictEqual(headers.get("x-amz-version-id"), null);
  }
  // An old version is restored by a copy onto its own key.
  const restored = idOf(await ok("PUT", KEY, copy(`?versionId=${first}`)));
  strictEqual(await (await ok("GET", KEY)).text(), "first");
  strictEqual(idOf(await ok("HEAD", KEY)), restored);

  const marker = await mark(gateway);
  const before = await stateOf(gateway);
  for (
    const target of ["/bucket/copy", `${KEY}?partNumber=1&uploadId=${await createUpload(gateway)}`]
  ) {
    const gone = await send("PUT", target, copy(""));
    strictEqual(gone.headers.get("x-amz-delete-marker"), null);
    await assertError(gone, 404, "NoSuchKey");
    const named = await send("PUT", target, copy(`?versionId=${marker}`));
    await assertError(named, 400, "InvalidRequest");
    await assertError(
      await send("PUT", target, copy(`?versionId=${UNKNOWN}`)),
      404,
      "NoSuchVersion",
    );
    await assertError(await send("PUT", target, copy("?versionId=x")), 400, "InvalidArgument");
  }
  deepStrictEqual(await stateOf(gateway), before);
});

Deno.test("DeleteObjects adds delete markers and removes versions", async () => {
  const gateway = await createVersioned();
  const { ok } = gateway;
  const [first, second] = [await put(gateway, "one"), await put(gateway, "two")];
  const other = await put(gateway, "other", {}, "/bucket/other");
  const object = (key: string, versionId?: string): string =>
    `<Object><Key>${key}</Key>${
      versionId === undefined ? "" : `<VersionId>${versionId}</VersionId>`
    }</Object>`;
  const erase = async (...objects: readonly string[]): Promise<unknown> => {
    const body = `<Delete>${objects.join("")}</Delete>`;
    const root = await readXml(await ok("POST", "/bucket?delete", document(body)), "DeleteResult");
    return root.children.map((element) => [
      element.name,
      ...["Key", "VersionId", "DeleteMarker", "DeleteMarkerVersionId", "Code"]
        .map((name) => optionalTextOf(element, name)).filter((text) => text !== undefined),
    ]);
  };
  const marker = await mark(gateway, "/bucket/other");
  notStrictEqual(marker, other);
  deepStrictEqual(
    await erase(
      object("key", second),
      object("key", first),
      object("other", marker),
      object("key", UNKNOWN),
      object("key", "x"),
      object("other", "a".repeat(40)),
    ),
    [
      ["Deleted", "key", second],
      ["Deleted", "key", first],
      ["Deleted", "other", marker, "true", marker],
      ["Deleted", "key", UNKNOWN],
      ["Error", "key", "x", "InvalidArgument"],
      ["Error", "other", "a".repeat(40), "NoSuchVersion"],
    ],
  );
  strictEqual((await gateway.send("HEAD", KEY)).status, 404);
  strictEqual(await (await ok("GET", "/bucket/other")).text(), "other");
  const [[name, key, isMarker, id] = []] = await erase(object("new")) as string[][];
  deepStrictEqual([name, key, isMarker], ["Deleted", "new", "true"]);
  strictEqual(idOf(await gateway.send("HEAD", "/bucket/new")), id);
});

Deno.test("DeleteObjects removes the newest version of a key last", async () => {
  const gateway = await createVersioned();
  const order: (string | undefined)[] = [];
  const { deleteObject } = gateway.store;
  gateway.store.deleteObject = (bucket, key, input) => {
    order.push(input.versionId);
    return deleteObject(bucket, key, input);
  };
  const ids: string[] = [];
  for (const body of ["1", "2", "3", "4"]) ids.push(await put(gateway, body));
  const objects = ids.toReversed().map((id) =>
    `<Object><Key>key</Key><VersionId>${id}</VersionId></Object>`
  );
  const body = `<Delete>${objects.join("")}</Delete>`;
  await gateway.ok("POST", "/bucket?delete", document(body));
  deepStrictEqual(order.length, 4);
  strictEqual(order.at(-1), ids.at(-1));
});

Deno.test("DeleteObjects removes newest versions in smaller numbers at a time than nats-server accepts", async () => {
  const gateway = await createVersioned();
  const { deleteObject } = gateway.store;
  let [running, most] = [0, 0];
  gateway.store.deleteObject = async (bucket, key, input) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const deleted = await deleteObject(bucket, key, input);
    running--;
    return deleted;
  };
  const id = await put(gateway, "x");
  const objects = Array.from({ length: 100 }, (_, i) => {
    return `<Object><Key>key-${i}</Key><VersionId>${id}</VersionId></Object>`;
  });
  await gateway.ok("POST", "/bucket?delete", document(`<Delete>${objects.join("")}</Delete>`));
  deepStrictEqual(most > 1 && most < 50, true, `${most} at a time`);
});

Deno.test("conditions of writes look at the current version, and a delete marker is no object", async () => {
  const gateway = await createVersioned();
  const { ok, send } = gateway;
  const none = { "if-none-match": "*" };
  await put(gateway, "x", none);
  await assertError(await send("PUT", KEY, document("y", none)), 412, "PreconditionFailed");
  await mark(gateway);
  const missing = await send("PUT", KEY, document("y", { "if-match": '"x"' }));
  await assertError(missing, 404, "NoSuchKey");
  await put(gateway, "z", none);
  strictEqual(await (await ok("GET", KEY)).text(), "z");
});

Deno.test("objects of a bucket that has or had versioning are not renamed", async () => {
  const gateway = await createVersioned();
  const { send } = gateway;
  await put(gateway, "x");
  const rename = { headers: { "x-amz-rename-source": "/bucket/key" } };
  const refused = async (): Promise<void> => {
    const before = await stateOf(gateway);
    const response = await send("PUT", "/bucket/new?renameObject", rename);
    await assertError(response, 409, "InvalidBucketState");
    deepStrictEqual(await stateOf(gateway), before);
  };
  await refused();
  await setVersioning(gateway, "Suspended");
  await refused();
});

Deno.test("a version that is copied onto its own key becomes the current one", async () => {
  const gateway = await createTestGateway();
  await gateway.ok("PUT", KEY, { body: "before" });
  await setVersioning(gateway, "Enabled");
  const old = await put(gateway, "old", { "x-amz-meta-a": "b" });
  const ofNull = { headers: { "x-amz-copy-source": "bucket/key?versionId=null" } };
  notStrictEqual(idOf(await gateway.ok("PUT", KEY, ofNull)), "null");
  strictEqual(await (await gateway.ok("GET", KEY)).text(), "before");
  await put(gateway, "new");
  await mark(gateway);
  const headers = { "x-amz-copy-source": `bucket/key?versionId=${old}` };
  const copied = await gateway.ok("PUT", "/bucket/key", { headers });
  strictEqual(copied.headers.get("x-amz-copy-source-version-id"), old);
  notStrictEqual(idOf(copied), old);
  const current = await gateway.ok("GET", "/bucket/key");
  strictEqual(await current.text(), "old");
  strictEqual(current.headers.get("x-amz-meta-a"), "b");
  strictEqual(current.headers.get("x-amz-version-id"), idOf(copied));
});
