/**
 * NATS over TCP and TLS.
 *
 * The library's transport for Node hands a large message to its parser in pieces, which copies them into buffers that
 * grow, and leaves the frames of what was sent to the garbage collector. Both are outside the JavaScript heap and hardly
 * move the collector, so memory grows by what passes through. This one reads each large message into a buffer of its
 * own, and gives the memory of a large frame back as soon as it was sent.
 *
 * TLS begins where the server wants or offers it, as in the library. What the server says before, anybody on the way
 * can change, so of the other servers it names none is believed until it says so again encrypted.
 * @module
 */

import { isIP } from "node:net";
import { setImmediate } from "node:timers";
import {
  type ConnectionOptions,
  type NatsConnection,
  type Server,
  type ServerInfo,
  TimeoutError,
} from "@nats-io/nats-core";
import {
  checkOptions,
  extractProtocolMessage,
  INFO,
  NatsConnectionImpl,
  setTransportFactory,
  type Transport,
} from "@nats-io/nats-core/internal";
import { markSole, release, WORTH_RELEASING } from "../../streams/release.ts";
import { openWire, type Wire } from "./wire.ts";

/**
 * Connects by TCP, or TLS. Of `tls` PEM texts count, and `handshakeFirst`; undefined takes TLS where the server offers
 * it, anything else demands it.
 *
 * @throws As the library's own connect functions
 */
export async function connectByTcp(options: ConnectionOptions): Promise<NatsConnection> {
  const shared: Shared = { name: undefined, failure: undefined };
  setTransportFactory({ factory: () => new TcpTransport(shared) });
  try {
    return await NatsConnectionImpl.connect(options);
  } catch (cause) {
    // Of a connection that breaks before it was greeted the library says only that it timed out.
    throw cause instanceof TimeoutError ? shared.failure ?? cause : cause;
  }
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

/** What the transports of one connection, which come one after the other, know of each other. */
type Shared = {
  /** Host name of the server that was last reached by one. */
  name: string | undefined;
  /** Why the last one broke. */
  failure: Error | undefined;
};

class TcpTransport implements Transport {
  readonly lang = "deno";
  readonly version = "1";
  closeError?: Error;
  readonly #shared: Shared;
  #wire: Wire | undefined;
  #connected = false;
  #done = false;
  readonly #closed = Promise.withResolvers<void | Error>();
  /** Bytes received and not yet handed on: `#scratch` from `#start` to `#end`. */
  #scratch = new Uint8Array(SCRATCH);
  #start = 0;
  #end = 0;
  #outgoing: Uint8Array[] = [];
  #writing: Promise<void> | undefined;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  get isClosed(): boolean {
    return this.#done;
  }

  isEncrypted(): boolean {
    return this.#wire?.isEncrypted === true;
  }

  async connect(server: Server, options: ConnectionOptions): Promise<void> {
    const tls = options.tls ?? {};
    const wire = await openWire(server, tls);
    if (this.#done) { // given up meanwhile
      wire.close();
      return;
    }
    this.#wire = wire;
    const name = this.#nameOf(server);
    if (tls.handshakeFirst === true) await wire.encrypt(name);
    const info = await this.#readInfo();
    checkOptions(info, options);
    if (!wire.isEncrypted && (info.tls_required === true || info.tls_available === true)) {
      if (info.tls_verify === true && tls.cert === undefined) {
        throw new Error("The server demands a client certificate");
      }
      await wire.encrypt(name);
      this.#keepInfo({ ...info, connect_urls: [] });
    }
    if (isIP(server.hostname) === 0) this.#shared.name = server.hostname;
    this.#connected = true;
  }

  /** What a server's certificate must bear. Servers name each other by address, though one name may stand for all. */
  #nameOf({ hostname, gossiped }: Server): string {
    return gossiped && isIP(hostname) !== 0 ? this.#shared.name ?? hostname : hostname;
  }

  /** What the server says first; it stays to be read again. */
  async #readInfo(): Promise<ServerInfo> {
    let line = "";
    while (line === "") {
      if (!await this.#fill()) throw this.closeError ?? this.#hungUp();
      line = extractProtocolMessage(this.#scratch.subarray(0, this.#end));
    }
    const info = INFO.exec(line)?.[1];
    if (info === undefined) throw new Error("The server does not speak NATS");
    return JSON.parse(info);
  }

  /** Puts this in the place of all that was received. */
  #keepInfo(info: ServerInfo): void {
    const line = new TextEncoder().encode(`INFO ${JSON.stringify(info)}\r\n`);
    this.#scratch.set(line);
    this.#end = line.length;
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
      const count = await this.#wire?.read(into) ?? undefined;
      if (count === undefined && !this.#done) this.#shared.failure = this.#hungUp();
      return count;
    } catch (cause) {
      if (!this.#done) this.#shared.failure = this.closeError = cause as Error;
      return undefined;
    }
  }

  /** A server that refuses a client certificate may get no further than to hang up. */
  #hungUp(): Error {
    return new Error(
      this.isEncrypted()
        ? "The server hung up after TLS had begun"
        : this.#end === 0
        ? "The server hung up before it said anything"
        : "The server hung up",
    );
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
            sent += await this.#wire?.write(frame.subarray(sent)) ?? Infinity;
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
    this.#wire?.close();
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
