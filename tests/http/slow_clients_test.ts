/**
 * Clients that stall and clients that disconnect: the gateway releases their resources. Deno 2.9.6 does not close the
 * connection of a client that stops reading, nor a connection whose response came before the end of the request. The
 * stream ends, the response is cut short when the client reads on, and the client must close the connection.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { RawConnection } from "../clients/raw_http.ts";
import { pause, Scene, STALL, until } from "./scene.ts";
import { measureBeside } from "./slow_connections.ts";
import { bytesOf, signedText } from "./wire_request.ts";

const MIB = 1024 * 1024;

const AWS_CHUNKED = [
  ["x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"],
  ["x-amz-decoded-content-length", String(2 * MIB)],
] as const;

Deno.test("A PUT whose body stalls is a RequestTimeout, and leaves no chunk", async () => {
  await using scene = await Scene.open();
  const half = "x".repeat(MIB);
  for (
    const [headers, body, payloadHash] of [
      [[["content-length", String(2 * MIB)]], half, undefined],
      [[["transfer-encoding", "chunked"]], `${MIB.toString(16)}\r\n${half}`, undefined],
      [
        [["content-length", String(3 * MIB)], AWS_CHUNKED[1]],
        `${MIB.toString(16)}\r\n${half}\r\n`,
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      ],
      [[["content-length", "100"], ["x-amz-decoded-content-length", "0"]], "0", AWS_CHUNKED[0][1]],
    ] as const
  ) {
    using client = await scene.open();
    const request = { method: "PUT", path: "/photos/key", query: "", body };
    await client.send(bytesOf(
      signedText(
        { ...request, headers: [["host", "localhost"], ...headers] },
        payloadHash && { payloadHash },
      ),
    ));
    if (body.length > MIB) await until(async () => await scene.chunks() > 0);
    const before = Date.now();
    const { status, text } = await client.receive();
    ok(Date.now() - before < STALL * 4);
    strictEqual(status, 400);
    match(text, /<Code>RequestTimeout<\/Code>/);
    await scene.idle();
    strictEqual(await scene.chunks(), 0);
  }
  strictEqual((await scene.ask({})).status, 404);
});

Deno.test("A document that stalls is a RequestTimeout", async () => {
  await using scene = await Scene.open();
  using client = await scene.open();
  const request = { method: "POST", path: "/photos", query: "delete=", body: "<Delete>" };
  const headers = [["content-length", "1000"], [
    "content-md5",
    "1B2M2Y8AsgTpgAmY7PhCfg==",
  ]] as const;
  await client.send(bytesOf(scene.request({ ...request, headers })));
  const { status, text } = await client.receive();
  strictEqual(status, 400);
  match(text, /<Code>RequestTimeout<\/Code>/);
  await scene.idle();
});

Deno.test("A GET whose reader stalls is broken off", async () => {
  await using scene = await Scene.open();
  await scene.put(48 * MIB);
  using client = await scene.open();
  const gets = scene.count("$JS.API.DIRECT.GET.>");
  const leases = scene.count("$O.photos.S3.lease.>");
  await client.send(scene.request({}));
  await client.skip(64 * 1024);
  strictEqual(scene.gateway.inFlight.count, 1);
  await scene.idle();
  const asked = gets();
  ok(asked > 0 && asked < 48 * 4, `${asked} direct gets`);
  const held = leases();
  const size = await client.drain();
  ok(size < 48 * MIB, `${size} bytes still arrived`);
  await pause(1000); // a read still in progress would renew its lease
  strictEqual(gets(), asked);
  strictEqual(leases(), held);
});

Deno.test("A GET whose reader is slow, but not too slow, comes to its end", async () => {
  await using scene = await Scene.open();
  const size = 32 * MIB;
  await scene.put(size);
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: scene.port });
  await socket.write(bytesOf(scene.request({ headers: [["connection", "close"]] })));
  const began = Date.now();
  const buffer = new Uint8Array(MIB);
  let taken = 0;
  let pauses = 0;
  for (let read; (read = await socket.read(buffer)) !== null; taken += read) {
    // The system's buffers hold several MiB: with smaller steps, the gateway would wait for longer than this pause.
    if (taken < 8 * MIB * (pauses + 1)) continue;
    pauses++;
    await pause(STALL * 0.6);
  }
  ok(Date.now() - began > STALL * 1.5);
  ok(taken > size, `${taken} bytes`);
  await scene.idle();
});

Deno.test("A client that leaves in the middle of a GET stops its chunk requests", async () => {
  await using scene = await Scene.open("--limit.stall", "1m");
  await scene.put(48 * MIB);
  const gets = scene.count("$JS.API.DIRECT.GET.>");
  const leases = scene.count("$O.photos.S3.lease.>");
  {
    using client = await scene.open();
    await client.send(scene.request({}));
    await client.skip(64 * 1024);
  }
  await scene.idle(); // long before the client counts as stalled
  const held = leases();
  const asked = gets();
  ok(asked > 0 && asked < 48 * 4, `${asked} direct gets`);
  await pause(1200); // a read still in progress would renew its lease
  strictEqual(gets(), asked);
  strictEqual(leases(), held);
});

Deno.test("A client that leaves before its GET is answered asks for next to nothing", async () => {
  await using scene = await Scene.open();
  await scene.put(48 * MIB);
  const gets = scene.count("$JS.API.DIRECT.GET.>");
  for (let i = 0; i < 20; i++) {
    using client = await scene.open();
    await client.send(scene.request({}));
    await pause(i % 5);
  }
  await scene.idle();
  // Each may have requested its window, a few MiB of the 48, but nothing more.
  await pause(100);
  const asked = gets();
  ok(asked < 20 * 48, `${asked} direct gets`);
  await pause(200);
  strictEqual(gets(), asked);
});

Deno.test("A client that leaves in the middle of a PUT leaves no chunk", async () => {
  await using scene = await Scene.open("--limit.stall", "1m");
  await scene.put(1000);
  for (const headers of [["content-length", String(8 * MIB)], ["transfer-encoding", "chunked"]]) {
    {
      using client = await scene.open();
      const [name = "", value = ""] = headers;
      const frame = name === "content-length" ? "" : `${(8 * MIB).toString(16)}\r\n`;
      const put = { method: "PUT", headers: [[name, value]] as const };
      await client.send(bytesOf(scene.request(put) + frame + "x".repeat(4 * MIB)));
      await until(async () => await scene.chunks() > 1);
    }
    await scene.idle();
    strictEqual(await scene.chunks(), 1);
  }
  deepStrictEqual((await scene.ask({})).text, "x".repeat(1000));
});

Deno.test("Beyond the limit of requests, the answer is SlowDown at once", async () => {
  await using scene = await Scene.open("--limit.requests", "2", "--limit.stall", "1m");
  {
    using first = await scene.open();
    using second = await scene.open();
    const put = scene.request({ method: "PUT", headers: [["content-length", "10"]] });
    for (const client of [first, second]) await client.send(put, "12345");
    await until(() => scene.gateway.inFlight.count === 2);
    for (let i = 0; i < 3; i++) {
      const { status, headers, text } = await scene.ask({});
      strictEqual(status, 503);
      strictEqual(headers.get("retry-after"), "1");
      match(text, /<Code>SlowDown<\/Code>/);
    }
    await first.send("67890");
    strictEqual((await first.receive()).status, 200);
    await until(() => scene.gateway.inFlight.count === 1);
    strictEqual((await scene.ask({})).status, 200);
  }
  await scene.idle();
});

Deno.test("Beyond the rate of an access key, the answer is SlowDown, and the connection goes on", async () => {
  await using scene = await Scene.open("--limit.rate", "3", "--limit.stall", "1m");
  using client = await scene.open();
  const rejected = (): string | undefined => {
    const pattern = /^nats_s3_requests_rejected_total\{reason="rate"\} (\d+)$/m;
    return pattern.exec(scene.gateway.renderMetrics())?.[1];
  };
  const put = async (): Promise<Awaited<ReturnType<RawConnection["receive"]>>> => {
    const headers = [["content-length", String(MIB)]] as const;
    await client.send(bytesOf(scene.request({ method: "PUT", headers })), new Uint8Array(MIB));
    return await client.receive();
  };
  let refused = await put();
  while (refused.status === 200) refused = await put();
  strictEqual(refused.status, 503);
  strictEqual(refused.headers.get("retry-after"), "1");
  match(refused.text, /<Code>SlowDown<\/Code>/);
  strictEqual(rejected(), "1");

  // Unauthenticated requests are told so, and use up nothing of the rate.
  for (let i = 0; i < 20; i++) {
    await client.send("GET /photos/key HTTP/1.1\r\nHost: localhost\r\n\r\n");
    strictEqual((await client.receive()).status, 403);
  }
  await pause(1000);
  strictEqual((await put()).status, 200);
  strictEqual(rejected(), "1");
});

Deno.test("Slow and idle connections hold nobody up, and those that can be ended are", async () => {
  const connections = { idle: 50, halfHeaders: 50, stalledBodies: 20, stall: "3s" };
  const { inFlight } = await measureBeside(connections);
  deepStrictEqual(inFlight, [20, 0]);
});
