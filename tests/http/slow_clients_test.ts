/**
 * Clients that stall and clients that disconnect: the gateway releases their resources. Deno 2.9.6 does not close the
 * connection of a client that stops reading, nor a connection whose response came before the end of the request. The
 * stream ends, the response is cut short when the client reads on, and the client must close the connection.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/nats-core";
import { createGateway, type Gateway } from "../../main.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { parseInvocation } from "../../src/config/command_line.ts";
import { createConfig } from "../../src/config/config.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { RawConnection } from "../clients/raw_http.ts";
import { subjectsOfStream } from "../nats/store_on_server.ts";
import { measureBeside } from "./slow_connections.ts";
import { bytesOf, CREDENTIALS_ENV, signedText, type WireRequest } from "./wire_request.ts";

const MIB = 1024 * 1024;
const STALL = 300;

/** A gateway within this process, and a connection that observes its JetStream requests. */
class Scene implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly connection: NatsConnection;
  readonly #server: NatsServer;
  readonly #own: NatsConnection;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  private constructor(
    server: NatsServer,
    own: NatsConnection,
    other: NatsConnection,
    args: string[],
  ) {
    this.#server = server;
    this.#own = own;
    this.connection = other;
    const invocation = parseInvocation({
      args: ["--limit.stall", `${STALL}ms`, "--trash.grace", "1s", ...args],
      env: CREDENTIALS_ENV,
      readTextFile: Deno.readTextFileSync,
    });
    if (invocation.kind !== "run") {
      throw new TypeError("Cannot configure a gateway with these flags");
    }
    const log = createLog({ format: "text", level: "error" });
    this.gateway = createGateway(createConfig(invocation.values), own, log);
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      this.gateway,
    );
  }

  static async open(...args: string[]): Promise<Scene> {
    const server = await startNatsServer();
    const servers = server.url;
    const scene = new Scene(server, await connect({ servers }), await connect({ servers }), args);
    const { status } = await scene.ask({ method: "PUT", path: "/photos" });
    strictEqual(status, 200);
    return scene;
  }

  get port(): number {
    return this.#http.addr.port;
  }

  async open(): Promise<RawConnection> {
    return await RawConnection.open(this.port);
  }

  /** Returns a signed request as text, so that a test can send a part of it. */
  request({ method = "GET", path = "/photos/key", headers = [], ...rest }: Partial<WireRequest>) {
    const request = { method, path, headers: [["host", "localhost"], ...headers] as const };
    return signedText({ query: "", body: "", ...request, ...rest });
  }

  async ask(asked: Partial<WireRequest>): Promise<Awaited<ReturnType<RawConnection["receive"]>>> {
    using client = await this.open();
    const length = ["content-length", String(asked.body?.length ?? 0)] as const;
    await client.send(bytesOf(this.request({ ...asked, headers: [length] })));
    return await client.receive(asked.method !== "HEAD");
  }

  async put(size: number): Promise<void> {
    const { status } = await this.ask({ method: "PUT", body: "x".repeat(size) });
    strictEqual(status, 200);
  }

  /** Counts the messages under the subjects of chunks. */
  async chunks(): Promise<number> {
    const subjects = await subjectsOfStream(this.connection, "OBJ_photos");
    return Object.entries(subjects).filter(([subject]) => subject.startsWith("$O.photos.C."))
      .reduce((sum, [, count]) => sum + count, 0);
  }

  /** Starts counting messages on a subject; returns a function that reads the count. */
  count(subject: string): () => number {
    let messages = 0;
    this.connection.subscribe(subject, { callback: () => void messages++ });
    return () => messages;
  }

  /** Waits until no request is in flight. */
  async idle(): Promise<void> {
    await until(() => this.gateway.inFlight.count === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.shutdown();
    await this.gateway[Symbol.asyncDispose]();
    await this.connection.close();
    await this.#own.close();
    await this.#server[Symbol.asyncDispose]();
  }
}

async function until(passes: () => boolean | Promise<boolean>, timeout = 5000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!await passes()) {
    if (Date.now() > deadline) throw new Error(`The condition never became true: ${passes}`);
    await pause(10);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

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
  const size = await client.drain();
  ok(size < 48 * MIB, `${size} bytes still arrived`);
  await pause(1000);
  strictEqual(gets(), asked);
  strictEqual(leases(), 0);
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
  const before = Date.now();
  await scene.idle();
  ok(Date.now() - before < 500);
  const asked = gets();
  ok(asked > 0 && asked < 48 * 4, `${asked} direct gets`);
  await pause(1200); // a read still in progress would renew its lease
  strictEqual(gets(), asked);
  strictEqual(leases(), 0);
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
    const before = Date.now();
    await scene.idle();
    strictEqual(await scene.chunks(), 1);
    ok(Date.now() - before < 1000);
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
