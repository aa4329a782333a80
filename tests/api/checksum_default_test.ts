/** The default checksum, CRC64NVME: objects get it if their client names none. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createChecksumHasher } from "../../src/s3/checksum_algorithms.ts";
import { textOf } from "../../src/s3/xml_reader.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import { createTestGateway, readXml, type TestGateway } from "./test_gateway.ts";

const HEADER = "x-amz-checksum-crc64nvme";

function createGateway(): Promise<TestGateway> {
  return createTestGateway({ checksumDefault: "CRC64NVME" });
}

async function crc64(text: string): Promise<string> {
  const hasher = await createChecksumHasher("CRC64NVME");
  hasher.update(new TextEncoder().encode(text));
  return hasher.digest();
}

function shown({ headers }: Response): readonly (string | null)[] {
  return [headers.get(HEADER), headers.get("x-amz-checksum-type")];
}

async function stored({ ok }: TestGateway, target: string): Promise<readonly (string | null)[]> {
  return shown(await ok("HEAD", target, { headers: { "x-amz-checksum-mode": "ENABLED" } }));
}

Deno.test("PutObject computes CRC64NVME and answers it with its type", async () => {
  const gateway = await createGateway();
  const expected = [await crc64("hello"), "FULL_OBJECT"];
  deepStrictEqual(shown(await gateway.ok("PUT", "/bucket/key", { body: "hello" })), expected);
  deepStrictEqual(await stored(gateway, "/bucket/key"), expected);
  const md5 = await gateway.ok("PUT", "/bucket/md5", {
    body: "hello",
    headers: { "content-md5": "XUFAKrxLKna5cZ2REBfFkg==" },
  });
  deepStrictEqual(shown(md5), expected);
  // A named algorithm stays the only one.
  const named = await gateway.ok("PUT", "/bucket/named", {
    body: "hello",
    headers: { "x-amz-checksum-crc32": "NhCmhg==" },
  });
  deepStrictEqual(shown(named), [null, "FULL_OBJECT"]);
  strictEqual(named.headers.get("x-amz-checksum-crc32"), "NhCmhg==");
});

Deno.test("an upload without an algorithm ends with CRC64NVME and shows none before", async () => {
  const gateway = await createGateway();
  const created = await gateway.ok("POST", "/bucket/key?uploads");
  strictEqual(created.headers.get("x-amz-checksum-algorithm"), null);
  const uploadId = await createUpload(gateway);
  const target = `/bucket/key?partNumber=1&uploadId=${uploadId}`;
  const part = await gateway.ok("PUT", target, { body: "hello" });
  deepStrictEqual(shown(part), [await crc64("hello"), null]);
  const first = part.headers.get("etag") ?? "";
  const second = await uploadPart(gateway, uploadId, 2, " world");

  const listed = await gateway.ok("GET", `/bucket/key?uploadId=${uploadId}`);
  strictEqual((await listed.text()).includes("Checksum"), false);
  strictEqual(
    (await (await gateway.ok("GET", "/bucket?uploads")).text()).includes("Checksum"),
    false,
  );

  const value = await crc64("hello world");
  const done = await gateway.ok("POST", `/bucket/key?uploadId=${uploadId}`, {
    body: completion([[1, first], [2, second]]),
    headers: { "x-amz-mp-object-size": "11", [HEADER]: value },
  });
  const root = await readXml(done, "CompleteMultipartUploadResult");
  strictEqual(textOf(root, "ChecksumCRC64NVME"), value);
  strictEqual(textOf(root, "ChecksumType"), "FULL_OBJECT");
  deepStrictEqual(await stored(gateway, "/bucket/key"), [value, "FULL_OBJECT"]);
});

Deno.test("a copy of an object without a checksum gets CRC64NVME, and others keep theirs", async () => {
  const gateway = await createGateway();
  const without = await createTestGateway();
  await without.ok("PUT", "/bucket/key", { body: "hello" });
  deepStrictEqual(await stored(without, "/bucket/key"), [null, null]);

  const copy = async (source: string): Promise<string> => {
    const headers = { "x-amz-copy-source": `/bucket/${source}` };
    return await (await gateway.ok("PUT", "/bucket/copy", { headers })).text();
  };
  await gateway.ok("PUT", "/bucket/crc32", {
    body: "hello",
    headers: { "x-amz-checksum-crc32": "NhCmhg==" },
  });
  strictEqual((await copy("crc32")).includes("<ChecksumCRC32>NhCmhg=="), true);
  await gateway.store.putObject("bucket" as never, "plain" as never, {
    content: {
      stream: new Blob(["hello"]).stream(),
      size: 5,
      algorithm: undefined,
      verify: () => {},
    },
    properties: { system: {}, user: {}, tags: {} },
    owner: "alice",
    precondition: {},
  });
  strictEqual((await copy("plain")).includes(`<ChecksumCRC64NVME>${await crc64("hello")}<`), true);
});
