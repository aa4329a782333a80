/** PutBucketWebsite, GetBucketWebsite and DeleteBucketWebsite, and the redirects of objects. */

import { strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import { assertError, createTestGateway } from "./test_gateway.ts";

const INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";
const REDIRECT_ALL = "<RedirectAllRequestsTo><HostName>b.test</HostName></RedirectAllRequestsTo>";
const RULE = "<RoutingRule><Redirect><HostName>b.test</HostName></Redirect></RoutingRule>";

function website(...elements: readonly string[]): string {
  return '<WebsiteConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `${elements.join("")}</WebsiteConfiguration>`;
}

Deno.test("a website configuration is returned as it was put, and can be deleted", async () => {
  const { send, ok } = await createTestGateway();
  const never = await send("GET", "/bucket?website");
  const error = await assertError(never, 404, "NoSuchWebsiteConfiguration");
  strictEqual(textOf(error, "BucketName"), "bucket");
  for (
    const body of [
      website(INDEX, `<RoutingRules>${RULE.repeat(50)}</RoutingRules>`),
      website(REDIRECT_ALL),
    ]
  ) {
    strictEqual((await ok("PUT", "/bucket?website", { body })).status, 200);
    strictEqual(await (await ok("GET", "/bucket?website")).text(), body);
  }
  strictEqual((await ok("DELETE", "/bucket?website")).status, 204);
  strictEqual((await ok("DELETE", "/bucket?website")).status, 204);
  await assertError(await send("GET", "/bucket?website"), 404, "NoSuchWebsiteConfiguration");
});

Deno.test("a website configuration that AWS refuses changes nothing", async () => {
  const { send, ok } = await createTestGateway();
  const kept = website(INDEX);
  await ok("PUT", "/bucket?website", { body: kept });
  for (
    const [body, code] of [
      ["", "MalformedXML"],
      ["<Website/>", "MalformedXML"],
      [website(), "InvalidArgument"],
      [website("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>"), "InvalidArgument"],
      [website(INDEX, REDIRECT_ALL), "InvalidRequest"],
      [website(INDEX, `<RoutingRules>${RULE.repeat(51)}</RoutingRules>`), "InvalidRequest"],
      [kept + " ".repeat(128 * 1024), "MaxMessageLengthExceeded"],
    ] as const
  ) await assertError(await send("PUT", "/bucket?website", { body }), 400, code);
  strictEqual(await (await ok("GET", "/bucket?website")).text(), kept);
  for (const method of ["GET", "PUT", "DELETE"]) {
    const body = method === "PUT" ? { body: kept } : {};
    await assertError(await send(method, "/missing?website", body), 404, "NoSuchBucket");
  }
});

const LOCATION = "x-amz-website-redirect-location";

Deno.test("an object's redirect is kept and shown, and a copy has none of its own accord", async () => {
  const gateway = await createTestGateway();
  const { ok } = gateway;
  const shown = async (key: string): Promise<string | null> => {
    const get = await ok("GET", `/bucket/${key}`);
    await get.body?.cancel();
    const head = await ok("HEAD", `/bucket/${key}`);
    strictEqual(get.headers.get(LOCATION), head.headers.get(LOCATION));
    return head.headers.get(LOCATION);
  };
  await ok("PUT", "/bucket/a", { body: "x", headers: { [LOCATION]: "/b" } });
  strictEqual(await shown("a"), "/b");
  const source = { "x-amz-copy-source": "bucket/a" };
  await ok("PUT", "/bucket/copy", { headers: source });
  strictEqual(await shown("copy"), null);
  await ok("PUT", "/bucket/copy", { headers: { ...source, [LOCATION]: "https://b.test/" } });
  strictEqual(await shown("copy"), "https://b.test/");
  const headers = { ...source, "x-amz-metadata-directive": "REPLACE" };
  await ok("PUT", "/bucket/copy", { headers });
  strictEqual(await shown("copy"), null);
  const id = await createUpload(gateway, { [LOCATION]: "/parts" });
  const etag = await uploadPart(gateway, id, 1, "12345");
  await ok("POST", `/bucket/key?uploadId=${id}`, { body: completion([[1, etag]]) });
  strictEqual(await shown("key"), "/parts");
});

Deno.test("a redirect leads to a key or to a URL, and is at most 2 KiB long", async () => {
  const { send, ok } = await createTestGateway();
  const longest = "/" + "b".repeat(2047);
  await ok("PUT", "/bucket/a", { headers: { [LOCATION]: longest } });
  for (
    const [location, code] of [
      ["b", "InvalidRedirectLocation"],
      ["ftp://b.test/", "InvalidRedirectLocation"],
      ["javascript:alert(1)", "InvalidRedirectLocation"],
      [longest + "b", "MetadataTooLarge"],
    ] as const
  ) {
    const headers = { [LOCATION]: location };
    await assertError(await send("PUT", "/bucket/a", { headers }), 400, code);
    await assertError(await send("POST", "/bucket/a?uploads", { headers }), 400, code);
    const copy = { ...headers, "x-amz-copy-source": "bucket/a" };
    await assertError(await send("PUT", "/bucket/copy", { headers: copy }), 400, code);
  }
  strictEqual((await ok("HEAD", "/bucket/a")).headers.get(LOCATION), longest);
});
