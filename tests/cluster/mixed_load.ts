/**
 * Clients that write, overwrite, delete, read and list a few keys at the same time through several gateways, and record
 * the history of the responses.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { multipartETag } from "../../src/s3/etag.ts";
import type { GatewayProcess } from "../clients/gateway_process.ts";
import { ask } from "../clients/signed_request.ts";
import { someBytes } from "../nats/store_on_server.ts";
import type { Begun, History } from "./history.ts";

/** A source of whole numbers below a limit, the same in every run with a seed. */
export type Random = (limit: number) => number;

/** Options of {@linkcode MixedLoad}. */
export type LoadOptions = {
  readonly bucket: string;
  readonly history: History;
  readonly random: Random;
  /** Returns the gateways that run now. */
  readonly gateways: () => readonly GatewayProcess[];
};

const MIB = 1024 * 1024;
const SIZES = [0, 1, 3000, 100_000, 262_144, 600_000, 1_500_000];
/** Minimum size of a part, except of the last one. */
const PART = 5 * MIB;
/** Milliseconds after which a client gives up. */
const CLIENT_TIMEOUT = 40_000;

/** The relative frequency of each operation. */
const WEIGHTS = {
  put: 22,
  putIfNone: 6,
  putIfSame: 6,
  delete: 9,
  multipart: 2,
  multipartOfTwo: 1,
  get: 22,
  range: 12,
  head: 10,
  list: 6,
} as const;

type Action = keyof typeof WEIGHTS;

/** The clients, and the results of their operations. */
export class MixedLoad {
  /** Operations by name and status. */
  readonly counts = new Map<string, number>();
  /** Responses that no register explains: torn bytes, unexpected codes. */
  readonly wrong: string[] = [];
  /** The bytes that a client sent, by ETag. */
  readonly #written = new Map<string, Uint8Array>();
  /** The last ETag seen at each key. */
  readonly #seen = new Map<string, string>();
  readonly #options: LoadOptions;
  #serial = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Forgets bytes that no key holds anymore. */
  forget(): void {
    const kept = new Set(this.#seen.values());
    for (const etag of this.#written.keys()) if (!kept.has(etag)) this.#written.delete(etag);
  }

  /** Runs one client until aborted. */
  async run(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    while (!signal.aborted) {
      const key = keys[random(keys.length)] ?? "";
      await this.#act(this.#choose(), key, keys);
      await new Promise((resolve) => setTimeout(resolve, 5 + random(30)));
    }
  }

  /** Reads a whole key through a gateway; throws unless the gateway responds with the object or 404. */
  async readBack(gateway: GatewayProcess, key: string): Promise<void> {
    const status = await this.#get(key, undefined, gateway);
    if (status !== 200 && status !== 404) throw new Error(`GET ${key}: ${status}`);
  }

  /** Lists all keys through a gateway; throws unless the gateway responds with the list. */
  async listBack(gateway: GatewayProcess, keys: readonly string[]): Promise<void> {
    const status = await this.#list(keys, gateway);
    if (status !== 200) throw new Error(`ListObjectsV2: ${status}`);
  }

  /** Deletes a key; throws unless the gateway acknowledges it. */
  async remove(key: string): Promise<void> {
    const status = await this.#delete(key);
    if (status !== 204) throw new Error(`DELETE ${key}: ${status}`);
  }

  #choose(): Action {
    const entries = Object.entries(WEIGHTS) as [Action, number][];
    let left = this.#options.random(entries.reduce((sum, [, weight]) => sum + weight, 0));
    return entries.find(([, weight]) => (left -= weight) < 0)?.[0] ?? "get";
  }

  async #act(action: Action, key: string, keys: readonly string[]): Promise<void> {
    let status: number | string;
    switch (action) {
      case "put":
        status = await this.#put(key, {});
        break;
      case "putIfNone":
        status = await this.#put(key, { "if-none-match": "*" }, null);
        break;
      case "putIfSame": {
        const etag = this.#seen.get(key) ?? "0".repeat(32);
        status = await this.#put(key, { "if-match": `"${etag}"` }, etag);
        break;
      }
      case "delete":
        status = await this.#delete(key);
        break;
      case "multipart":
        status = await this.#multipart(key, [1 + this.#options.random(700_000)]);
        break;
      case "multipartOfTwo":
        status = await this.#multipart(key, [PART, 1 + this.#options.random(300_000)]);
        break;
      case "get":
        status = await this.#get(key);
        break;
      case "range":
        status = await this.#get(key, this.#range());
        break;
      case "head":
        status = await this.#head(key);
        break;
      case "list":
        status = await this.#list(keys);
        break;
    }
    const name = `${action} ${status}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  #bytes(size: number): Uint8Array {
    // All empty objects would have the same ETag, so each body has at least one distinguishing byte.
    const serial = ++this.#serial;
    const bytes = someBytes(Math.max(size, 8), serial);
    new DataView(bytes.buffer).setUint32(0, serial);
    return bytes;
  }

  async #put(
    key: string,
    headers: Record<string, string>,
    condition?: string | null,
  ): Promise<number> {
    const bytes = this.#bytes(SIZES[this.#options.random(SIZES.length)] ?? 0);
    const etag = createHash("md5").update(bytes).digest("hex");
    this.#written.set(etag, bytes);
    const shown = Object.entries(headers).map(([name, value]) => ` ${name}: ${value}`).join("");
    const what = `PUT ${etag} (${bytes.length})${shown}`;
    const from = performance.now();
    const begun = this.#options.history.write(key, etag, what, condition);
    const { status } = await this.#ask({
      method: "PUT",
      path: this.#path(key),
      headers,
      body: bytes,
    });
    if (status === 404 && typeof condition === "string") {
      // No object existed, so no ETag could match.
      this.#options.history.read(key, from, null, `${what}: none`);
      begun.end("refused");
    } else this.#end(begun, status, condition !== undefined);
    if (status === 200) this.#seen.set(key, etag);
    return status;
  }

  async #delete(key: string): Promise<number> {
    const begun = this.#options.history.write(key, null, "DELETE");
    const { status } = await this.#ask({ method: "DELETE", path: this.#path(key) });
    this.#end(begun, status, false);
    return status;
  }

  async #multipart(key: string, sizes: readonly number[]): Promise<number | string> {
    const path = this.#path(key);
    const created = await this.#ask({ method: "POST", path, query: "uploads=" });
    const id = /<UploadId>([^<]+)</.exec(created.text)?.[1];
    if (id === undefined) return `create ${created.status}`;
    const parts: { readonly etag: string; readonly bytes: Uint8Array }[] = [];
    for (const [i, size] of sizes.entries()) {
      const bytes = this.#bytes(size);
      const query = `partNumber=${i + 1}&uploadId=${id}`;
      const { status } = await this.#ask({ method: "PUT", path, query, body: bytes });
      if (status !== 200) return `part ${status}`;
      parts.push({ etag: createHash("md5").update(bytes).digest("hex"), bytes });
    }
    const etag = multipartETag(parts.map((part) => part.etag));
    this.#written.set(etag, Buffer.concat(parts.map(({ bytes }) => bytes)));
    const begun = this.#options.history.write(key, etag, `Complete ${etag}`);
    const { status, text } = await this.#ask({
      method: "POST",
      path,
      query: `uploadId=${id}`,
      body: `<CompleteMultipartUpload>${
        parts.map(({ etag }, i) =>
          `<Part><PartNumber>${i + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`
        ).join("")
      }</CompleteMultipartUpload>`,
    });
    // Complete sends 200 before the outcome is known: the body may hold an error, and a cut body tells nothing.
    const done = status === 200 && text.includes("</CompleteMultipartUploadResult>");
    this.#end(begun, done ? 200 : 503, false);
    if (done) this.#seen.set(key, etag);
    return done ? 200 : /<Code>(\w+)</.exec(text)?.[1] ?? "broken";
  }

  #end(begun: Begun, status: number, conditional: boolean): void {
    if (status >= 200 && status < 300) begun.end("done");
    else if (status === 412 && conditional) begun.end("refused");
    else {
      begun.end("unknown");
      // 409 means overtaken, so the value may have existed; 500 and above and 0 tell nothing.
      if (status !== 409 && status > 0 && status < 500) {
        this.wrong.push(`The response to a write was ${status}`);
      }
    }
  }

  async #get(
    key: string,
    range?: readonly [start: number, end: number],
    gateway?: GatewayProcess,
  ): Promise<number> {
    const { history } = this.#options;
    const from = performance.now();
    const headers = range === undefined ? {} : { range: `bytes=${range[0]}-${range[1]}` };
    const { status, bytes, etag, broken } = await this.#ask(
      { path: this.#path(key), headers },
      gateway,
    );
    const what = `GET ${range === undefined ? "" : `bytes ${range} `}`;
    if (status === 404) history.read(key, from, null, `${what}none`);
    if (status !== 200 && status !== 206) {
      if (status === 500) this.wrong.push(`GET ${key} was answered 500`);
      return status;
    }
    history.read(key, from, etag, `${what}${etag}`);
    this.#seen.set(key, etag);
    const written = this.#written.get(etag);
    if (written === undefined) {
      this.wrong.push(`GET ${key} has the ETag ${etag}, which no client wrote`);
      return status;
    }
    const expected = range === undefined ? written : written.subarray(range[0], range[1] + 1);
    const same = broken
      ? Buffer.compare(expected.subarray(0, bytes.length), bytes) === 0
      : Buffer.compare(expected, bytes) === 0;
    if (!same) {
      this.wrong.push(
        `${what}of ${key} has ${bytes.length} bytes that are not the ${expected.length} of ${etag}`,
      );
    }
    return broken ? 0 : status;
  }

  #range(): readonly [start: number, end: number] {
    const { random } = this.#options;
    const start = random(4) === 0 ? random(700_000) : random(8);
    return [start, start + random(400_000)];
  }

  async #head(key: string): Promise<number> {
    const from = performance.now();
    const { status, etag } = await this.#ask({ method: "HEAD", path: this.#path(key) });
    if (status === 200 || status === 404) {
      this.#options.history.read(key, from, status === 404 ? null : etag, `HEAD ${etag}`);
    }
    return status;
  }

  async #list(keys: readonly string[], gateway?: GatewayProcess): Promise<number> {
    const { bucket, history } = this.#options;
    const prefix = keys[0]?.replace(/[^/]*$/, "") ?? "";
    const query = `list-type=2&prefix=${encodeURIComponent(prefix)}`;
    const from = performance.now();
    const { status, text } = await this.#ask({ path: `/${bucket}`, query }, gateway);
    if (status !== 200 || !text.includes("</ListBucketResult>")) return status === 200 ? 0 : status;
    const listed = new Map<string, string>();
    for (const [, content = ""] of text.matchAll(/<Contents>([^]*?)<\/Contents>/g)) {
      const key = /<Key>([^<]+)</.exec(content)?.[1] ?? "";
      listed.set(key, /<ETag>(?:"|&quot;)?([0-9a-f-]+)/.exec(content)?.[1] ?? "");
    }
    for (const key of keys) {
      history.read(key, from, listed.get(key) ?? null, `LIST ${listed.get(key)}`);
    }
    return status;
  }

  #path(key: string): string {
    return `/${this.#options.bucket}/${key}`;
  }

  /** Sends a request; status 0 means no response. */
  async #ask(
    asked: Parameters<typeof ask>[1] & { readonly query?: string },
    chosen?: GatewayProcess,
  ): Promise<
    {
      readonly status: number;
      readonly etag: string;
      readonly bytes: Uint8Array;
      readonly text: string;
      readonly broken: boolean;
    }
  > {
    const gateways = this.#options.gateways();
    const gateway = chosen ?? gateways[this.#options.random(gateways.length)];
    const nothing = { status: 0, etag: "", bytes: new Uint8Array(), text: "", broken: true };
    if (gateway === undefined) return nothing;
    let response: Response;
    try {
      response = await ask(gateway, { ...asked, signal: AbortSignal.timeout(CLIENT_TIMEOUT) });
    } catch {
      return nothing;
    }
    const etag = (response.headers.get("etag") ?? "").replaceAll('"', "");
    const chunks: Uint8Array[] = [];
    let broken = false;
    try {
      for await (const chunk of response.body ?? []) chunks.push(chunk);
    } catch {
      broken = true;
    }
    const bytes = Buffer.concat(chunks);
    const text = asked?.path !== undefined && /xml/.test(response.headers.get("content-type") ?? "")
      ? bytes.toString()
      : "";
    return { status: response.status, etag, bytes, text, broken };
  }
}
