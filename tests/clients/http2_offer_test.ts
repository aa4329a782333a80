/** Requests of clients that offer to change to HTTP/2 on a connection without TLS, as docs/limits.md describes them. */

import { deepStrictEqual } from "node:assert/strict";
import { startGateway } from "./gateway_process.ts";
import { RawConnection } from "./raw_http.ts";
import { demand, requestText } from "./signed_request.ts";

const OFFER = {
  "connection": "Upgrade, HTTP2-Settings",
  "upgrade": "h2c",
  "http2-settings": "AAMAAABkAAQAoAAAAAIAAAAA",
};

Deno.test("an offer of HTTP/2 is ignored, but the runtime refuses one with a length", async () => {
  await using gateway = await startGateway();
  await demand(gateway, 200, { method: "PUT", path: "/offered" });
  await demand(gateway, 200, { method: "PUT", path: "/offered/key", body: "content" });
  const answers: unknown[] = [];
  for (const length of [{}, { "content-length": "0" }]) {
    using client = await RawConnection.open(gateway.port);
    const headers = { ...OFFER, ...length };
    await client.send(requestText(gateway, { path: "/offered/key", headers }));
    const { status, text } = await client.receive();
    answers.push([status, text]);
  }
  deepStrictEqual(answers, [[200, "content"], [400, ""]]);
});
