/**
 * A span collector that records every byte it receives, and accepts spans, refuses them or hangs.
 * @module
 */

import { Buffer } from "node:buffer";

/** A received span, with the fields that tests check. */
export type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly status?: { readonly code: number };
};

/** The collector's behaviour: it responds with a status, hangs, or sends headers and a body that never ends. */
export type Manner = number | "hangs" | "drips";

/** A collector on its own port. It uses plain TCP, so that tests see all bytes. */
export class OtlpCollector implements AsyncDisposable {
  /** The current behaviour; tests may change it. */
  manner: Manner = 200;
  /** Number of complete requests. */
  requests = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #received: Uint8Array[] = [];
  readonly #bodies: string[] = [];
  readonly #running: Promise<void>[] = [];
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor() {
    this.#running.push(this.#accept());
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** All bytes of all connections, as Latin-1. */
  get bytes(): string {
    return Buffer.concat(this.#received).toString("latin1");
  }

  /** All spans of complete requests. */
  get spans(): readonly ReceivedSpan[] {
    return this.#bodies.flatMap(spansOf);
  }

  /** Waits until so many complete requests have arrived. */
  async received(requests: number): Promise<void> {
    while (this.requests < requests) await this.#changed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        this.#connections.add(connection);
        this.#running.push(this.#serve(connection).catch(() => {}));
      }
    } catch {
      // The listener was closed.
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    let pending = Buffer.alloc(0);
    const scratch = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await connection.read(scratch);
      if (count === null) break;
      this.#received.push(scratch.slice(0, count));
      pending = Buffer.concat([pending, scratch.subarray(0, count)]);
      const head = pending.indexOf("\r\n\r\n");
      const length = /content-length: (\d+)/i.exec(pending.toString("latin1", 0, head))?.[1];
      const end = head + 4 + Number(length);
      if (head < 0 || pending.length < end) continue;
      this.#bodies.push(pending.toString("utf8", head + 4, end));
      pending = pending.subarray(end);
      this.requests++;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
      await this.#answer(connection);
    }
    if (this.#connections.delete(connection)) connection.close();
  }

  async #answer(connection: Deno.TcpConn): Promise<void> {
    const { manner } = this;
    if (manner === "hangs") return;
    const [status, length, body] = manner === "drips" ? [200, 1_000_000, " "] : [manner, 2, "{}"];
    const head = `HTTP/1.1 ${status} Status\r\ncontent-type: application/json\r\n`;
    await connection.write(Buffer.from(`${head}content-length: ${length}\r\n\r\n${body}`));
  }
}

type Value = { readonly stringValue?: string; readonly intValue?: string };
type Wire = Omit<ReceivedSpan, "attributes"> & {
  readonly attributes: readonly { readonly key: string; readonly value: Value }[];
};

function spansOf(body: string): ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(body) as {
    readonly resourceSpans: readonly {
      readonly scopeSpans: readonly { readonly spans: readonly Wire[] }[];
    }[];
  };
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    .map(({ attributes, ...span }) => ({
      ...span,
      attributes: Object.fromEntries(attributes.map(({ key, value }) => {
        return [key, value.stringValue ?? value.intValue ?? ""];
      })),
    }));
}
