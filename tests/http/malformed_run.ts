/**
 * Sends malformed requests to the real command on its own nats-server, and checks what must hold for any input: no
 * crash, no hang, no internal error, no orphaned chunk, no request that stays in flight.
 * @module
 */

import { Buffer } from "node:buffer";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/nats-core";
import { Objm } from "@nats-io/obj";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { ERRORS } from "../../src/s3/errors.ts";
import { subjectsOfStream } from "../nats/store_on_server.ts";
import { type RunningCommand, startGateway } from "../process/running_command.ts";
import { type MalformedRequest, malformedRequest, type Scenery } from "./malformed_requests.ts";
import { bytesOf, CREDENTIALS_ENV, signedText, type WireRequest } from "./wire_request.ts";

/** Milliseconds that a client may pause in the middle of a body. */
const STALL = 600;
/** Milliseconds after which a waiting client closes its half of the connection. */
const WAIT = 2500;
/** Milliseconds after which a connection counts as hanging. */
const TIMEOUT = 20_000;
const BUCKET = "photos";
/** Maximum length of a response body that is read completely. */
const MAX_BODY = 1024 * 1024;

/** Options of {@linkcode sendMalformed}. */
export type MalformedRun = {
  readonly count: number;
  readonly seed: number;
  /** Number of concurrent connections. */
  readonly connections: number;
  /** Makes the request of a seed; {@linkcode malformedRequest} by default. */
  readonly requestOf?: (seed: number, scenery: Scenery) => MalformedRequest;
};

/** What came of a run. */
export type Outcomes = {
  /** The number of responses by status; `closed` counts connections without a response. */
  readonly times: Readonly<Record<string, number>>;
  /** Milliseconds of the slowest response, which may include the time for which its client stood still. */
  readonly slowest: number;
  /** Bytes of the gateway's resident memory and of its JavaScript heap after each tenth of the requests. */
  readonly memory: readonly Memory[];
  /** The number of requests with a correct signature. */
  readonly signed: number;
  /** Responses to requests with a correct signature: milliseconds of half of them, of 99 %, and of the slowest. */
  readonly milliseconds: readonly [p50: number, p99: number, slowest: number];
  /** The slowest requests, sent again alone: their number, and the most processor time of the gateway for one, in ms. */
  readonly repeated: { readonly count: number; readonly processor: number };
  /** Seconds of the whole run. */
  readonly seconds: number;
};

/** Memory of the gateway, in bytes. */
type Memory = { readonly resident: number; readonly heap: number };

/** Milliseconds beside others after which a request may be sent again alone, and how many are. */
const SLOW = 1000;
const MAX_REPEATED = 200;
/** Milliseconds of the gateway's processor time that one request may take. */
const MAX_PROCESSOR = 1000;

/** Bytes by which memory may grow after the first tenth. */
const MAX_GROWTH = 128 * 1024 * 1024;
/** Bytes by which the JavaScript heap may; it is measured at any moment between two collections. */
const MAX_HEAP_GROWTH = 64 * 1024 * 1024;

/** A response. */
type RawResponse = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
};

/**
 * Sends malformed requests, and returns the outcomes.
 *
 * @throws Error with the seed and the bytes of the request that broke a rule
 */
export async function sendMalformed(
  { count, seed, connections, requestOf = malformedRequest }: MalformedRun,
): Promise<Outcomes> {
  await using server = await startNatsServer();
  await using gateway = await startGateway(
    ["--natsServers", server.url, "--limit.stall", `${STALL}ms`, "--trash.grace", "1s"],
    { env: CREDENTIALS_ENV },
  );
  const connection = await connect({ servers: server.url });
  try {
    const began = performance.now();
    const scene = new Scene(gateway);
    await scene.prepare();
    const times: Record<string, number> = {};
    const memory: Memory[] = [];
    const durations: number[] = [];
    const slow: { readonly seed: number; readonly duration: number }[] = [];
    const [, admin = ""] = await gateway.waitFor(/Serving health and metrics.*port=(\d+)/);
    const measure = async (): Promise<void> => {
      memory.push({ resident: await residentOf(gateway.pid), heap: await heapOf(admin) });
    };
    let slowest = 0;
    let next = seed;
    let failed = false;
    await Promise.all(Array.from({ length: connections }, async () => {
      while (next < seed + count && !failed) {
        const malformed = requestOf(next++, scene.scenery);
        if ((malformed.seed - seed + 1) % Math.ceil(count / 10) === 0) {
          await measure();
        }
        try {
          const began = performance.now();
          const outcome = await scene.send(malformed);
          const duration = performance.now() - began;
          slowest = Math.max(slowest, duration);
          times[outcome] = (times[outcome] ?? 0) + 1;
          if (malformed.isSigned === true) durations.push(duration);
          // Others may have waited for their client.
          if (duration > SLOW + (malformed.isSigned === true ? 0 : WAIT)) {
            slow.push({ seed: malformed.seed, duration });
          }
          if (malformed.seed % 500 === 0) await scene.checkValidRequests();
        } catch (cause) {
          failed = true;
          throw new Error(`${describe(malformed)}\n${gateway.output.slice(-2000)}`, { cause });
        }
      }
    }));

    await measure();
    const [early, late] = [memory[0], memory.at(-1)];
    if (early !== undefined && late !== undefined) {
      const text = JSON.stringify(memory);
      ok(late.resident - early.resident < MAX_GROWTH, `Memory grew: ${text}`);
      ok(late.heap - early.heap < MAX_HEAP_GROWTH, `The heap grew: ${text}`);
    }
    let processor = 0;
    const repeated = slow.sort((a, b) => b.duration - a.duration).slice(0, MAX_REPEATED);
    for (const { seed } of repeated) {
      const cost = await scene.costOf(() => requestOf(seed, scene.scenery), gateway.pid);
      processor = Math.max(processor, cost);
    }
    await scene.checkValidRequests();
    await scene.abortUploads();
    await onlyLiveChunks(connection);
    const errors = gateway.output.split("\n").filter((line) => /level=error/.test(line));
    deepStrictEqual(errors.slice(0, 3), [], "errors in the gateway's log");
    strictEqual((await gateway.stop()).code, 0, gateway.output.slice(-2000));
    match(gateway.output, /Stopping: requests in flight may end.* requests=0\b/);
    durations.sort((a, b) => a - b);
    const percentile = (share: number): number =>
      durations[Math.ceil(durations.length * share) - 1] ?? 0;
    return {
      times,
      slowest,
      memory,
      signed: durations.length,
      milliseconds: [percentile(0.5), percentile(0.99), percentile(1)],
      repeated: { count: repeated.length, processor },
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    await connection.close();
  }
}

/** Returns the bytes of a process's resident memory; 0 where the system does not tell. */
async function residentOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** Returns the bytes of the gateway's JavaScript heap in use, as its metrics show them. */
async function heapOf(admin: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${admin}/metrics`);
  return Number(/^process_heap_bytes (\S+)$/m.exec(await response.text())?.[1]);
}

/** Returns the milliseconds of processor time of a process; 0 where the system does not tell. */
async function processorOf(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  // The name of the program, in parentheses, may contain blanks. Times are in hundredths of a second.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0));
}

/** Clients of one gateway. */
class Scene {
  readonly #port: number;
  readonly #host: string;
  #uploadId = "";

  constructor({ url }: RunningCommand & { readonly url: string }) {
    this.#port = Number(new URL(url).port);
    this.#host = `127.0.0.1:${this.#port}`;
  }

  get scenery(): Scenery {
    return {
      bucket: BUCKET,
      keys: ["k0", "k1", "k2", "k3"],
      uploadId: this.#uploadId,
      host: this.#host,
    };
  }

  async prepare(): Promise<void> {
    strictEqual((await this.#ask({ method: "PUT", path: `/${BUCKET}` })).status, 200);
    const body = "z".repeat(300_000);
    await this.#ask({ method: "PUT", path: `/${BUCKET}/k0`, body });
    const upload = { method: "POST", path: `/${BUCKET}/upload`, query: "uploads=" };
    const { body: xml } = await this.#ask(upload);
    this.#uploadId = /<UploadId>([^<]+)</.exec(xml)?.[1] ?? "";
    ok(this.#uploadId !== "", xml);
  }

  /** Checks that valid requests still work. */
  async checkValidRequests(): Promise<void> {
    const path = `/${BUCKET}/well-${crypto.randomUUID()}`;
    const body = "well";
    strictEqual((await this.#ask({ method: "PUT", path, body })).status, 200);
    strictEqual((await this.#ask({ path })).body, body);
    strictEqual((await this.#ask({ method: "DELETE", path })).status, 204);
  }

  /**
   * Sends a request alone, and returns the milliseconds of processor time that the gateway needed: the least of three
   * times, because it may have collected garbage of others. Unlike the time on the clock, it does not depend on what else
   * the machine does.
   *
   * @throws Error when it is more than {@linkcode MAX_PROCESSOR}
   */
  async costOf(requestOf: () => MalformedRequest, pid: number): Promise<number> {
    let least = Infinity;
    for (let run = 0; run < 3 && least > MAX_PROCESSOR / 10; run++) {
      const before = await processorOf(pid);
      await this.send(requestOf());
      least = Math.min(least, await processorOf(pid) - before);
    }
    if (least <= MAX_PROCESSOR) return least;
    throw new Error(`${describe(requestOf())}\nIt takes ${least} ms of processor time`);
  }

  async abortUploads(): Promise<void> {
    for (;;) {
      const { status, body } = await this.#ask({ path: `/${BUCKET}`, query: "uploads=" });
      strictEqual(status, 200, body);
      // Bodies are read as latin1; keys are UTF-8.
      const text = Buffer.from(body, "latin1").toString();
      const uploads = [...text.matchAll(/<Key>([^<]*)<\/Key><UploadId>([^<]+)</g)];
      if (uploads.length === 0) return;
      for (const [, key = "", id = ""] of uploads) {
        const plain = key.replaceAll(/&(lt|gt|quot|apos|amp|#x?[0-9a-fA-F]+);/g, decodeReference);
        const path = `/${BUCKET}/${encodeKey(plain)}`;
        const { status, body } = await this.#ask({
          method: "DELETE",
          path,
          query: `uploadId=${id}`,
        });
        strictEqual(status, 204, body);
      }
    }
  }

  /** Sends a request and returns the outcome. */
  async send({ pieces, then, isSigned = false }: MalformedRequest): Promise<string> {
    using socket = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    // Empty lines before a request are ignored.
    const text = pieces.join("").replace(/^[\r\n]+/, "");
    const isHead = text.startsWith("HEAD ");
    const reading = then === "leave" ? undefined : readResponse(socket, isHead);
    reading?.catch(() => {});
    try {
      for (const [i, piece] of pieces.entries()) {
        if (i > 0) await pause(1);
        await writeAll(socket, bytesOf(piece));
      }
    } catch (cause) {
      if (!isClosed(cause)) throw cause; // the gateway may already have responded and closed
    }
    if (reading === undefined) return "left";
    if (then === "end") await socket.closeWrite().catch(() => {});
    // The runtime waits for the end of a head as long as the client does. A complete head must get a response.
    const isWhole = /\r\n\r\n|\n\n/.test(text);
    let response = await within(WAIT, reading);
    if (response === "late") {
      if (!isWhole) await socket.closeWrite().catch(() => {});
      response = await within(TIMEOUT, reading);
    }
    if (response === "late") throw new Error("The connection hangs");
    // The runtime drops its output when the client closes its half, or when a body that nobody reads is malformed.
    const mayCut = then === "end" || /(\r\n\r\n|\n\n)[^]/.test(text) || !isWhole;
    if (isSigned && typeof response === "string") throw new Error(`The response is ${response}`);
    if (response === "closed" || response === "cut" && mayCut) return "closed";
    if (response === "cut") throw new Error("The response is cut short");
    checkResponse(response, isHead);
    if (isSigned) checkSigned(response);
    return String(response.status);
  }

  async #ask(asked: Partial<WireRequest>): Promise<RawResponse> {
    using socket = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    const { method = "GET", path = "/", query = "", body = "" } = asked;
    const headers = [["Host", this.#host], ["Content-Length", String(body.length)]] as const;
    await writeAll(socket, bytesOf(signedText({ method, path, query, headers, body })));
    const response = await within(TIMEOUT, readResponse(socket, method === "HEAD"));
    if (typeof response === "string") throw new Error(`A valid request is ${response}`);
    return response;
  }
}

/** Checks the rules that every response must follow. */
function checkResponse({ status, headers, body }: RawResponse, isHead: boolean): void {
  if (status >= 500 && status !== 501) throw new Error(`The status is ${status}: ${body}`);
  if (/<Code>InternalError</.test(body)) {
    throw new Error(`The response reports an internal error: ${body}`);
  }
  strictEqual(headers.get("x-injected"), null);
  if (status < 400) return;
  if (!headers.has("x-amz-request-id")) {
    // The runtime's own response to input that is not HTTP.
    ok([400, 414, 431].includes(status), `The runtime responded with ${status}`);
    strictEqual(body, "");
    return;
  }
  if (isHead) return;
  const code = ERROR.exec(body)?.[1] ?? "";
  ok(Object.hasOwn(ERRORS, code), `Not an error code of AWS: ${body}`);
  strictEqual(status, ERRORS[code as keyof typeof ERRORS][0]);
  ok(body.includes(`<RequestId>${headers.get("x-amz-request-id")}</RequestId>`), body);
}

/** The beginning of an error of S3, of S3 Control or of STS. */
const ERROR =
  /^<\?xml[^>]*\?>\s*(?:<ErrorResponse[^>]*>)?<Error>(?:<Type>Sender<\/Type>)?<Code>(\w+)<\/Code>/;

/** The codes of signatures that are not accepted. */
const UNSIGNED = new RegExp(
  "<Code>(SignatureDoesNotMatch|InvalidAccessKeyId|AuthorizationHeaderMalformed|" +
    "AuthorizationQueryParametersError|RequestTimeTooSkewed)<",
);

/** Checks that a correct signature was accepted: otherwise nothing behind authentication would be tested. */
function checkSigned({ body }: RawResponse): void {
  ok(!UNSIGNED.test(body), `A correct signature is refused: ${body}`);
}

/** Reads one response, and skips informational ones before it. */
async function readResponse(
  socket: Deno.TcpConn,
  isHead: boolean,
): Promise<RawResponse | "closed" | "cut"> {
  const chunk = new Uint8Array(64 * 1024);
  let text = "";
  const fill = async (): Promise<boolean> => {
    const read = await socket.read(chunk).catch((cause) => {
      if (isClosed(cause)) return null;
      throw cause;
    });
    if (read !== null) text += Buffer.from(chunk.subarray(0, read)).toString("latin1");
    return read !== null;
  };
  for (;;) {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      if (await fill()) continue;
      return text === "" ? "closed" : "cut";
    }
    const [first = "", ...lines] = text.slice(0, end).split("\r\n");
    text = text.slice(end + 4);
    const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(first)?.[1] ?? NaN);
    ok(status >= 100 && status < 600, `Not a response: ${first}`);
    if (status < 200) continue;
    const headers = new Headers(
      lines.map((line): [string, string] => [
        line.slice(0, line.indexOf(":")),
        line.slice(line.indexOf(":") + 1).trim(),
      ]),
    );
    const hasBody = !isHead && status !== 204 && status !== 304;
    if (!hasBody) return { status, headers, body: "" };
    if (headers.get("transfer-encoding") === "chunked") {
      while (!text.includes("0\r\n\r\n") && await fill());
    } else {
      const length = Math.min(Number(headers.get("content-length") ?? 0), MAX_BODY);
      while (text.length < length && await fill());
      if (text.length < length) return "cut";
      text = text.slice(0, length);
    }
    return { status, headers, body: text };
  }
}

/** Waits until the trash is empty, and compares the chunks in the bucket's stream with those that its objects name. */
async function onlyLiveChunks(connection: NatsConnection): Promise<void> {
  const stream = `OBJ_${BUCKET}`;
  const deadline = Date.now() + 20_000;
  for (;;) {
    const subjects = await subjectsOfStream(connection, stream);
    const found = new Map<string, number>();
    for (const [subject, count] of Object.entries(subjects)) {
      const nuid = /^\$O\.[^.]+\.C\.([^.]+)/.exec(subject)?.[1];
      if (nuid !== undefined) found.set(nuid, (found.get(nuid) ?? 0) + count);
    }
    const named = new Map<string, number>();
    for (const info of await (await new Objm(connection).open(BUCKET)).list()) {
      if (!info.deleted && info.chunks > 0) named.set(info.nuid, info.chunks);
    }
    const sorted = (chunks: Map<string, number>): unknown[] => [...chunks].sort();
    if (JSON.stringify(sorted(found)) === JSON.stringify(sorted(named))) return;
    if (Date.now() > deadline) {
      deepStrictEqual(sorted(found), sorted(named), "chunks in the stream, and those of objects");
    }
    await pause(250);
  }
}

function describe({ seed, ways, then, pieces }: MalformedRequest): string {
  const shown = pieces.map((piece) =>
    JSON.stringify(piece.length > 4000 ? `${piece.slice(0, 4000)}…` : piece)
  );
  return `Seed ${seed} (${ways.join(", ")}; then ${then}):\n${shown.join("\n")}`;
}

async function writeAll(socket: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
}

function isClosed(cause: unknown): boolean {
  return cause instanceof Deno.errors.ConnectionReset || cause instanceof Deno.errors.BrokenPipe ||
    cause instanceof Deno.errors.ConnectionAborted || cause instanceof Deno.errors.NotConnected;
}

async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | "late"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const REFERENCES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function decodeReference(reference: string, name: string): string {
  const code = /^#x/.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return REFERENCES[name] ?? (name.startsWith("#") ? String.fromCodePoint(code) : reference);
}

function encodeKey(key: string): string {
  return encodeURIComponent(key).replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
