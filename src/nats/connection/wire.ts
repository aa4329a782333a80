/**
 * Bytes to and from a NATS server: in the clear at first, encrypted after {@linkcode Wire.encrypt}. The server's
 * certificate must be for the host name or the IP address of the URL.
 *
 * The runtime's own TLS is used if the runtime's authorities suffice. Custom authorities and client certificates use
 * `node:tls`, because the runtime adds custom authorities to its own instead of replacing them, and its `startTls` does
 * not accept a client certificate (Deno 2.9.6).
 * @module
 */

import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** A connection, for one reader and one writer at a time. */
export type Wire = {
  readonly isEncrypted: boolean;
  /** Reads at least one byte; returns the number of bytes, or null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes and returns their number. Afterwards, they belong to the caller again. */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Begins TLS and drops the bytes received before that no one has read.
   *
   * @param name Host name or IP address that the server's certificate must be for.
   */
  encrypt(name: string): Promise<void>;
  /** Closes the connection and ends all reads and writes. */
  close(): void;
};

/** Authorities and client certificate, as PEM texts. */
export type Trust = {
  /** The only authorities to trust; the runtime's by default. */
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

/** A connection of the runtime. */
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
      // It is closed already, or is becoming an encrypted one, which closes only after its handshake (Deno 2.9.6).
    }
  }
}

/** A connection of `node:net` or `node:tls`. */
class NodeWire implements Wire {
  isEncrypted = false;
  readonly #trust: Trust;
  #socket: Socket;
  #failure: Error | undefined;
  #hasEnded = false;
  /** Settles when there are bytes, an error or the end. */
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
      // Reading zero bytes makes the socket go on reading.
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
      // TLS tells the server its name but not its address: RFC 6066, section 3.
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

  /** Handles "close", which comes after errors; the event "end" may come before them. */
  readonly #end = (): void => {
    this.#hasEnded = true;
    this.#tell();
  };

  readonly #tell = (): void => {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  };
}
