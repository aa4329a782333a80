/** CORS: preflights by rule, and headers on responses and errors. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { createCors, rulesForOrigins } from "../../src/http/cors.ts";
import { type CorsRule, parseCors } from "../../src/s3/cors.ts";
import { S3Error } from "../../src/s3/errors.ts";
import { createTestGateway, type TestGateway } from "./test_gateway.ts";

const RULES = "<CORSConfiguration>" +
  "<CORSRule><AllowedOrigin>https://*.a.test</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>" +
  "<AllowedMethod>GET</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader>" +
  "<ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-meta-a</ExposeHeader>" +
  "<MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule>" +
  "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>" +
  "</CORSConfiguration>";
const VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

function createGateway(
  rules: readonly CorsRule[] | undefined,
  fallback?: readonly CorsRule[],
): Promise<TestGateway> {
  const cors = createCors({
    rulesOf: (bucket) =>
      bucket === "bucket"
        ? Promise.resolve(rules)
        : Promise.reject(new S3Error("NoSuchBucket", { BucketName: bucket })),
    fallback,
  });
  return createTestGateway({ cors });
}

function corsHeaders({ headers }: Response): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith("access-control-") || name === "vary"),
  );
}

function preflight(
  { send }: TestGateway,
  target: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return send("OPTIONS", target, { anonymous: true, headers });
}

Deno.test("a preflight is answered without credentials, by the first rule that permits it", async () => {
  const gateway = await createGateway(parseCors(RULES));
  const response = await preflight(gateway, "/bucket/key", {
    "origin": "https://x.a.test",
    "access-control-request-method": "PUT",
    "access-control-request-headers": "X-Amz-Date, x-amz-acl",
  });
  strictEqual(response.status, 200);
  deepStrictEqual(corsHeaders(response), {
    "access-control-allow-credentials": "true",
    "access-control-allow-headers": "x-amz-date, x-amz-acl",
    "access-control-allow-methods": "PUT, GET",
    "access-control-allow-origin": "https://x.a.test",
    "access-control-expose-headers": "ETag, x-amz-meta-a",
    "access-control-max-age": "3000",
    "vary": VARY,
  });
  const others = await preflight(gateway, "/bucket", {
    "origin": "https://b.test",
    "access-control-request-method": "GET",
  });
  deepStrictEqual(corsHeaders(others), {
    "access-control-allow-methods": "GET",
    "access-control-allow-origin": "*",
    "vary": VARY,
  });
});

Deno.test("a preflight that no rule permits is refused in AWS's words", async () => {
  const gateway = await createGateway(parseCors(RULES));
  const refused = async (
    target: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<string> => {
    const response = await preflight(gateway, target, headers);
    deepStrictEqual(corsHeaders(response), {});
    const text = await response.text();
    const [, code] = /<Code>(.*)<\/Code>/.exec(text) ?? [];
    const [, message] = /<Message>(.*)<\/Message>/.exec(text) ?? [];
    return `${response.status} ${code} ${message}`;
  };
  const ask = (method: string, names?: string): Record<string, string> => ({
    "origin": "https://x.a.test",
    "access-control-request-method": method,
    ...(names && { "access-control-request-headers": names }),
  });
  match(
    await refused("/bucket/key", ask("DELETE")),
    /^403 AccessForbidden CORSResponse: This CORS/,
  );
  match(await refused("/bucket/key", ask("PUT", "authorization")), /^403 AccessForbidden/);
  match(await refused("/missing/key", ask("GET")), /^403 AccessForbidden CORSResponse: Bucket not/);
  match(await refused("/bucket", ask("PATCH")), /^400 BadRequest Invalid Access-Control-Request/);
  match(await refused("/bucket", { origin: "https://x.a.test" }), /^400 BadRequest Invalid/);
  match(
    await refused("/bucket", { "access-control-request-method": "GET" }),
    /^400 BadRequest Ins/,
  );
});

Deno.test("responses and errors carry the headers of the rule", async () => {
  const gateway = await createGateway(parseCors(RULES));
  const headers = { origin: "https://x.a.test" };
  const rule = {
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "PUT, GET",
    "access-control-allow-origin": "https://x.a.test",
    "access-control-expose-headers": "ETag, x-amz-meta-a",
    "access-control-max-age": "3000",
    "vary": VARY,
  };
  deepStrictEqual(
    corsHeaders(await gateway.ok("PUT", "/bucket/key", { body: "x", headers })),
    rule,
  );
  deepStrictEqual(corsHeaders(await gateway.send("GET", "/bucket/none", { headers })), rule);
  const denied = await gateway.send("GET", "/bucket/key", { headers, anonymous: true });
  strictEqual(denied.status, 403);
  deepStrictEqual(corsHeaders(denied), rule);
  // No rule permits it, but a cache must keep it apart.
  deepStrictEqual(
    corsHeaders(await gateway.send("DELETE", "/bucket/key", { headers })),
    { vary: VARY },
  );
  deepStrictEqual(corsHeaders(await gateway.send("GET", "/bucket/key")), {});
});

Deno.test("the default rules hold for buckets without rules, for new ones and for ListBuckets", async () => {
  const fallback = rulesForOrigins(["*"]);
  const gateway = await createGateway(undefined, fallback);
  const ask = { "origin": "https://b.test", "access-control-request-method": "PUT" };
  for (const target of ["/", "/bucket/key", "/missing"]) {
    const response = await preflight(gateway, target, ask);
    strictEqual(response.status, 200, target);
    strictEqual(response.headers.get("access-control-allow-origin"), "*");
  }
  const listed = await gateway.ok("GET", "/", { headers: { origin: "https://b.test" } });
  strictEqual(listed.headers.get("access-control-allow-origin"), "*");
  // A bucket's own rules replace the default.
  const own = await createGateway(parseCors(RULES), fallback);
  strictEqual((await preflight(own, "/bucket/key", ask)).status, 403);
});
