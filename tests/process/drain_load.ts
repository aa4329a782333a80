/**
 * Restarts of gateways under load: acknowledged objects survive, and every request that had arrived gets a response.
 * @module
 */

import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { freePort, type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { RawConnection } from "../clients/raw_http.ts";
import { bytesOf, CREDENTIALS_ENV, PAIR, signedText } from "../http/wire_request.ts";
import { PERMISSIONS, type RunningCommand, signedFetch, startCommand } from "./running_command.ts";

/** A request counts as arrived if its headers were sent this many milliseconds before the signal. */
const MARGIN = 200;
const SIZES = [0, 900, 40_000, 300_000];
/** Bytes of the object that slow readers read; next, bytes of the pieces that clients send. */
const LARGE = 8 * 1024 * 1024;
const PIECE = 50_000;

/** The outcome of a request. */
type Outcome = {
  readonly method: string;
  readonly path: string;
  /** Time at which its headers had been sent, in `performance.now()`; infinite if sending failed. */
  readonly sent: number;
  /** Status of the response, or the error if there was none. */
  readonly result: number | string;
};

/** The counts of {@linkcode restartUnderLoad}. */
export type RestartReport = {
  readonly requests: number;
  /** Requests whose headers had arrived but that were still in progress when the signal came. */
  readonly inFlight: number;
  /** Requests sent after the signal: served, refused with 503, or cut off without a response. */
  readonly later: { readonly served: number; readonly refused: number; readonly cut: number };
  /** Objects that were acknowledged, and then read back. */
  readonly written: number;
};

/** Stops a gateway under a load of raw sockets, then reads the acknowledged objects through another gateway. */
export async function restartUnderLoad(
  { clients, seconds }: { readonly clients: number; readonly seconds: number },
): Promise<RestartReport> {
  await using server = await startNatsServer();
  const address = `127.0.0.1:${freePort()}`;
  const outcomes: (Outcome & { readonly ended: number })[] = [];
  const written = new Map<string, string>();
  let signalled = Infinity;
  {
    await using gateway = await serve(server, address);
    await createBucket(address);
    const everyone = Array.from({ length: clients }, (_, i) => {
      return new Client(Number(address.split(":")[1]), i, written);
    });
    const running = everyone.map(async (client) => {
      for (;;) {
        const outcome = await client.act();
        outcomes.push({ ...outcome, ended: performance.now() });
        if (outcome.sent === Infinity) break;
      }
      client[Symbol.dispose]();
    });
    await pause(seconds * 1000);
    // A large body takes seconds: send the signal while one is being uploaded.
    const isUploading = ({ sent }: Client): boolean => performance.now() - sent > 2 * MARGIN;
    while (!everyone.some(isUploading)) await pause(5);
    signalled = performance.now();
    const { code } = await gateway.stop();
    await Promise.all(running);
    strictEqual(code, 0, gateway.output);
  }
  const early = outcomes.filter(({ sent }) => sent < signalled - MARGIN);
  const failed = early.filter(({ result }) => typeof result === "string" || result >= 300);
  deepStrictEqual(failed, [], "requests whose headers had arrived");
  const later = outcomes.filter(({ sent }) => sent >= signalled && sent < Infinity);
  const count = (passes: (result: Outcome["result"]) => boolean): number =>
    later.filter(({ result }) => passes(result)).length;
  const inFlight = early.filter(({ ended }) => ended > signalled).length;
  ok(inFlight > 0, "no request was in flight at the signal");

  await using other = await serve(server, address);
  for (const [path, digest] of written) {
    const response = await signedFetch(`http://${address}${path}`, PAIR);
    strictEqual(digestOf(await response.bytes()), digest, `${path}: ${response.status}`);
  }
  strictEqual((await other.stop()).code, 0);
  return {
    requests: outcomes.length,
    inFlight,
    later: {
      served: count((result) => typeof result === "number" && result < 300),
      refused: count((result) => result === 503),
      cut: count((result) => typeof result === "string"),
    },
    written: written.size,
  };
}

/** A client that keeps its connection for as long as possible, and has its own keys. */
class Client implements Disposable {
  readonly #port: number;
  readonly #name: number;
  /** Digests of acknowledged objects, by path. */
  readonly #written: Map<string, string>;
  readonly #own: string[] = [];
  #connection: RawConnection | undefined;
  #turn = 0;
  /** Time at which the headers of the current large body had been sent, in `performance.now()`; infinite without one. */
  sent = Infinity;

  constructor(port: number, name: number, written: Map<string, string>) {
    this.#port = port;
    this.#name = name;
    this.#written = written;
  }

  /** Sends the next request and waits for its response. */
  async act(): Promise<Outcome> {
    const turn = this.#turn++;
    const last = this.#own.at(-1);
    if (last === undefined || turn % 2 === 0) return await this.#put(turn);
    if (turn % 4 === 1) return await this.#ask("GET", last);
    if (turn % 16 === 3) return await this.#ask("GET", "/load", "list-type=2&max-keys=50");
    if (turn % 16 === 7) {
      // From now on, the object may or may not exist.
      this.#own.pop();
      this.#written.delete(last);
      return await this.#ask("DELETE", last);
    }
    return await this.#ask("HEAD", last);
  }

  [Symbol.dispose](): void {
    this.#connection?.[Symbol.dispose]();
  }

  async #put(turn: number): Promise<Outcome> {
    const size = SIZES[(turn / 2 + this.#name) % SIZES.length] ?? 0;
    const body = new Uint8Array(randomBytes(size));
    const path = `/load/${this.#name}/${turn}`;
    const outcome = await this.#ask("PUT", path, "", body);
    if (outcome.result === 200) {
      this.#own.push(path);
      this.#written.set(path, digestOf(body));
    }
    return outcome;
  }

  async #ask(
    method: string,
    path: string,
    query = "",
    body: Uint8Array = new Uint8Array(),
  ): Promise<Outcome> {
    const headers = [["host", "localhost"], ["content-length", String(body.length)]] as const;
    const head = bytesOf(signedText({ method, path, query, headers, body: "" }));
    let sent = Infinity;
    try {
      const connection = this.#connection ??= await RawConnection.open(this.#port);
      await connection.send(head);
      sent = performance.now();
      // Large bodies take a while, with some clients seconds, so the signal arrives in the middle of them.
      if (this.#name % 4 === 0 && body.length > PIECE) this.sent = sent;
      for (let at = 0; at < body.length; at += PIECE) {
        await connection.send(body.subarray(at, at + PIECE));
        if (at + 2 * PIECE >= body.length) this.sent = Infinity;
        if (body.length > PIECE) await pause(this.#name % 4 === 0 ? 500 : 30);
      }
      const answer = await connection.receive(method !== "HEAD");
      if (answer.headers.get("connection") === "close") this.#drop();
      return { method, path, sent, result: answer.status };
    } catch (cause) {
      this.#drop();
      return { method, path, sent, result: String(cause) };
    }
  }

  #drop(): void {
    this.#connection?.[Symbol.dispose]();
    this.#connection = undefined;
  }
}

/** The counts of {@linkcode rollUnderSdk}. */
export type RollReport = {
  readonly calls: number;
  /** Attempts after the first one of each call. */
  readonly retries: number;
};

/** Restarts two gateways on one port, one after the other, while SDK clients work; none of their calls may fail. */
export async function rollUnderSdk(
  { clients, rounds }: { readonly clients: number; readonly rounds: number },
): Promise<RollReport> {
  await using server = await startNatsServer();
  const address = `127.0.0.1:${freePort()}`;
  const gateways = [await serve(server, address), await serve(server, address)];
  try {
    await createBucket(address);
    await writeLarge(address);
    const stop = new AbortController();
    const running = Array.from({ length: clients }, (_, i) => useSdk(address, i, stop.signal));
    // A failed call must be reported at once, not after all clients have ended.
    const failed = Promise.all(running);
    failed.catch(() => {});
    try {
      await Promise.race([failed, roll(server, address, gateways, rounds)]);
    } finally {
      stop.abort();
    }
    const reports = await failed;
    return {
      calls: reports.reduce((sum, { calls }) => sum + calls, 0),
      retries: reports.reduce((sum, { retries }) => sum + retries, 0),
    };
  } finally {
    for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
  }
}

async function roll(
  server: NatsServer,
  address: string,
  gateways: RunningCommand[],
  rounds: number,
): Promise<void> {
  await pause(1000);
  for (let round = 0; round < rounds; round++) {
    for (const [i, gateway] of gateways.entries()) {
      const { code } = await gateway.stop();
      strictEqual(code, 0, gateway.output);
      gateways[i] = await serve(server, address);
      await pause(500);
    }
  }
}

async function useSdk(address: string, name: number, signal: AbortSignal): Promise<RollReport> {
  const s3 = new S3Client({
    endpoint: `http://${address}`,
    region: "us-east-1",
    credentials: PAIR,
    forcePathStyle: true,
  });
  let calls = 0;
  let retries = 0;
  const note = ({ $metadata }: { readonly $metadata: { readonly attempts?: number } }): void => {
    calls++;
    retries += ($metadata.attempts ?? 1) - 1;
  };
  try {
    for (let turn = 0; !signal.aborted; turn++) {
      const where = { Bucket: "load", Key: `${name}/${turn}` };
      const body = new Uint8Array(randomBytes(SIZES[turn % SIZES.length] ?? 0));
      note(await s3.send(new PutObjectCommand({ ...where, Body: body })));
      note(await s3.send(new HeadObjectCommand(where)));
      const got = await s3.send(new GetObjectCommand(where));
      note(got);
      deepStrictEqual(await got.Body?.transformToByteArray(), body);
      if (turn % 4 === 0) {
        note(await s3.send(new ListObjectsV2Command({ Bucket: "load", Prefix: `${name}/` })));
        note(await s3.send(new DeleteObjectCommand(where)));
      }
      if (turn % 4 === 0 || name % 2 === 0) {
        const large = await s3.send(new GetObjectCommand({ Bucket: "load", Key: "large" }));
        note(large);
        strictEqual(await readSlowly(large.Body?.transformToWebStream()), LARGE);
      }
    }
  } finally {
    s3.destroy();
  }
  return { calls, retries };
}

async function writeLarge(address: string): Promise<void> {
  const response = await signedFetch(`http://${address}/load/large`, PAIR, {
    method: "PUT",
    body: new Uint8Array(LARGE),
  });
  strictEqual(response.status, 200, await response.text());
}

/** Reads a stream for about a second; returns the number of bytes. */
async function readSlowly(stream: ReadableStream<Uint8Array> | undefined): Promise<number> {
  let size = 0;
  let mark = 0;
  for await (const piece of stream ?? []) {
    size += piece.length;
    if (size < mark) continue;
    mark += LARGE / 10;
    await pause(100);
  }
  return size;
}

/** Starts a gateway that shares its port. */
async function serve(server: NatsServer, address: string): Promise<RunningCommand> {
  const flags = ["--natsServers", server.url, "--listen", address, "--listen.shared"];
  const args = ["run", ...PERMISSIONS, "main.ts", ...flags, "--admin.listen", "off"];
  const gateway = startCommand(args, { env: CREDENTIALS_ENV });
  await gateway.waitFor(/Serving S3/);
  return gateway;
}

async function createBucket(address: string): Promise<void> {
  const response = await signedFetch(`http://${address}/load`, PAIR, { method: "PUT" });
  strictEqual(response.status, 200, await response.text());
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
