import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { formatProperties, parseProperties as parse } from "./metadata.ts";

const services = { encryptionAtRest: false };

function parseProperties(headers: Headers, settings = services): ReturnType<typeof parse> {
  return parse({ headers, target: { on: "service" } }, settings);
}

Deno.test("parseProperties() reads the headers that are kept", () => {
  const headers = new Headers({
    "content-type": "text/plain",
    "content-encoding": "aws-chunked, gzip",
    "content-language": "de",
    "x-amz-meta-Name": "\u00c3\u00a9",
    "x-amz-tagging": "a=1",
    "x-amz-storage-class": "STANDARD",
    "x-amz-acl": "private",
    "x-other": "ignored",
  });
  deepStrictEqual(parseProperties(headers, services), {
    system: { contentType: "text/plain", contentEncoding: "gzip", contentLanguage: "de" },
    user: { name: "é" },
    tags: { a: "1" },
  });
});

Deno.test("parseProperties() drops a Content-Encoding that is only framing", () => {
  const headers = new Headers({ "content-encoding": "aws-chunked" });
  deepStrictEqual(parseProperties(headers, services).system, {});
});

Deno.test("parseProperties() rejects headers that it cannot keep", () => {
  const rows: [Record<string, string>, string][] = [
    [{ "x-amz-meta-a": "x".repeat(2048) }, "MetadataTooLarge"],
    [{ "cache-control": "x".repeat(1024), "expires": "x".repeat(1025) }, "MetadataTooLarge"],
    [{ "x-amz-storage-class": "GLACIER" }, "InvalidStorageClass"],
    [{ "x-amz-storage-class": "gold" }, "InvalidStorageClass"],
    [{ "x-amz-object-lock-event-hold": "ON" }, "NotImplemented"],
    [{ "x-amz-server-side-encryption": "AES256" }, "NotImplemented"],
    [{ "x-amz-server-side-encryption": "aws:kms" }, "NotImplemented"],
    [{ "x-amz-server-side-encryption": "rot13" }, "InvalidEncryptionAlgorithmError"],
    [{ "x-amz-server-side-encryption-customer-algorithm": "AES256" }, "NotImplemented"],
    [{ "x-amz-server-side-encryption-aws-kms-key-id": "k" }, "NotImplemented"],
    [{ "x-amz-acl": "public-read" }, "AccessControlListNotSupported"],
    [{ "x-amz-acl": "everyone" }, "InvalidArgument"],
    [{ "x-amz-grant-read": 'id="x"' }, "AccessControlListNotSupported"],
    [{ "x-amz-website-redirect-location": "elsewhere" }, "InvalidRedirectLocation"],
    [{ "x-amz-write-offset-bytes": "1" }, "NotImplemented"],
  ];
  for (const [headers, code] of rows) {
    throws(
      () => parseProperties(new Headers(headers), services),
      { code },
      JSON.stringify(headers),
    );
  }
});

Deno.test("parseProperties() accepts 2,048 bytes of user metadata", () => {
  const headers = new Headers({ "x-amz-meta-a": "x".repeat(2047) });
  strictEqual(parseProperties(headers, services).user["a"]?.length, 2047);
});

Deno.test("parseProperties() accepts AES256 if JetStream encrypts", () => {
  const headers = new Headers({ "x-amz-server-side-encryption": "AES256" });
  const properties = parseProperties(headers, { encryptionAtRest: true });
  strictEqual(properties.system.encryption, "AES256");
  strictEqual(formatProperties(properties)["x-amz-server-side-encryption"], "AES256");
});

Deno.test("formatProperties() returns the headers that were sent", () => {
  const headers = formatProperties({
    system: { contentType: "text/plain", expires: "never" },
    user: { name: "é", "bad name": "x" },
    tags: { a: "1", b: "2" },
  });
  deepStrictEqual(Object.entries(headers), [
    ["content-type", "text/plain"],
    ["expires", "never"],
    ["x-amz-meta-name", "\u00c3\u00a9"],
    ["x-amz-missing-meta", "1"],
    ["x-amz-tagging-count", "2"],
  ]);
});
