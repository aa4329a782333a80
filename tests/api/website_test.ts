/** Web sites: index and error documents, redirects, routing rules, HTML errors, conditions and ranges. */

import {
  deepStrictEqual,
  doesNotMatch,
  match,
  ok as assert,
  strictEqual,
} from "node:assert/strict";
import { InFlight } from "../../src/http/in_flight.ts";
import { S3Error } from "../../src/s3/errors.ts";
import { pathTo } from "./test_gateway.ts";
import { createTestSite, ERROR_DOCUMENT, INDEX } from "./test_site.ts";

Deno.test("a site serves files, and the index document of folders", async () => {
  const { visit, ok, records } = await createTestSite(INDEX);
  const read = async (path: string, init?: RequestInit): Promise<string> => {
    const response = await visit(path, init);
    return `${response.status} ${response.headers.get("content-type")} ${await response.text()}`;
  };
  strictEqual(await read("/"), "200 text/html home");
  strictEqual(await read("/?x=1&versionId=7&response-content-type=a&q=100%"), "200 text/html home");
  strictEqual(await read("/a/"), "200 text/html folder a");
  strictEqual(await read("/b"), "200 text/html file b");
  strictEqual(await read("/b", { headers: { range: "bytes=0-3" } }), "206 text/html file");
  const head = await visit("/b", { method: "HEAD" });
  strictEqual(head.status, 200);
  strictEqual(head.headers.get("content-length"), "6");
  const etag = head.headers.get("etag") ?? "";
  const same = await visit("/b", { headers: { "if-none-match": etag } });
  deepStrictEqual([same.status, await same.text()], [304, ""]);
  const headers = { authorization: "Basic YTpi", "x-amz-date": "x" };
  strictEqual(await read("/b", { headers }), "200 text/html file b");
  await ok("PUT", "/bucket/large", { body: "x".repeat(300_000) });
  strictEqual((await (await visit("/large")).text()).length, 300_000);
  strictEqual(records.at(0)?.operation, "WebsiteGet");
  const { operation, bucket, key, user, sent } = records.at(-1) ?? {};
  deepStrictEqual(
    [operation, bucket, key, user, sent],
    ["WebsiteGet", "bucket", "large", undefined, 300_000],
  );
});

Deno.test("a site shows current versions, and a delete marker is a missing page", async () => {
  const { visit, ok } = await createTestSite(INDEX);
  const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  await ok("PUT", "/bucket?versioning", { body });
  const put = await ok("PUT", "/bucket/b", { body: "newer" });
  strictEqual(await (await visit("/b?versionId=null")).text(), "newer");
  await ok("DELETE", "/bucket/b");
  const gone = await visit("/b");
  deepStrictEqual([gone.status, gone.headers.get("x-amz-error-code")], [404, "NoSuchKey"]);
  const query = `?versionId=${put.headers.get("x-amz-version-id")}`;
  strictEqual((await visit(`/b${query}`)).status, 404);
});

Deno.test("a site is 403 while a public access block restricts its bucket", async () => {
  const { visit, ok } = await createTestSite(INDEX);
  const page = async (): Promise<string> => {
    const { status, headers } = await visit("/b");
    return `${status} ${headers.get("x-amz-error-code")}`;
  };
  strictEqual(await page(), "200 null");
  const body =
    "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets>" +
    "</PublicAccessBlockConfiguration>";
  await ok("PUT", "/bucket?publicAccessBlock", { body });
  strictEqual(await page(), "403 AccessDenied");
  await ok("DELETE", "/bucket?publicAccessBlock");
  strictEqual(await page(), "200 null");
});

Deno.test("keys are what the path says, letter by letter", async () => {
  const { visit, ok } = await createTestSite(INDEX);
  const keys = ["c/../d", "c//d", "é ?#", "%2e%2e/x", "c\\d", "a%2Fb", "/etc/passwd"];
  for (const key of keys) {
    await ok("PUT", pathTo(key), { body: key });
    strictEqual(await (await visit(`/${encodeURIComponent(key)}`)).text(), key);
  }
  strictEqual(await (await visit("/c/../d")).text(), "c/../d");
  strictEqual(await (await visit("/c%2f..%2Fd")).text(), "c/../d");
  strictEqual((await visit("/a/../b")).status, 404);
  strictEqual((await visit("/../other/key")).status, 404);
  strictEqual((await visit("/%zz")).status, 400);
  strictEqual((await visit("/%ff")).status, 400);
  strictEqual((await visit(`/${"k".repeat(1025)}`)).status, 400);
  strictEqual((await visit(`/${"k".repeat(1020)}/`)).status, 400);
});

Deno.test("a folder without its slash is redirected to its index document", async () => {
  const { ok, redirectOf } = await createTestSite(`${INDEX}${ERROR_DOCUMENT}`);
  deepStrictEqual(await redirectOf("/a"), [302, "/a/"]);
  deepStrictEqual(await redirectOf("/a?q=1"), [302, "/a/"]);
  deepStrictEqual(await redirectOf("/c"), [404, null]);
  // Two slashes, or their twins, in front of a name would lead a browser to another host.
  for (const key of ["/b.test/index.html", "\\b.test/index.html"]) {
    await ok("PUT", pathTo(key), { body: "x" });
  }
  deepStrictEqual(await redirectOf("//b.test"), [302, "http://bucket.web.test//b.test/"]);
  deepStrictEqual(await redirectOf("/\\b.test"), [302, "/%5Cb.test/"]);
});

Deno.test("an object may redirect, regardless of conditions and ranges", async () => {
  const { ok, visit, redirectOf } = await createTestSite(INDEX);
  deepStrictEqual(await redirectOf("/moved"), [301, "/b"]);
  const { headers } = await ok("HEAD", "/bucket/moved");
  const etag = headers.get("etag") ?? "";
  for (
    const init of [
      { method: "HEAD" },
      { headers: { "range": "bytes=99-" } },
      { headers: { "if-none-match": etag } },
      { headers: { "if-match": '"x"' } },
    ]
  ) {
    const response = await visit("/moved", init);
    deepStrictEqual([response.status, response.headers.get("location")], [301, "/b"]);
    strictEqual(await response.text(), "");
  }
  const location = "/caf\u00c3\u00a9 au lait?a=b#c"; // "é" in UTF-8, as clients send it
  await ok("PUT", "/bucket/moved", { headers: { "x-amz-website-redirect-location": location } });
  deepStrictEqual(await redirectOf("/moved"), [301, "/caf%C3%A9%20au%20lait?a=b#c"]);
});

Deno.test("errors are HTML, with the code in headers, and escape what the visitor sent", async () => {
  const { visit } = await createTestSite(INDEX);
  const response = await visit("/%3Cscript%3E'%22&");
  strictEqual(response.status, 404);
  const { headers } = response;
  strictEqual(headers.get("content-type"), "text/html; charset=utf-8");
  strictEqual(headers.get("x-amz-error-code"), "NoSuchKey");
  strictEqual(headers.get("x-amz-error-message"), "The specified key does not exist.");
  strictEqual(headers.get("x-amz-error-detail-Key"), "<script>'\"&");
  const page = await response.text();
  strictEqual(
    page,
    "<html>\n<head><title>404 Not Found</title></head>\n<body>\n<h1>404 Not Found</h1>\n<ul>\n" +
      "<li>Code: NoSuchKey</li>\n<li>Message: The specified key does not exist.</li>\n" +
      "<li>Key: &lt;script&gt;&#39;&quot;&amp;</li>\n" +
      "<li>RequestId: REQUEST1</li>\n<li>HostId: REQUEST1</li>\n</ul>\n<hr/>\n</body>\n</html>\n",
  );
  const head = await visit("/%3Cscript%3E'%22&", { method: "HEAD" });
  deepStrictEqual([head.status, head.headers.get("content-length"), await head.text()], [
    404,
    String(page.length),
    "",
  ]);
  const control = await visit("/%00%0d%0aset-cookie:a=b");
  deepStrictEqual([control.status, control.headers.get("set-cookie")], [404, null]);
  const uri = await visit(`/%zz${"x".repeat(60_000)}`);
  strictEqual(uri.status, 400);
  await uri.body?.cancel();
  assert([...uri.headers].every(([, value]) => value.length <= 1024));
});

Deno.test("the error document has the status of the error, and nothing of its own", async () => {
  const { visit, ok } = await createTestSite(`${INDEX}${ERROR_DOCUMENT}`);
  for (
    const [path, init, status, code] of [
      ["/missing", {}, 404, "NoSuchKey"],
      ["/missing", { headers: { "range": "bytes=0-1", "if-none-match": "*" } }, 404, "NoSuchKey"],
      ["/b", { headers: { "if-match": '"x"' } }, 412, "PreconditionFailed"],
      ["/b", { headers: { "range": "bytes=99-" } }, 416, "InvalidRange"],
    ] as const
  ) {
    for (const method of ["GET", "HEAD"]) {
      const response = await visit(path, { ...init, method });
      strictEqual(response.status, status);
      const { headers } = response;
      strictEqual(headers.get("content-type"), "text/html");
      strictEqual(headers.get("content-length"), "12");
      strictEqual(headers.get("x-amz-error-code"), code);
      for (const name of ["etag", "last-modified", "accept-ranges"]) {
        strictEqual(headers.get(name), null);
      }
      strictEqual(await response.text(), method === "GET" ? "custom error" : "");
    }
  }
  await ok("PUT", "/bucket/errors/all.html", { body: "x".repeat(300_000) });
  const large = await visit("/missing");
  deepStrictEqual([large.status, (await large.text()).length], [404, 300_000]);
});

Deno.test("if the error document is missing, the page shows both errors", async () => {
  const { visit, ok } = await createTestSite(
    `${INDEX}<ErrorDocument><Key>none.html</Key></ErrorDocument>`,
  );
  const response = await visit("/missing");
  strictEqual(response.status, 404);
  const page = await response.text();
  match(page, /<li>Key: missing<\/li>/);
  match(page, /Retrieve a Custom Error Document<\/h3>\n<ul>\n<li>Code: NoSuchKey<\/li>/);
  match(page, /<li>Key: none.html<\/li>/);
  // A document that sends visitors elsewhere is none.
  await ok("PUT", "/bucket/none.html", { headers: { "x-amz-website-redirect-location": "/b" } });
  const redirecting = await visit("/missing");
  deepStrictEqual([redirecting.status, redirecting.headers.get("location")], [404, null]);
  doesNotMatch(await redirecting.text(), /Custom Error Document/);
});

Deno.test("a failure of ours is not hidden by an error document", async () => {
  const { visit, store } = await createTestSite(`${INDEX}${ERROR_DOCUMENT}`);
  store.getObject = () => Promise.reject(new S3Error("ServiceUnavailable"));
  const busy = await visit("/b");
  deepStrictEqual([busy.status, busy.headers.get("retry-after")], [503, "1"]);
  match(await busy.text(), /<h1>503 Service Unavailable<\/h1>/);
  store.getObject = () => Promise.reject(new Error("a detail that visitors must not see"));
  const broken = await visit("/b");
  strictEqual(broken.status, 500);
  doesNotMatch(await broken.text(), /a detail/);
});

Deno.test("nothing of a bucket that is not public is shown", async () => {
  const { visit, redirectOf, ok } = await createTestSite(`${INDEX}${ERROR_DOCUMENT}`, {
    isPublic: false,
  });
  for (const path of ["/", "/b", "/missing", "/a", "/moved"]) {
    const response = await visit(path);
    strictEqual(response.status, 403, path);
    const page = await response.text();
    match(page, /<h1>403 Forbidden<\/h1>\n<ul>\n<li>Code: AccessDenied<\/li>/);
    doesNotMatch(page, /file b|home|custom error|Key:/);
  }
  const body =
    `<WebsiteConfiguration>${INDEX}<RoutingRules><RoutingRule><Condition><HttpErrorCodeReturnedEquals>403` +
    "</HttpErrorCodeReturnedEquals></Condition><Redirect><HostName>login.test</HostName></Redirect>" +
    "</RoutingRule></RoutingRules></WebsiteConfiguration>";
  await ok("PUT", "/bucket?website", { body });
  deepStrictEqual(await redirectOf("/b"), [301, "http://login.test/b"]);
});

Deno.test("routing rules redirect before and after an object is looked for", async () => {
  const { redirectOf } = await createTestSite(
    `${INDEX}<RoutingRules><RoutingRule><Condition><KeyPrefixEquals>docs/</KeyPrefixEquals></Condition>` +
      `<Redirect><ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith></Redirect></RoutingRule>` +
      `<RoutingRule><Condition><KeyPrefixEquals>loop/</KeyPrefixEquals></Condition>` +
      `<Redirect><ReplaceKeyPrefixWith>loop/</ReplaceKeyPrefixWith></Redirect></RoutingRule>` +
      `<RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>` +
      `<Redirect><Protocol>https</Protocol><HostName>other.test</HostName><HttpRedirectCode>302</HttpRedirectCode>` +
      `<ReplaceKeyWith>not found</ReplaceKeyWith></Redirect></RoutingRule></RoutingRules>`,
  );
  deepStrictEqual(await redirectOf("/docs/%C3%A9?q=1"), [
    301,
    "http://bucket.web.test/documents/%C3%A9",
  ]);
  deepStrictEqual(await redirectOf("/loop/x"), [301, "http://bucket.web.test/loop/x"]);
  deepStrictEqual(await redirectOf("/missing"), [302, "https://other.test/not%20found"]);
  deepStrictEqual(await redirectOf("/b"), [200, null]);
  deepStrictEqual(await redirectOf("/a"), [302, "/a/"]);
});

Deno.test("a site may send every request elsewhere, whether it is public or not", async () => {
  for (const isPublic of [true, false]) {
    const { redirectOf } = await createTestSite(
      "<RedirectAllRequestsTo><HostName>other.test</HostName></RedirectAllRequestsTo>",
      { isPublic },
    );
    deepStrictEqual(await redirectOf("/a%20b?q=1"), [301, "http://other.test/a%20b?q=1"]);
    deepStrictEqual(await redirectOf("/"), [301, "http://other.test/"]);
  }
  const { redirectOf } = await createTestSite(
    "<RedirectAllRequestsTo><HostName>a.test&#13;&#10;x: y</HostName><Protocol>https</Protocol>" +
      "</RedirectAllRequestsTo>",
  );
  deepStrictEqual(await redirectOf("/"), [301, "https://a.test%0D%0Ax:%20y/"]);
});

Deno.test("a site has GET and HEAD alone", async () => {
  const { visit } = await createTestSite(INDEX);
  for (const method of ["PUT", "POST", "DELETE", "PATCH", "constructor"]) {
    const body = method === "PUT" ? { body: "x" } : {};
    const response = await visit("/b", { method, ...body });
    strictEqual(response.status, 405);
    strictEqual(response.headers.get("allow"), "GET, HEAD, OPTIONS");
    match(await response.text(), /<h1>405 Method Not Allowed<\/h1>/);
  }
  strictEqual(await (await visit("/b")).text(), "file b");
});

Deno.test("the host names the bucket", async () => {
  const { visit } = await createTestSite(INDEX);
  const read = async (host: string): Promise<string> => {
    const response = await visit("/", { host });
    const page = await response.text();
    return `${response.status} ${/<li>Code: (\w+)/.exec(page)?.[1] ?? page}`;
  };
  for (
    const [host, expected] of [
      ["bucket.web.test", "200 home"],
      ["bucket.web.test:8081", "200 home"],
      ["BUCKET.Web.Test", "200 home"],
      ["bucket.localhost:8081", "200 home"],
      ["bucket", "200 home"], // a domain of one's own
      ["none.web.test", "404 NoSuchBucket"],
      ["web.test", "404 NoSuchBucket"],
      ["localhost:8081", "404 NoSuchBucket"],
      ["127.0.0.1:8081", "404 NoSuchBucket"],
      ["[fe80::1]:8081", "404 NoSuchBucket"],
      ["_.web.test", "404 NoSuchBucket"],
      ["bucket\\.web.test", "400 InvalidRequest"],
      ["bucket@web.test", "400 InvalidRequest"],
      [`${"b".repeat(5000)}.web.test`, "400 InvalidBucketName"],
    ] as const
  ) strictEqual(await read(host), expected, host);
});

Deno.test("a bucket without a configuration has no site", async () => {
  const { visit, ok } = await createTestSite("");
  const unset = await visit("/b");
  deepStrictEqual([unset.status, unset.headers.get("x-amz-error-code")], [
    404,
    "NoSuchWebsiteConfiguration",
  ]);
  await ok("PUT", "/bucket?website", {
    body: `<WebsiteConfiguration>${INDEX}</WebsiteConfiguration>`,
  });
  strictEqual((await visit("/b")).status, 200);
  await ok("DELETE", "/bucket?website");
  strictEqual((await visit("/b")).status, 404);
});

Deno.test("a configuration that nobody can read is a failure of ours", async () => {
  const { visit, store } = await createTestSite(INDEX);
  const { readDocument } = store;
  store.readDocument = (bucket, kind) =>
    kind === "website" ? Promise.resolve("<Website/>") : readDocument(bucket, kind);
  const response = await visit("/b");
  strictEqual(response.status, 500);
  match(await response.text(), /<li>Code: InternalError<\/li>/);
});

Deno.test("pages of other origins may read a site under the bucket's CORS rules", async () => {
  const { visit, ok } = await createTestSite(INDEX);
  await ok("PUT", "/bucket?cors", {
    body: "<CORSConfiguration><CORSRule><AllowedOrigin>https://a.test</AllowedOrigin>" +
      "<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
  });
  const headers = { origin: "https://a.test" };
  for (const path of ["/", "/missing", "/moved"]) {
    const response = await visit(path, { headers });
    strictEqual(response.headers.get("access-control-allow-origin"), "https://a.test");
  }
  const ask = (method: string): Promise<Response> =>
    visit("/", {
      method: "OPTIONS",
      headers: { ...headers, "access-control-request-method": method },
    });
  strictEqual((await ask("GET")).status, 200);
  const refused = await ask("PUT");
  deepStrictEqual([refused.status, refused.headers.get("content-type")], [
    403,
    "text/html; charset=utf-8",
  ]);
});

Deno.test("visitors who are too many are turned away with a page", async () => {
  const inFlight = new InFlight(1);
  const { visit } = await createTestSite(INDEX, { inFlight });
  inFlight.stop();
  inFlight.refuseBodies();
  const response = await visit("/b", { method: "PUT", body: "x" });
  deepStrictEqual([response.status, response.headers.get("retry-after")], [503, "1"]);
  match(await response.text(), /^<html>\n<head><title>503 Service Unavailable<\/title>/);
});
