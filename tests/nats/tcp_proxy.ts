/**
 * A proxy between a client and nats-server that understands the protocol's frames: it passes each on, drops it, holds it
 * back while others pass, or cuts the connection there.
 * See https://docs.nats.io/reference/reference-protocols/nats-protocol
 * @module
 */

/** A frame of the protocol. */
export type Frame = {
  readonly direction: "to server" | "to client";
  /** `PUB`, `HPUB`, `MSG`, `HMSG`, `PING` … */
  readonly verb: string;
  /** Of a message; "" for other frames. */
  readonly subject: string;
  /** Where it wants its answer; "" for nowhere. */
  readonly reply: string;
  /** Headers and data of a message, as Latin-1. */
  readonly text: string;
};

/** What to do with a frame; a promise holds it back, and others pass meanwhile. */
export type Verdict =
  | "pass"
  | "drop"
  /** Ends the connection in place of it. */
  | "cut"
  /** Passes it on and ends the connection. */
  | "pass and cut"
  | { readonly hold: Promise<unknown> }
  /** Sends another subject in its place. */
  | { readonly subject: string };

type Connection = { readonly client: Deno.TcpConn; readonly server: Deno.TcpConn; held: number };

const MESSAGE = /^(PUB|HPUB|MSG|HMSG)$/;

/** A proxy in front of a nats-server; disposing cuts all connections. */
export class TcpProxy implements AsyncDisposable {
  /** Decides on each frame. */
  judge: (frame: Frame) => Verdict = () => "pass";
  readonly #listener: Deno.TcpListener;
  readonly #serverPort: number;
  readonly #connections = new Set<Connection>();
  readonly #running: Promise<void>[] = [];

  constructor(serverPort: number) {
    this.#serverPort = serverPort;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#running.push(this.#accept());
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Cuts every connection; what is held back is sent all the same in its time. */
  cut(): void {
    for (const connection of this.#connections) this.#end(connection, false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) this.#end(connection, true);
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      let server: Deno.TcpConn;
      try {
        server = await Deno.connect({ hostname: "127.0.0.1", port: this.#serverPort });
      } catch {
        client.close(); // it is down
        continue;
      }
      const connection = { client, server, held: 0 };
      this.#connections.add(connection);
      this.#running.push(
        this.#pump(connection, client, server, "to server"),
        this.#pump(connection, server, client, "to client"),
      );
    }
  }

  async #pump(
    connection: Connection,
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    direction: Frame["direction"],
  ): Promise<void> {
    let writing: Promise<unknown> = Promise.resolve();
    const write = (bytes: Uint8Array): Promise<unknown> => {
      return writing = writing.then(() => writeAll(to, bytes));
    };
    try {
      for await (const { frame, bytes } of frames(from, direction)) {
        const verdict = this.judge(frame);
        if (verdict === "drop") continue;
        if (verdict === "cut") break;
        if (typeof verdict === "object" && "hold" in verdict) {
          connection.held++;
          verdict.hold.then(() => write(bytes)).catch(() => {}).finally(() => {
            // What was held back for a client that has gone is sent before the server hears of its end.
            if (--connection.held === 0 && !this.#connections.has(connection)) close(to);
          });
          continue;
        }
        await write(typeof verdict === "object" ? renamed(bytes, frame, verdict.subject) : bytes);
        if (verdict === "pass and cut") break;
      }
    } catch {
      // The other side has gone.
    }
    this.#end(connection, false);
  }

  #end(connection: Connection, now: boolean): void {
    this.#connections.delete(connection);
    close(connection.client);
    if (now || connection.held === 0) close(connection.server);
  }
}

function close(side: Deno.TcpConn): void {
  try {
    side.close();
  } catch {
    // It is closed.
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await to.write(bytes.subarray(sent));
}

async function* frames(
  from: Deno.TcpConn,
  direction: Frame["direction"],
): AsyncGenerator<{ readonly frame: Frame; readonly bytes: Uint8Array }> {
  let rest = new Uint8Array();
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return;
    const grown = new Uint8Array(rest.length + count);
    grown.set(rest);
    grown.set(buffer.subarray(0, count), rest.length);
    rest = grown;
    for (;;) {
      const end = rest.indexOf(10);
      if (end < 0) break;
      const line = latin1(rest.subarray(0, end - 1));
      const words = line.split(/\s+/);
      const verb = (words[0] ?? "").toUpperCase();
      let length = end + 1;
      const size = Number(words.at(-1));
      if (MESSAGE.test(verb)) length += size + 2;
      if (rest.length < length) break;
      const bytes = rest.slice(0, length);
      rest = rest.slice(length);
      yield { frame: frameOf(direction, verb, words, bytes.subarray(end + 1)), bytes };
    }
  }
}

function frameOf(
  direction: Frame["direction"],
  verb: string,
  words: readonly string[],
  content: Uint8Array,
): Frame {
  if (!MESSAGE.test(verb)) return { direction, verb, subject: "", reply: "", text: "" };
  const sizes = verb.startsWith("H") ? 2 : 1;
  const subjects = words.slice(1, -sizes);
  if (verb.endsWith("MSG")) subjects.splice(1, 1); // subscription id
  const [subject = "", reply = ""] = subjects;
  return { direction, verb, subject, reply, text: latin1(content) };
}

function renamed(bytes: Uint8Array, { subject }: Frame, other: string): Uint8Array {
  const end = bytes.indexOf(10);
  const line = latin1(bytes.subarray(0, end)).replace(subject, () => other);
  const head = Uint8Array.from(line, (char) => char.charCodeAt(0));
  const whole = new Uint8Array(head.length + bytes.length - end);
  whole.set(head);
  whole.set(bytes.subarray(end), head.length);
  return whole;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
