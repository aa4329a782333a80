/**
 * A gateway within the test's process, for tests of clients that stall, disconnect or take nothing.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/nats-core";
import { createGateway, type Gateway } from "../../main.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { parseInvocation } from "../../src/config/command_line.ts";
import { createConfig } from "../../src/config/config.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { RawConnection } from "../clients/raw_http.ts";
import { subjectsOfStream } from "../nats/store_on_server.ts";
import { bytesOf, CREDENTIALS_ENV, signedText, type WireRequest } from "./wire_request.ts";

/** Milliseconds of `--limit.stall`. */
export const STALL = 300;

/** A gateway within this process, and a connection that observes its JetStream requests. */
export class Scene implements AsyncDisposable {
  readonly gateway: Gateway;
  readonly connection: NatsConnection;
  readonly #server: NatsServer;
  readonly #own: NatsConnection;
  readonly #http: Deno.HttpServer<Deno.NetAddr>;

  private constructor(
    server: NatsServer,
    own: NatsConnection,
    other: NatsConnection,
    args: string[],
  ) {
    this.#server = server;
    this.#own = own;
    this.connection = other;
    const invocation = parseInvocation({
      args: ["--limit.stall", `${STALL}ms`, "--trash.grace", "1s", ...args],
      env: CREDENTIALS_ENV,
      readTextFile: Deno.readTextFileSync,
    });
    if (invocation.kind !== "run") {
      throw new TypeError("Cannot configure a gateway with these flags");
    }
    const log = createLog({ format: "text", level: "error" });
    this.gateway = createGateway(createConfig(invocation.values), own, log);
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      this.gateway,
    );
  }

  static async open(...args: string[]): Promise<Scene> {
    const server = await startNatsServer();
    const servers = server.url;
    const scene = new Scene(server, await connect({ servers }), await connect({ servers }), args);
    const { status } = await scene.ask({ method: "PUT", path: "/photos" });
    strictEqual(status, 200);
    return scene;
  }

  get port(): number {
    return this.#http.addr.port;
  }

  async open(): Promise<RawConnection> {
    return await RawConnection.open(this.port);
  }

  /** Returns a signed request as text, so that a test can send a part of it. */
  request(
    { method = "GET", path = "/photos/key", headers = [], ...rest }: Partial<WireRequest>,
  ): string {
    const request = { method, path, headers: [["host", "localhost"], ...headers] as const };
    return signedText({ query: "", body: "", ...request, ...rest });
  }

  async ask(asked: Partial<WireRequest>): Promise<Awaited<ReturnType<RawConnection["receive"]>>> {
    using client = await this.open();
    const length = ["content-length", String(asked.body?.length ?? 0)] as const;
    await client.send(bytesOf(this.request({ ...asked, headers: [length] })));
    return await client.receive(asked.method !== "HEAD");
  }

  async put(size: number): Promise<void> {
    const { status } = await this.ask({ method: "PUT", body: "x".repeat(size) });
    strictEqual(status, 200);
  }

  /** Counts the messages under the subjects of chunks. */
  async chunks(): Promise<number> {
    const subjects = await subjectsOfStream(this.connection, "OBJ_photos");
    return Object.entries(subjects).filter(([subject]) => subject.startsWith("$O.photos.C."))
      .reduce((sum, [, count]) => sum + count, 0);
  }

  /** Starts counting messages on a subject; returns a function that reads the count. */
  count(subject: string): () => number {
    let messages = 0;
    this.connection.subscribe(subject, { callback: () => void messages++ });
    return () => messages;
  }

  /** Waits until no request is in flight. */
  async idle(): Promise<void> {
    await until(() => this.gateway.inFlight.count === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.shutdown();
    await this.gateway[Symbol.asyncDispose]();
    await this.connection.close();
    await this.#own.close();
    await this.#server[Symbol.asyncDispose]();
  }
}

/** Waits until a condition is true. */
export async function until(
  passes: () => boolean | Promise<boolean>,
  timeout = 5000,
): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!await passes()) {
    if (Date.now() > deadline) throw new Error(`The condition never became true: ${passes}`);
    await pause(10);
  }
}

/** Waits for some milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
