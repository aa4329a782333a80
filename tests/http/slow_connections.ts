/**
 * Measures the effect of many mostly idle connections on an ordinary client.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { RawConnection } from "../clients/raw_http.ts";
import { startGateway } from "../process/running_command.ts";
import { bytesOf, CREDENTIALS_ENV, signedText } from "./wire_request.ts";

/** Number of measured requests of the ordinary client. */
const REQUESTS = 400;
const WARM_UP = 200;
/** Number of requests until the runtime has compiled the hot code. */
const FIRST = 2000;

/** The number of connections of each kind. */
export type SlowConnections = {
  /** Connections that have sent one complete request. */
  readonly idle: number;
  /** Connections that have sent half of their headers. */
  readonly halfHeaders: number;
  /** Connections that have sent part of a body. */
  readonly stalledBodies: number;
  /** `--limit.stall`; it must outlast the measurement. */
  readonly stall: string;
  /** Whether latencies matter: stable ones take several seconds of warm-up. */
  readonly precise?: boolean;
};

/** Latencies in milliseconds and resident sets in bytes, without the slow connections and with them. */
export type SlowReport = {
  readonly p50: readonly [without: number, with_: number];
  readonly p99: readonly [without: number, with_: number];
  readonly resident: readonly [without: number, with_: number];
  /** Requests in flight while bodies stall, and after the gateway has ended those requests. */
  readonly inFlight: readonly [stalled: number, ended: number];
};

/** Opens slow connections beside an ordinary client, whose requests must all succeed. */
export async function measureBeside(
  { idle, halfHeaders, stalledBodies, stall, precise = false }: SlowConnections,
): Promise<SlowReport> {
  await using server = await startNatsServer();
  const flags = ["--natsServers", server.url, "--limit.stall", stall];
  await using gateway = await startGateway(flags, { env: CREDENTIALS_ENV });
  const [, admin] = await gateway.waitFor(/Serving health and metrics.*port=(\d+)/);
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
    return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
  };
  const port = Number(new URL(gateway.url).port);
  const request = (method: string, path: string, length = 0): Uint8Array => {
    const headers = [["host", "localhost"], ["content-length", String(length)]] as const;
    return bytesOf(signedText({ method, path, query: "", headers, body: "" }));
  };
  using client = await RawConnection.open(port);
  const ask = async (method: string, path: string, body = new Uint8Array()): Promise<void> => {
    // In one piece, because the second of two small pieces would wait for the acknowledgement of the first.
    await client.send(Buffer.concat([request(method, path, body.length), body]));
    const { status, text } = await client.receive();
    strictEqual(status, 200, text);
  };
  await ask("PUT", "/photos");
  const measure = async (warmUp = WARM_UP): Promise<readonly [p50: number, p99: number]> => {
    const times: number[] = [];
    for (let i = 0; i < warmUp + REQUESTS; i++) {
      const began = performance.now();
      if (i % 4 === 0) await ask("PUT", "/photos/key", new Uint8Array(1000));
      else await ask("GET", "/photos/key");
      if (i >= warmUp) times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
    return [at(0.5), at(0.99)];
  };

  const before = await measure(precise ? FIRST : WARM_UP);
  const residentBefore = await metric("process_resident_memory_bytes");
  const open: RawConnection[] = [];
  const connect = async (count: number, begin: (client: RawConnection) => Promise<unknown>) => {
    for (let i = 0; i < count; i++) {
      const slow = await RawConnection.open(port);
      open.push(slow);
      await begin(slow);
    }
  };
  try {
    await connect(idle, async (slow) => {
      await slow.send("GET /photos HTTP/1.1\r\nHost: localhost\r\n\r\n");
      strictEqual((await slow.receive()).status, 403);
    });
    await connect(
      halfHeaders,
      (slow) => slow.send("GET /photos HTTP/1.1\r\nHost: localhost\r\nX-"),
    );
    await connect(
      stalledBodies,
      (slow) => slow.send(request("PUT", "/photos/slow", 1_000_000), new Uint8Array(100_000)),
    );
    const inFlight = async (passes: (count: number) => boolean): Promise<number> => {
      let count = NaN;
      for (let i = 0; i < 300 && !passes(count); i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        count = await metric("nats_s3_requests_in_flight");
      }
      return count;
    };
    const stalled = await inFlight((count) => count === stalledBodies);
    const beside = await measure();
    const resident = await metric("process_resident_memory_bytes");
    const ended = await inFlight((count) => count === 0);
    return {
      p50: [before[0], beside[0]],
      p99: [before[1], beside[1]],
      resident: [residentBefore, resident],
      inFlight: [stalled, ended],
    };
  } finally {
    for (const slow of open) slow[Symbol.dispose]();
  }
}
