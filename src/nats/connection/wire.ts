/**
 * Bytes to and from a NATS server: in the clear at first, encrypted from {@linkcode Wire.encrypt} on. The certificate
 * must bear the name, or the IP address, that the server was called by.
 *
 * Where the authorities that the runtime trusts are to vouch for the server, TLS is the runtime's own. Authorities of
 * one's own and client certificates go by `node:tls`: the runtime adds authorities to its own, where these are to stand
 * in their place, and its `startTls` takes no client certificate (Deno 2.9.6).
 * @module
 */

import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** A connection; one reader and one writer at a time. */
export type Wire = {
  readonly isEncrypted: boolean;
  /** Reads what is there, some bytes at least; null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; how many. They are the caller's again afterwards. */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Begins TLS. What was received before and not read is dropped.
   *
   * @param name Host name or IP address that the server's certificate must bear.
   */
  encrypt(name: string): Promise<void>;
  /** Ends it, and whatever is under way. */
  close(): void;
};

/** PEM texts. */
export type Trust = {
  /** The only authorities to vouch for the server; those that the runtime trusts by default. */
  readonly ca?: string | undefined;
  /** Client certificate and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
};

/** Connects to a server. */
export async function openWire(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  trust: Trust,
): Promise<Wire> {
  if (trust.ca === undefined && trust.cert === undefined) {
    return new RuntimeWire(await Deno.connect({ hostname, port }));
  }
  const socket = connect({ host: hostname, port });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve).once("error", reject);
  });
  return new NodeWire(socket, trust);
}

/** A connection of the runtime's. */
class RuntimeWire implements Wire {
  isEncrypted = false;
  #connection: Deno.TcpConn | Deno.TlsConn;
  #isClosed = false;

  constructor(connection: Deno.TcpConn) {
    connection.setNoDelay(true);
    this.#connection = connection;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#connection.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#connection.write(bytes);
  }

  async encrypt(name: string): Promise<void> {
    const encrypted = await Deno.startTls(this.#connection as Deno.TcpConn, { hostname: name });
    this.#connection = encrypted;
    if (this.#isClosed) encrypted.close();
    await encrypted.handshake();
    this.isEncrypted = true;
  }

  close(): void {
    this.#isClosed = true;
    try {
      this.#connection.close();
    } catch {
      // It is closed already, or becomes an encrypted one. That one closes after its handshake only (Deno 2.9.6).
    }
  }
}

/** A connection of `node:net`, or of `node:tls`. */
class NodeWire implements Wire {
  isEncrypted = false;
  readonly #trust: Trust;
  #socket: Socket;
  #failure: Error | undefined;
  #hasEnded = false;
  /** Settles when there is more to know. */
  #news: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(socket: Socket, trust: Trust) {
    socket.setNoDelay(true);
    this.#trust = trust;
    this.#socket = socket;
    this.#follow(socket);
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const { readableLength } = this.#socket;
      // Zero asks the socket to go on reading.
      const piece = this.#socket.read(Math.min(into.length, readableLength)) as Uint8Array | null;
      if (piece !== null) {
        into.set(piece);
        return piece.length;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#hasEnded) return null;
      await this.#news.promise;
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  async encrypt(name: string): Promise<void> {
    const plain = this.#socket;
    plain.off("readable", this.#tell).off("close", this.#end);
    const { ca, cert, key } = this.#trust;
    const encrypted = connectTls({
      socket: plain,
      host: name,
      // A server's name is told to it, an address is not: RFC 6066, section 3.
      ...(isIP(name) === 0 && { servername: name }),
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    });
    this.#socket = encrypted;
    await new Promise<void>((resolve, reject) => {
      encrypted.once("secureConnect", resolve).once("error", reject)
        .once("close", () => reject(this.#failure ?? new Error("The server hung up within TLS")));
    });
    this.#follow(encrypted);
    this.isEncrypted = true;
  }

  close(): void {
    this.#socket.destroy();
  }

  #follow(socket: Socket): void {
    socket.on("readable", this.#tell).on("close", this.#end)
      .on("error", (error) => {
        this.#failure = error;
        this.#tell();
      });
  }

  /** Errors come before it; the event "end" may come before errors. */
  readonly #end = (): void => {
    this.#hasEnded = true;
    this.#tell();
  };

  readonly #tell = (): void => {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  };
}
