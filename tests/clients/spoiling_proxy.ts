/**
 * A proxy between a client and a gateway that flips a bit in the bytes of one direction.
 *
 * It does not parse HTTP: heads are ASCII, so any other byte belongs to a body. Bodies to be corrupted must consist of
 * such bytes, as {@linkcode beyondAscii} makes them.
 * @module
 */

/** A running proxy; disposing closes all connections. */
export class SpoilingProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>[] = [];

  /** @param spoilt The bodies to corrupt: a bit in each piece that the network delivers. */
  constructor(gatewayPort: number, spoilt: "uploads" | "downloads") {
    this.#running.push(this.#accept(gatewayPort, spoilt));
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of [...this.#connections]) this.#end(connection);
    await Promise.all(this.#running);
  }

  async #accept(port: number, spoilt: "uploads" | "downloads"): Promise<void> {
    for await (const client of this.#listener) {
      const gateway = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#connections.add(client).add(gateway);
      this.#running.push(
        this.#pump(client, gateway, spoilt === "uploads"),
        this.#pump(gateway, client, spoilt === "downloads"),
      );
    }
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn, isSpoilt: boolean): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await from.read(buffer)) !== null;) {
        const piece = buffer.subarray(0, count);
        if (isSpoilt) spoil(piece);
        for (let sent = 0; sent < count;) sent += await to.write(piece.subarray(sent));
      }
    } catch {
      // One side has disconnected.
    }
    this.#end(from);
    this.#end(to);
  }

  #end(connection: Deno.TcpConn): void {
    if (this.#connections.delete(connection)) connection.close();
  }
}

function spoil(piece: Uint8Array): void {
  const at = piece.findIndex((byte) => byte >= 0x80);
  if (at >= 0) piece[at] = (piece[at] ?? 0) ^ 1;
}

/** Returns the bytes with none of them in ASCII. */
export function beyondAscii(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte | 0x80);
}
