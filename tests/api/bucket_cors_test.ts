/** PutBucketCors, GetBucketCors and DeleteBucketCors. */

import { strictEqual } from "node:assert/strict";
import { assertError, createTestGateway } from "./test_gateway.ts";

const RULES = '<?xml version="1.0"?>\n<CORSConfiguration><CORSRule>' +
  "<AllowedOrigin>https://a.test</AllowedOrigin><AllowedMethod>GET</AllowedMethod>" +
  "</CORSRule></CORSConfiguration>";

Deno.test("a CORS configuration is returned as it was put, is in force, and can be deleted", async () => {
  const gateway = await createTestGateway();
  const { send, ok } = gateway;
  const preflight = (): Promise<Response> =>
    send("OPTIONS", "/bucket/key", {
      anonymous: true,
      headers: { "origin": "https://a.test", "access-control-request-method": "GET" },
    });
  await assertError(await send("GET", "/bucket?cors"), 404, "NoSuchCORSConfiguration");
  strictEqual((await preflight()).status, 403);
  await ok("PUT", "/bucket?cors", { body: RULES });
  strictEqual(await (await ok("GET", "/bucket?cors")).text(), RULES);
  strictEqual((await preflight()).status, 200);
  strictEqual((await ok("DELETE", "/bucket?cors")).status, 204);
  strictEqual((await ok("DELETE", "/bucket?cors")).status, 204);
  await assertError(await send("GET", "/bucket?cors"), 404, "NoSuchCORSConfiguration");
  strictEqual((await preflight()).status, 403);
});

Deno.test("a CORS configuration that AWS refuses changes nothing", async () => {
  const { send, ok } = await createTestGateway();
  await ok("PUT", "/bucket?cors", { body: RULES });
  for (
    const [body, status, code] of [
      ["", 400, "MalformedXML"],
      ["<CORSConfiguration/>", 400, "MalformedXML"],
      [RULES.replaceAll("CORSConfiguration", "Cors"), 400, "MalformedXML"],
      [RULES.replace("GET", "PATCH"), 400, "InvalidRequest"],
      [RULES.replace("https://a.test", "*.*"), 400, "InvalidRequest"],
      [RULES + " ".repeat(64 * 1024), 400, "MaxMessageLengthExceeded"],
    ] as const
  ) await assertError(await send("PUT", "/bucket?cors", { body }), status, code);
  strictEqual(await (await ok("GET", "/bucket?cors")).text(), RULES);
  for (const method of ["GET", "PUT", "DELETE"]) {
    const body = method === "PUT" ? { body: RULES } : {};
    await assertError(await send(method, "/missing?cors", body), 404, "NoSuchBucket");
  }
});
