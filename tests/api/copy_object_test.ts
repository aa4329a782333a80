import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import {
  assertError,
  createTestGateway,
  pathTo,
  readXml,
  type TestGateway,
} from "./test_gateway.ts";

const SOURCE = { "x-amz-copy-source": "/bucket/source" };

async function withSource(): Promise<TestGateway> {
  const gateway = await createTestGateway();
  const headers = {
    "content-type": "text/plain",
    "x-amz-meta-a": "b",
    "x-amz-tagging": "k=v",
    "x-amz-storage-class": "STANDARD_IA",
    "x-amz-checksum-crc32": "NhCmhg==",
  };
  await gateway.ok("PUT", "/bucket/source", { body: "hello", headers });
  return gateway;
}

Deno.test("CopyObject copies bytes, metadata and tags", async () => {
  const { ok } = await withSource();
  const response = await ok("PUT", "/bucket/copy", { headers: SOURCE });
  const root = await readXml(response, "CopyObjectResult");
  strictEqual(textOf(root, "ETag"), '"5d41402abc4b2a76b9719d911017c592"');
  strictEqual(textOf(root, "LastModified"), "2024-05-01T10:00:00.000Z");
  strictEqual(textOf(root, "ChecksumCRC32"), "NhCmhg==");
  const copy = await ok("GET", "/bucket/copy");
  strictEqual(await copy.text(), "hello");
  deepStrictEqual(
    ["content-type", "x-amz-meta-a", "x-amz-tagging-count", "x-amz-storage-class"]
      .map((name) => copy.headers.get(name)),
    ["text/plain", "b", "1", null],
  );
});

Deno.test("CopyObject replaces metadata and tags as directed", async () => {
  const { ok, send } = await withSource();
  const headers = {
    ...SOURCE,
    "x-amz-metadata-directive": "REPLACE",
    "x-amz-tagging-directive": "REPLACE",
    "x-amz-meta-new": "1",
    "x-amz-checksum-algorithm": "SHA256",
  };
  const root = await readXml(await ok("PUT", "/bucket/copy", { headers }), "CopyObjectResult");
  strictEqual(textOf(root, "ChecksumSHA256").length, 44);
  const { headers: kept } = await ok("HEAD", "/bucket/copy");
  deepStrictEqual(
    ["content-type", "x-amz-meta-a", "x-amz-meta-new", "x-amz-tagging-count"]
      .map((name) => kept.get(name)),
    ["binary/octet-stream", null, "1", null],
  );
  for (const name of ["x-amz-metadata-directive", "x-amz-tagging-directive"]) {
    const response = await send("PUT", "/bucket/copy", { headers: { ...SOURCE, [name]: "KEEP" } });
    await assertError(response, 400, "InvalidArgument");
  }
});

Deno.test("CopyObject copies an object onto itself only with a change", async () => {
  const { ok, send } = await withSource();
  const same = await send("PUT", "/bucket/source", { headers: SOURCE });
  await assertError(same, 400, "InvalidRequest");
  const headers = { ...SOURCE, "x-amz-metadata-directive": "REPLACE", "x-amz-meta-x": "y" };
  await ok("PUT", "/bucket/source", { headers });
  const source = await ok("GET", "/bucket/source");
  strictEqual(await source.text(), "hello");
  strictEqual(source.headers.get("x-amz-meta-x"), "y");
});

Deno.test("CopyObject checks conditions on source and destination", async () => {
  const { ok, send } = await withSource();
  const etag = '"5d41402abc4b2a76b9719d911017c592"';
  const before = "Wed, 01 May 2024 09:00:00 GMT";
  const after = "Wed, 01 May 2024 11:00:00 GMT";
  const rows: [Record<string, string>, number][] = [
    [{ "x-amz-copy-source-if-match": etag }, 200],
    [{ "x-amz-copy-source-if-match": '"x"' }, 412],
    [{ "x-amz-copy-source-if-none-match": etag }, 412],
    [{ "x-amz-copy-source-if-modified-since": before }, 200],
    [{ "x-amz-copy-source-if-unmodified-since": before }, 412],
    [{ "x-amz-copy-source-if-match": etag, "x-amz-copy-source-if-unmodified-since": before }, 200],
    [{ "x-amz-copy-source-if-none-match": '"x"' }, 200],
    [{ "x-amz-copy-source-if-modified-since": after }, 412],
    [{ "x-amz-copy-source-if-unmodified-since": after }, 200],
    [
      { "x-amz-copy-source-if-none-match": etag, "x-amz-copy-source-if-modified-since": before },
      412,
    ],
    [{ "if-none-match": "*" }, 412],
    [{ "if-match": '"x"' }, 412],
    [{ "if-match": etag }, 200],
  ];
  await ok("PUT", "/bucket/copy", { headers: SOURCE });
  for (const [headers, status] of rows) {
    const response = await send("PUT", "/bucket/copy", { headers: { ...SOURCE, ...headers } });
    strictEqual(response.status, status, JSON.stringify(headers));
    await response.body?.cancel();
  }
});

Deno.test("CopyObject refuses sources that do not exist", async () => {
  const { send } = await withSource();
  const rows: [string, number, string][] = [
    ["bucket/none", 404, "NoSuchKey"],
    ["missing/key", 404, "NoSuchBucket"],
    ["bucket", 400, "InvalidArgument"],
    ["bucket/source?versionId=1", 400, "InvalidArgument"],
  ];
  for (const [source, status, code] of rows) {
    const headers = { "x-amz-copy-source": source };
    await assertError(await send("PUT", "/bucket/copy", { headers }), status, code);
  }
  await assertError(await send("PUT", "/missing/copy", { headers: SOURCE }), 404, "NoSuchBucket");
});

Deno.test("CopyObject keeps the connection alive while it works", async () => {
  const lateTiming = { first: 5, between: 5 };
  const slow = await createTestGateway({ lateTiming });
  await slow.ok("PUT", "/bucket/source", { body: "hello" });
  const putObject = slow.store.putObject.bind(slow.store);
  let broken = false;
  slow.store.putObject = async (bucket, key, input): ReturnType<typeof putObject> => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (broken) throw new Error("broken");
    return await putObject(bucket, key, input);
  };
  const response = await slow.ok("PUT", "/bucket/copy", { headers: SOURCE });
  const text = await response.text();
  strictEqual(/^<\?xml[^>]*\?>\n +<CopyObjectResult/.test(text), true, text);

  broken = true;
  const failed = await slow.send("PUT", "/bucket/copy", { headers: SOURCE });
  strictEqual(failed.status, 200);
  strictEqual(/^<\?xml[^>]*\?>\n +<Error><Code>InternalError/.test(await failed.text()), true);
});

Deno.test("CopyObject copies between buckets, from URL-encoded sources", async () => {
  const { ok } = await createTestGateway();
  await ok("PUT", "/other");
  const key = "a b/ä+%?versionId=x";
  await ok("PUT", pathTo(key), { body: "hello" });
  for (const slash of ["", "/"]) {
    const source = `${slash}bucket/${encodeURIComponent(key)}?versionId=null`;
    await ok("PUT", "/other/copy", { headers: { "x-amz-copy-source": source } });
    strictEqual(await (await ok("GET", "/other/copy")).text(), "hello");
    await ok("DELETE", "/other/copy");
  }
});

Deno.test("CopyObject follows each directive by itself", async () => {
  const { ok } = await withSource();
  const stated = { "x-amz-meta-new": "1", "content-type": "text/html", "x-amz-tagging": "l=1&m=2" };
  const rows: [Record<string, string>, type: string, old: string | null, tags: string][] = [
    [{}, "text/plain", "b", "1"],
    [
      { "x-amz-metadata-directive": "COPY", "x-amz-tagging-directive": "COPY" },
      "text/plain",
      "b",
      "1",
    ],
    [{ "x-amz-metadata-directive": "REPLACE" }, "text/html", null, "1"],
    [{ "x-amz-tagging-directive": "REPLACE" }, "text/plain", "b", "2"],
  ];
  for (const [directives, type, old, tags] of rows) {
    await ok("PUT", "/bucket/copy", { headers: { ...SOURCE, ...stated, ...directives } });
    const { headers } = await ok("HEAD", "/bucket/copy");
    deepStrictEqual(
      ["content-type", "x-amz-meta-a", "x-amz-tagging-count"].map((name) => headers.get(name)),
      [type, old, tags],
      JSON.stringify(directives),
    );
  }
});

Deno.test("CopyObject accepts each change that AWS accepts", async () => {
  const { ok, send } = await withSource();
  const rows: [Record<string, string>, number][] = [
    [{ "x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "l=1" }, 400],
    [{ "x-amz-metadata-directive": "COPY", "x-amz-meta-a": "c" }, 400],
    [{ "x-amz-copy-source": "bucket/source?versionId=null" }, 400],
    [{ "x-amz-metadata-directive": "REPLACE" }, 200],
    [{ "x-amz-storage-class": "ONEZONE_IA" }, 200],
    [{ "x-amz-website-redirect-location": "/there" }, 200],
    [{ "x-amz-checksum-algorithm": "SHA1" }, 200],
  ];
  for (const [headers, status] of rows) {
    const response = await send("PUT", "/bucket/source", { headers: { ...SOURCE, ...headers } });
    strictEqual(response.status, status, JSON.stringify(headers));
    await response.body?.cancel();
    strictEqual(await (await ok("GET", "/bucket/source")).text(), "hello");
  }
});

Deno.test("CopyObject computes the requested checksum, or else the source's", async () => {
  const { ok, send } = await withSource();
  const mode = { "x-amz-checksum-mode": "ENABLED" };
  const rows: [algorithm: string | undefined, header: string, value: string][] = [
    [undefined, "x-amz-checksum-crc32", "NhCmhg=="],
    ["CRC32C", "x-amz-checksum-crc32c", "mnG7TA=="],
    ["SHA1", "x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="],
    ["sha256", "x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="],
  ];
  for (const [algorithm, header, value] of rows) {
    const named = algorithm === undefined ? {} : { "x-amz-checksum-algorithm": algorithm };
    await ok("PUT", "/bucket/copy", { headers: { ...SOURCE, ...named } });
    const { headers } = await ok("HEAD", "/bucket/copy", { headers: mode });
    deepStrictEqual(
      [...headers.keys()].filter((name) => name.startsWith("x-amz-checksum-")),
      [header, "x-amz-checksum-type"],
    );
    strictEqual(headers.get(header), value);
    strictEqual(headers.get("x-amz-checksum-type"), "FULL_OBJECT");
  }
  const unknown = { ...SOURCE, "x-amz-checksum-algorithm": "MD9" };
  await assertError(await send("PUT", "/bucket/copy", { headers: unknown }), 400, "InvalidRequest");
});

Deno.test("CopyObject copies a multipart object into one piece", async () => {
  const gateway = await createTestGateway();
  const { ok } = gateway;
  const uploadId = await createUpload(gateway, { "x-amz-checksum-algorithm": "CRC32" });
  const body = completion([[
    1,
    await uploadPart(gateway, uploadId, 1, "hello", { "x-amz-checksum-crc32": "NhCmhg==" }),
    "<ChecksumCRC32>NhCmhg==</ChecksumCRC32>",
  ]]);
  await ok("POST", `/bucket/key?uploadId=${uploadId}`, { body });
  const headers = { "x-amz-copy-source": "bucket/key" };
  const root = await readXml(await ok("PUT", "/bucket/copy", { headers }), "CopyObjectResult");
  strictEqual(textOf(root, "ETag"), '"5d41402abc4b2a76b9719d911017c592"');
  strictEqual(textOf(root, "ChecksumCRC32"), "NhCmhg==");
  strictEqual(textOf(root, "ChecksumType"), "FULL_OBJECT");
  const copy = await ok("HEAD", "/bucket/copy?partNumber=1");
  strictEqual(copy.headers.get("x-amz-mp-parts-count"), null);
});

Deno.test("CopyObject refuses a source of more than 5 GiB", async () => {
  const { send, store } = await withSource();
  const getObject = store.getObject.bind(store);
  store.getObject = (bucket, key, choose): ReturnType<typeof getObject> =>
    getObject(bucket, key, (info) => choose({ ...info, size: 5 * 1024 ** 3 + 1 }));
  const response = await send("PUT", "/bucket/copy", { headers: SOURCE });
  await assertError(response, 400, "InvalidRequest");
  strictEqual((await send("HEAD", "/bucket/copy")).status, 404);
});
