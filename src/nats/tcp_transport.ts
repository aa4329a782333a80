/**
 * NATS over the runtime's own TCP.
 *
 * The library's transport for Node hands a large message to its parser in pieces, which copies them into buffers that
 * grow, and leaves the frames of what was sent to the garbage collector. Both are outside the JavaScript heap and hardly
 * move the collector, so memory grows by what passes through. This one reads each large message into a buffer of its
 * own, and gives the memory of a large frame back as soon as it was sent.
 *
 * Plain TCP only: where the server wants or offers TLS, connecting throws {@linkcode TlsOffered}.
 * @module
 */

import { setImmediate } from "node:timers";
import type { ConnectionOptions, NatsConnection, Server, ServerInfo } from "@nats-io/nats-core";
import {
  checkOptions,
  extractProtocolMessage,
  INFO,
  NatsConnectionImpl,
  setTransportFactory,
  type Transport,
} from "@nats-io/nats-core/internal";
import { markSole, release, WORTH_RELEASING } from "../streams/release.ts";

/** The server wants or offers TLS, which this transport has not. */
export class TlsOffered extends Error {
  override readonly name = "TlsOffered";
}

/**
 * Connects by plain TCP.
 *
 * @throws TlsOffered; otherwise as the library's own connect functions
 */
export function connectByPlainTcp(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new TcpTransport() });
  return NatsConnectionImpl.connect(options);
}

/** Size at first of what small messages are read into; it holds at least one whole protocol line. */
const SCRATCH = 64 * 1024;
/** Longest protocol line: the server's INFO names every server of a cluster. */
const MAX_LINE = 1024 * 1024;
/** From this size on a frame is worth a buffer of its own. */
const LARGE = WORTH_RELEASING;

const LF = 10;
const ZERO = 48;
const NINE = 57;
const H = 72;
const M = 77;

class TcpTransport implements Transport {
  readonly lang = "deno";
  readonly version = "1";
  closeError?: Error;
  #connection: Deno.TcpConn | undefined;
  #connected = false;
  #done = false;
  readonly #closed = Promise.withResolvers<void | Error>();
  /** Bytes received and not yet handed on: `#scratch` from `#start` to `#end`. */
  #scratch = new Uint8Array(SCRATCH);
  #start = 0;
  #end = 0;
  #outgoing: Uint8Array[] = [];
  #writing: Promise<void> | undefined;

  get isClosed(): boolean {
    return this.#done;
  }

  isEncrypted(): boolean {
    return false;
  }

  async connect({ hostname, port }: Server, options: ConnectionOptions): Promise<void> {
    const connection = await Deno.connect({ hostname, port });
    if (this.#done) { // given up meanwhile
      connection.close();
      return;
    }
    this.#connection = connection;
    connection.setNoDelay(true);
    let line = "";
    while (line === "") {
      if (!await this.#fill()) throw this.closeError ?? new Error("The server hung up");
      line = extractProtocolMessage(this.#scratch.subarray(0, this.#end));
    }
    const info = INFO.exec(line)?.[1];
    if (info === undefined) throw new Error("The server does not speak NATS");
    const parsed = JSON.parse(info) as ServerInfo & { tls_available?: boolean };
    checkOptions(parsed, options);
    if (parsed.tls_required === true || parsed.tls_available === true) {
      throw new TlsOffered("The NATS server offers TLS");
    }
    this.#connected = true;
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    try {
      do {
        const { whole, large } = this.#scan();
        if (whole > this.#start) {
          // A copy: messages are views of it, and live on.
          yield this.#scratch.slice(this.#start, whole);
          this.#start = whole;
        }
        if (large === undefined) continue;
        const frame = await this.#readLarge(large);
        if (frame === undefined) break;
        markSole(frame.buffer);
        yield frame;
      } while (await this.#fill());
    } finally {
      this.#finish();
    }
  }

  /** Where the whole frames end, and the size of a large one that has only begun there. */
  #scan(): { readonly whole: number; readonly large: number | undefined } {
    let whole = this.#start;
    while (whole < this.#end) {
      const feed = this.#scratch.indexOf(LF, whole);
      if (feed < 0 || feed >= this.#end) break;
      const size = feed + 1 - whole + payloadSize(this.#scratch, whole, feed);
      if (whole + size > this.#end) return { whole, large: size >= LARGE ? size : undefined };
      whole += size;
    }
    return { whole, large: undefined };
  }

  async #readLarge(size: number): Promise<Uint8Array | undefined> {
    const frame = new Uint8Array(size);
    frame.set(this.#scratch.subarray(this.#start, this.#end));
    let filled = this.#end - this.#start;
    this.#start = this.#end = 0;
    while (filled < size) {
      const count = await this.#read(frame.subarray(filled));
      if (count === undefined) return undefined;
      filled += count;
    }
    return frame;
  }

  /** Reads more into the scratch buffer; false at the end. */
  async #fill(): Promise<boolean> {
    if (this.#start > 0) {
      this.#scratch.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === this.#scratch.length) {
      if (this.#end >= MAX_LINE) {
        this.closeError = new Error("The server sent a protocol line without end");
        return false;
      }
      const larger = new Uint8Array(this.#end * 2);
      larger.set(this.#scratch);
      this.#scratch = larger;
    }
    const count = await this.#read(this.#scratch.subarray(this.#end));
    this.#end += count ?? 0;
    return count !== undefined;
  }

  async #read(into: Uint8Array): Promise<number | undefined> {
    try {
      return await this.#connection?.read(into) ?? undefined;
    } catch (cause) {
      if (!this.#done) this.closeError = cause as Error;
      return undefined;
    }
  }

  send(frame: Uint8Array): void {
    if (this.#done || frame.length === 0) return;
    this.#outgoing.push(frame);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    // What other requests send in this turn of the event loop goes out in the same write.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#outgoing.length > 0) {
        const frames = this.#outgoing;
        this.#outgoing = [];
        for (const frame of joinSmall(frames)) {
          for (let sent = 0; sent < frame.length;) {
            sent += await this.#connection?.write(frame.subarray(sent)) ?? Infinity;
          }
          // The library made it for us of what it was given, and keeps no hold of it.
          release(frame);
        }
      }
    } catch {
      // Reading finds out as well, and tells.
    }
    this.#writing = undefined;
  }

  async close(error?: Error): Promise<void> {
    if (this.#done) return;
    if (error === undefined) await this.#writing;
    else this.closeError = error;
    this.#finish();
  }

  disconnect(): void {
    this.#finish();
  }

  closed(): Promise<void | Error> {
    return this.#closed.promise;
  }

  /** Ends a connection that nobody is to hear of any more. */
  discard(): void {
    this.#done = true;
    this.#hangUp();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#hangUp();
    // Of an attempt that failed the library knows already.
    if (this.#connected) this.#closed.resolve(this.closeError);
  }

  #hangUp(): void {
    try {
      this.#connection?.close();
    } catch {
      // It is closed already.
    }
  }
}

/** Bytes of payload after a line, with the line feed that ends it: `MSG … 12` and `HMSG … 6 12` have one. */
function payloadSize(bytes: Uint8Array, from: number, feed: number): number {
  const first = bytes[from];
  if (first !== M && first !== H) return 0;
  let size = 0;
  let scale = 1;
  for (let at = feed - 2; at > from; at--) { // before the carriage return
    const digit = bytes[at] ?? 0;
    if (digit < ZERO || digit > NINE) break;
    size += (digit - ZERO) * scale;
    scale *= 10;
  }
  return size + 2;
}

/** Small frames that wait together go out together. */
function joinSmall(frames: readonly Uint8Array[]): readonly Uint8Array[] {
  if (frames.length === 1) return frames;
  const joined: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    const [only] = small;
    if (only !== undefined) joined.push(small.length === 1 ? only : concat(small));
    small = [];
  };
  for (const frame of frames) {
    if (frame.length < LARGE) {
      small.push(frame);
    } else {
      flush();
      joined.push(frame);
    }
  }
  flush();
  return joined;
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
