import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Checksum, createChecksumHasher } from "../../src/s3/checksum_algorithms.ts";
import { checksumElement, checksumHeader } from "../../src/s3/checksum_headers.ts";
import { optionalTextOf, textOf, type XmlElement } from "../../src/s3/xml_reader.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import {
  assertError,
  createTestGateway,
  readXml,
  type TestGateway,
  textsAt,
} from "./test_gateway.ts";

const ALL = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize";

/** Creates a multipart object of the parts "part 1" to "part 3". */
async function withParts(): Promise<TestGateway> {
  const gateway = await createTestGateway();
  const uploadId = await createUpload(gateway);
  const parts: [number, string][] = [];
  for (const number of [1, 2, 3]) {
    parts.push([number, await uploadPart(gateway, uploadId, number, `part ${number}`)]);
  }
  await gateway.ok("POST", `/bucket/key?uploadId=${uploadId}`, { body: completion(parts) });
  return gateway;
}

async function attributes(
  { ok }: TestGateway,
  names: string,
  headers: Record<string, string> = {},
): Promise<XmlElement> {
  const response = await ok("GET", "/bucket/key?attributes", {
    headers: { "x-amz-object-attributes": names, ...headers },
  });
  strictEqual(response.headers.get("last-modified"), "Wed, 01 May 2024 10:00:00 GMT");
  return await readXml(response, "GetObjectAttributesResponse");
}

Deno.test("GetObjectAttributes shows every attribute of an object", async () => {
  const gateway = await createTestGateway();
  const headers = { "x-amz-checksum-crc32": "NhCmhg==", "x-amz-storage-class": "STANDARD_IA" };
  await gateway.ok("PUT", "/bucket/key", { body: "hello", headers });
  const root = await attributes(gateway, ALL);
  deepStrictEqual(
    root.children.map(({ name, text }) => [name, text]),
    [
      ["ETag", "5d41402abc4b2a76b9719d911017c592"],
      ["Checksum", ""],
      ["StorageClass", "STANDARD_IA"],
      ["ObjectSize", "5"],
    ],
  );
  deepStrictEqual(textsAt(root, "Checksum", "ChecksumCRC32"), ["NhCmhg=="]);
  deepStrictEqual(textsAt(root, "Checksum", "ChecksumType"), ["FULL_OBJECT"]);
});

Deno.test("GetObjectAttributes shows only the requested attributes", async () => {
  const gateway = await createTestGateway();
  await gateway.ok("PUT", "/bucket/key", { body: "hello" });
  const rows: [string, string[]][] = [
    ["ETag", ["ETag"]],
    ["Checksum", []],
    ["ObjectParts", []],
    ["StorageClass", ["StorageClass"]],
    ["ObjectSize, ETag", ["ETag", "ObjectSize"]],
    ["ObjectSize,ObjectSize", ["ObjectSize"]],
  ];
  for (const [names, shown] of rows) {
    const root = await attributes(gateway, names);
    deepStrictEqual(root.children.map(({ name }) => name), shown, names);
  }
  strictEqual(textOf(await attributes(gateway, "StorageClass"), "StorageClass"), "STANDARD");
});

Deno.test("GetObjectAttributes shows the parts of a multipart object, in pages", async () => {
  const gateway = await withParts();
  const root = await attributes(gateway, "ETag,ObjectParts");
  strictEqual(/^[0-9a-f]{32}-3$/.test(textOf(root, "ETag")), true);
  const parts = async (headers: Record<string, string>): Promise<Record<string, unknown>> => {
    const [element] = (await attributes(gateway, "ObjectParts", headers)).children;
    strictEqual(element?.name, "ObjectParts");
    return {
      numbers: textsAt(element, "Part", "PartNumber"),
      sizes: textsAt(element, "Part", "Size"),
      count: textOf(element, "PartsCount"),
      truncated: textOf(element, "IsTruncated"),
      marker: textOf(element, "PartNumberMarker"),
      next: optionalTextOf(element, "NextPartNumberMarker"),
      max: textOf(element, "MaxParts"),
    };
  };
  const all = {
    numbers: ["1", "2", "3"],
    sizes: ["6", "6", "6"],
    count: "3",
    truncated: "false",
    marker: "0",
    next: "3",
    max: "1000",
  };
  deepStrictEqual(await parts({}), all);
  for (const max of ["9999", "many", "-1"]) {
    deepStrictEqual(await parts({ "x-amz-max-parts": max }), all, max);
  }
  deepStrictEqual(await parts({ "x-amz-max-parts": "2" }), {
    ...all,
    numbers: ["1", "2"],
    sizes: ["6", "6"],
    truncated: "true",
    next: "2",
    max: "2",
  });
  deepStrictEqual(await parts({ "x-amz-max-parts": "2", "x-amz-part-number-marker": "2" }), {
    ...all,
    numbers: ["3"],
    sizes: ["6"],
    marker: "2",
    max: "2",
  });
  const beyond = await parts({ "x-amz-part-number-marker": "10000" });
  deepStrictEqual([beyond.numbers, beyond.truncated], [[], "false"]);
});

Deno.test("GetObjectAttributes shows the checksum of each part of an object that has one", async () => {
  const rows: Omit<Checksum, "value">[] = [
    { algorithm: "SHA1", type: "COMPOSITE" },
    { algorithm: "CRC32C", type: "FULL_OBJECT" },
  ];
  for (const { algorithm, type } of rows) {
    const [header, element] = [checksumHeader(algorithm), checksumElement(algorithm)];
    const gateway = await createTestGateway();
    const uploadId = await createUpload(gateway, {
      "x-amz-checksum-algorithm": algorithm,
      "x-amz-checksum-type": type,
    });
    const parts: [number, string, string][] = [];
    const checksums: string[] = [];
    for (const [i, body] of ["part 1", "part 2", "part 3"].entries()) {
      const hasher = await createChecksumHasher(algorithm);
      hasher.update(new TextEncoder().encode(body));
      const checksum = hasher.digest();
      const etag = await uploadPart(gateway, uploadId, i + 1, body, { [header]: checksum });
      parts.push([i + 1, etag, `<${element}>${checksum}</${element}>`]);
      checksums.push(checksum);
    }
    await gateway.ok("POST", `/bucket/key?uploadId=${uploadId}`, { body: completion(parts) });

    const shown = async (headers: Record<string, string>): Promise<readonly string[]> =>
      textsAt(await attributes(gateway, "ObjectParts", headers), "ObjectParts", "Part", element);
    deepStrictEqual(await shown({}), checksums);
    const page = { "x-amz-max-parts": "1", "x-amz-part-number-marker": "1" };
    deepStrictEqual(await shown(page), checksums.slice(1, 2));

    // Here the object's checksum is bare; other responses add the count of its parts.
    const { headers } = await gateway.ok("HEAD", "/bucket/key", {
      headers: { "x-amz-checksum-mode": "ENABLED" },
    });
    const whole = headers.get(header) ?? "";
    strictEqual(whole.endsWith("-3"), type === "COMPOSITE");
    const bare = textsAt(await attributes(gateway, "Checksum"), "Checksum", element);
    deepStrictEqual(bare, [whole.replace("-3", "")]);
  }
});

Deno.test("GetObjectAttributes refuses invalid headers", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "hello" });
  const etag = { "x-amz-object-attributes": "ETag" };
  const customer = { "x-amz-server-side-encryption-customer-algorithm": "AES256" };
  const rows: [string, Record<string, string>, number, string][] = [
    ["/bucket/key", {}, 400, "InvalidRequest"],
    ["/bucket/key", { "x-amz-object-attributes": " , " }, 400, "InvalidRequest"],
    ["/bucket/key", { "x-amz-object-attributes": "ETag,Color" }, 400, "InvalidArgument"],
    ["/bucket/key", { "x-amz-object-attributes": "toString" }, 400, "InvalidArgument"],
    ["/bucket/key", { ...etag, "x-amz-part-number-marker": "x" }, 400, "InvalidArgument"],
    ["/bucket/none", etag, 404, "NoSuchKey"],
    ["/missing/key", etag, 404, "NoSuchBucket"],
    ["/bucket/key", { ...etag, ...customer }, 501, "NotImplemented"],
    ["/bucket/key", { ...etag, "if-match": '"x"' }, 412, "PreconditionFailed"],
  ];
  for (const [path, headers, status, code] of rows) {
    const error = await assertError(
      await send("GET", `${path}?attributes`, { headers }),
      status,
      code,
    );
    const named = optionalTextOf(error, "ArgumentName");
    strictEqual(named !== undefined, code === "InvalidArgument", JSON.stringify(headers));
  }
  const fresh = { ...etag, "if-none-match": '"5d41402abc4b2a76b9719d911017c592"' };
  strictEqual((await send("GET", "/bucket/key?attributes", { headers: fresh })).status, 304);
  await ok("GET", "/bucket/key?attributes&versionId=null", { headers: etag });
  const version = "/bucket/key?attributes&versionId=0123456789abcdef";
  await assertError(await send("GET", version, { headers: etag }), 404, "NoSuchVersion");
});
