/**
 * HTTP/1.1 on a bare socket, for requests that `fetch` refuses to send.
 * @module
 */

/** Milliseconds until a connection is closed: a test must fail rather than wait forever. */
const CONNECTION_TIMEOUT = 120_000;

/** A response, read completely. */
export type RawResponse = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

/** A connection that sends its input unchanged. */
export class RawConnection implements Disposable {
  readonly #socket: Deno.TcpConn;
  #buffer: Uint8Array = new Uint8Array();
  #closed = false;

  private constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<RawConnection> {
    return new RawConnection(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  readonly #watchdog = setTimeout(() => this[Symbol.dispose](), CONNECTION_TIMEOUT);

  /** Sends all pieces; text is encoded as UTF-8. */
  async send(...pieces: readonly (string | Uint8Array)[]): Promise<void> {
    for (const piece of pieces) {
      const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
      for (let sent = 0; sent < bytes.length;) {
        sent += await this.#socket.write(bytes.subarray(sent));
      }
    }
  }

  /** Closes our half of the connection with a FIN. */
  async end(): Promise<void> {
    await this.#socket.closeWrite();
  }

  /**
   * Reads one response, `100 Continue` included; the bytes after it stay for the next call.
   *
   * @param withBody False after HEAD.
   * @throws Error when the connection ends before the response does
   */
  async receive(withBody = true): Promise<RawResponse> {
    const head = await this.#readUntil("\r\n\r\n");
    const [first = "", ...lines] = head.split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]);
    const headers = new Headers();
    for (const line of lines.filter((line) => line !== "")) {
      const colon = line.indexOf(":");
      headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    const hasBody = withBody && status >= 200 && status !== 204 && status !== 304;
    return { status, headers, text: hasBody ? await this.#readBody(headers) : "" };
  }

  /** Reads at least so many bytes and discards them. */
  async skip(size: number): Promise<void> {
    for (let left = size; left > 0;) {
      if (this.#buffer.length === 0) await this.#fill();
      left -= this.#buffer.length;
      this.#buffer = new Uint8Array();
    }
  }

  /** Reads until the other side closes; returns the number of bytes. */
  async drain(): Promise<number> {
    let size = this.#buffer.length;
    const chunk = new Uint8Array(64 * 1024);
    try {
      for (let read; (read = await this.#socket.read(chunk)) !== null;) size += read;
    } catch (cause) {
      if (!(cause instanceof Deno.errors.ConnectionReset)) throw cause;
    }
    return size;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#watchdog);
    if (!this.#closed) this.#socket.close();
    this.#closed = true;
  }

  async #readBody(headers: Headers): Promise<string> {
    if (headers.get("transfer-encoding") !== "chunked") {
      return await this.#readBytes(Number(headers.get("content-length") ?? 0));
    }
    let text = "";
    for (;;) {
      const size = Number.parseInt(await this.#readUntil("\r\n"), 16);
      text += await this.#readBytes(size);
      await this.#readBytes(2);
      if (size === 0) return text;
    }
  }

  async #readUntil(end: string): Promise<string> {
    for (;;) {
      const text = new TextDecoder("latin1").decode(this.#buffer);
      const at = text.indexOf(end);
      if (at >= 0) {
        this.#buffer = this.#buffer.subarray(at + end.length);
        return text.slice(0, at);
      }
      await this.#fill();
    }
  }

  async #readBytes(size: number): Promise<string> {
    while (this.#buffer.length < size) await this.#fill();
    const bytes = this.#buffer.slice(0, size);
    this.#buffer = this.#buffer.subarray(size);
    return new TextDecoder().decode(bytes);
  }

  async #fill(): Promise<void> {
    const chunk = new Uint8Array(64 * 1024);
    const read = await this.#socket.read(chunk);
    if (read === null) throw new Error("The connection ended before the response did");
    const joined = new Uint8Array(this.#buffer.length + read);
    joined.set(this.#buffer);
    joined.set(chunk.subarray(0, read), this.#buffer.length);
    this.#buffer = joined;
  }
}
