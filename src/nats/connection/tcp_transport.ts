/**
 * NATS over TCP and TLS.
 *
 * The library's transport for Node hands a large message to its parser in pieces, which copies them into growing
 * buffers, and leaves sent frames to the garbage collector. Both lie outside the JavaScript heap and hardly move the
 * collector, so memory grows with the traffic. This transport reads each large message into a buffer of its own and
 * releases the memory of a large frame as soon as it is sent.
 *
 * TLS begins if the server requires or offers it, as in the library. An attacker on the way can change what the server
 * says before TLS, so the transport ignores the other servers that it names until it names them again encrypted.
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
import { markSole, release } from "../../streams/release.ts";
import { FrameReader, joinSmall } from "./frames.ts";
import { openWire, type Wire } from "./wire.ts";

/**
 * Connects by TCP or TLS. Of `tls` it reads PEM texts and `handshakeFirst`; if `tls` is undefined, it uses TLS if the
 * server offers it, otherwise it demands TLS.
 *
 * @throws as the library's own connect functions do
 */
export async function connectByTcp(options: ConnectionOptions): Promise<NatsConnection> {
  const shared: Shared = { name: undefined, failure: undefined };
  setTransportFactory({ factory: () => new TcpTransport(shared) });
  try {
    return await NatsConnectionImpl.connect(options);
  } catch (cause) {
    // The library reports only a timeout if a connection breaks before the server has greeted.
    throw cause instanceof TimeoutError ? shared.failure ?? cause : cause;
  }
}

/** State that the transports of one connection share, which follow one another. */
type Shared = {
  /** Host name of the last server that was reached by name. */
  name: string | undefined;
  /** The reason why the last transport broke. */
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
  readonly #frames = new FrameReader(
    (into) => this.#read(into),
    (cause) => void (this.closeError = cause),
  );
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
    if (this.#done) { // the library gave up meanwhile
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
      const believed = { ...info, connect_urls: [] };
      this.#frames.replace(new TextEncoder().encode(`INFO ${JSON.stringify(believed)}\r\n`));
    }
    if (isIP(server.hostname) === 0) this.#shared.name = server.hostname;
    this.#connected = true;
  }

  /** Returns the name that a server's certificate must have. Servers name each other by address; one name may serve all. */
  #nameOf({ hostname, gossiped }: Server): string {
    return gossiped && isIP(hostname) !== 0 ? this.#shared.name ?? hostname : hostname;
  }

  /** Reads the server's greeting, which stays to be read again. */
  async #readInfo(): Promise<ServerInfo> {
    let line = "";
    while (line === "") {
      if (!await this.#frames.fill()) throw this.closeError ?? this.#hungUp();
      line = extractProtocolMessage(this.#frames.received);
    }
    const info = INFO.exec(line)?.[1];
    if (info === undefined) throw new Error("The server does not speak NATS");
    return JSON.parse(info);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    try {
      do {
        const { small, large } = this.#frames.next();
        if (small !== undefined) yield small;
        if (large === undefined) continue;
        const frame = await this.#frames.readLarge(large);
        if (frame === undefined) break;
        markSole(frame.buffer);
        yield frame;
      } while (await this.#frames.fill());
    } finally {
      this.#finish();
    }
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

  /** Returns the error for a server that hung up, which it may do to refuse a client certificate. */
  #hungUp(): Error {
    return new Error(
      this.isEncrypted()
        ? "The server hung up after TLS had begun"
        : this.#frames.received.length === 0
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
    // The frames that other requests send in this turn of the event loop go out in the same write.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#outgoing.length > 0) {
        const frames = this.#outgoing;
        this.#outgoing = [];
        for (const frame of joinSmall(frames)) {
          for (let sent = 0; sent < frame.length;) {
            sent += await this.#wire?.write(frame.subarray(sent)) ?? Infinity;
          }
          // The library made the frame for this call and does not keep it.
          release(frame);
        }
      }
    } catch {
      // Reading fails as well, and reports it.
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

  /** Closes the connection without telling anyone. */
  discard(): void {
    this.#done = true;
    this.#hangUp();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#hangUp();
    // The library already knows about a failed attempt.
    if (this.#connected) this.#closed.resolve(this.closeError);
  }

  #hangUp(): void {
    this.#wire?.close();
  }
}
