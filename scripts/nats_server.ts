/**
 * Starts nats-servers with JetStream on 127.0.0.1: one, or a cluster, for development and for tests.
 *
 * A server keeps its port and its data when it is killed and started again. Its port is below the range of outgoing
 * connections, because a client that reconnects to a free port in that range may connect to itself.
 * @module
 */

import { connect } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { findNatsServer } from "./find_nats_server.ts";

export { findNatsServer } from "./find_nats_server.ts";

const LOWEST_PORT = 15_000;
const HIGHEST_PORT = 30_000;
const START_TIMEOUT = 120_000;
const STOP_TIMEOUT = 10_000;

/** Options of {@linkcode startNatsServer}. */
export type NatsServerOptions = {
  /** Folder of JetStream's data; a temporary one by default. */
  readonly storeDir?: string;
  /** A free port by default. */
  readonly port?: number;
  /** Lines of configuration: accounts, users, TLS, websocket, limits. */
  readonly config?: string;
  /** Lines within the `jetstream` block, such as `max_file_store: 64MB`. */
  readonly jetstream?: string;
  /** Whether a Ctrl-C in the terminal does not reach the server. The caller must stop it. */
  readonly detached?: boolean;
};

type Files = { readonly folder: string; readonly storeDir: string; readonly log: string };

/** A running nats-server. Disposing stops it and removes its temporary folders. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly storeDir: string;
  readonly #binary: string;
  readonly #options: NatsServerOptions;
  readonly #files: Files;
  #child: Deno.ChildProcess | undefined;
  #config: string;
  /** Folder in which the server says that it accepts connections. */
  #ports = "";

  /** Use {@linkcode startNatsServer}. */
  constructor(binary: string, port: number, files: Files, options: NatsServerOptions) {
    this.port = port;
    this.storeDir = files.storeDir;
    this.#binary = binary;
    this.#files = files;
    this.#options = options;
    this.#config = options.config ?? "";
  }

  /** `nats://127.0.0.1:<port>`. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Process id; 0 while the server is stopped. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Returns the log so far. */
  async readLog(): Promise<string> {
    return await Deno.readTextFile(this.#files.log).catch(() => "");
  }

  /**
   * Starts the server again, on the same port with the same data.
   *
   * @param newConfig Replaces the lines of {@linkcode NatsServerOptions.config}.
   * @throws Error with the end of the log if the server does not start
   */
  async start(newConfig?: string): Promise<void> {
    if (this.#child !== undefined) {
      throw new TypeError("Cannot start nats-server: it is already running");
    }
    this.#config = newConfig ?? this.#config;
    const { folder } = this.#files;
    const ports = await Deno.makeTempDir({ dir: folder, prefix: "ports-" });
    this.#ports = ports;
    const config = await this.#writeConfig();
    const logged = (await this.readLog()).length;
    const child = new Deno.Command(this.#binary, {
      args: ["-c", config],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: this.#options.detached ?? false,
    }).spawn();
    running.add(child);
    let exited = false;
    child.status.then(() => {
      exited = true;
      running.delete(child);
    });

    const deadline = Date.now() + START_TIMEOUT;
    // The server writes this file when it accepts connections.
    while ((await Array.fromAsync(Deno.readDir(ports))).length === 0) {
      if (exited || Date.now() > deadline) {
        if (!exited) child.kill("SIGKILL");
        await child.status;
        const text = (await this.readLog()).slice(logged) ||
          await checkConfig(this.#binary, config);
        throw new Error(`Cannot start nats-server on port ${this.port}: ${text.slice(-2000)}`);
      }
      await delay(10);
    }
    this.#child = child;
  }

  /**
   * Replaces the lines of {@linkcode NatsServerOptions.config} while the server runs.
   *
   * @throws Error if the server does not accept them
   */
  async reload(config: string): Promise<void> {
    this.#config = config;
    await this.#writeConfig();
    const logged = (await this.readLog()).length;
    await this.kill("SIGHUP");
    const deadline = Date.now() + START_TIMEOUT;
    while (!/Reloaded server configuration/.test((await this.readLog()).slice(logged))) {
      if (Date.now() > deadline) throw new Error("nats-server did not reload its configuration");
      await delay(10);
    }
  }

  async #writeConfig(): Promise<string> {
    const { folder, log, storeDir } = this.#files;
    const config = `${folder}/server.conf`;
    await Deno.writeTextFile(
      config,
      [
        `listen: "127.0.0.1:${this.port}"`,
        `ports_file_dir: ${JSON.stringify(this.#ports)}`,
        `log_file: ${JSON.stringify(log)}`,
        `jetstream {\n  store_dir: ${JSON.stringify(storeDir)}`,
        `  ${this.#options.jetstream ?? ""}\n}`,
        this.#config,
      ].join("\n"),
    );
    return config;
  }

  /** Sends a signal. Waits for the end of the process, except after SIGSTOP, SIGCONT and SIGHUP. */
  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill(signal);
    if (["SIGSTOP", "SIGCONT", "SIGHUP"].includes(signal)) return;
    this.#child = undefined;
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT);
    await child.status;
    clearTimeout(timer);
  }

  /** Stops the server, cleanly by default, and starts it again. */
  async restart(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    await this.kill(signal);
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGTERM");
    await Deno.remove(this.#files.folder, { recursive: true });
  }
}

/** Servers that must not outlive this process. */
const running = new Set<Deno.ChildProcess>();

globalThis.addEventListener("unload", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts a nats-server with JetStream and resolves when it accepts connections.
 *
 * @throws Error with the end of the log if the server does not start
 *
 * @example Usage
 * ```ts
 * import { startNatsServer } from "./nats_server.ts";
 *
 * await using server = await startNatsServer({ jetstream: "max_file_store: 64MB" });
 * await server.kill("SIGKILL");
 * await server.start(); // the same port, the same data
 * ```
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const { path } = await findNatsServer();
  const folder = await Deno.makeTempDir({ prefix: "nats-server-" });
  const storeDir = options.storeDir ?? `${folder}/data`;
  const files = { folder, storeDir, log: `${folder}/server.log` };
  for (let attempt = 1;; attempt++) {
    const port = options.port ?? freePort();
    const server = new NatsServer(path, port, files, options);
    try {
      await server.start();
      return server;
    } catch (cause) {
      const isTaken = String(cause).includes("address already in use");
      if (isTaken && options.port === undefined && attempt < 10) continue;
      await Deno.remove(folder, { recursive: true });
      throw cause;
    }
  }
}

/** Options of {@linkcode startCluster}. */
export type ClusterOptions = Pick<NatsServerOptions, "config" | "jetstream"> & {
  /** The `server_tags` of each server. */
  readonly tags?: readonly (readonly string[])[];
};

/** A cluster of servers. Disposing stops them all. */
export type NatsCluster = AsyncDisposable & {
  readonly servers: readonly NatsServer[];
  /** URLs of all servers, separated by commas. */
  readonly urls: string;
};

/**
 * Starts a cluster on 127.0.0.1 and resolves when it accepts streams with as many replicas as it has servers.
 *
 * @param options Options of each server; `config` must not contain a `cluster` block.
 */
export async function startCluster(
  size = 3,
  options: ClusterOptions = {},
): Promise<NatsCluster> {
  for (let attempt = 1;; attempt++) {
    const routes = Array.from({ length: size }, freePort);
    const results = await Promise.allSettled(routes.map((port, index) =>
      startNatsServer({
        ...options,
        config: [
          `server_name: "n${index + 1}"`,
          `cluster {\n  name: "test"\n  listen: "127.0.0.1:${port}"`,
          `  routes: [${routes.map((route) => `"nats://127.0.0.1:${route}"`).join(", ")}]\n}`,
          options.config ?? "",
          ...(options.tags ? [`server_tags: ${JSON.stringify(options.tags[index])}`] : []),
        ].join("\n"),
      })
    ));
    const servers = results.flatMap((result) =>
      result.status === "fulfilled" ? [result.value] : []
    );
    const cluster: NatsCluster = {
      servers,
      urls: servers.map(({ url }) => url).join(","),
      async [Symbol.asyncDispose](): Promise<void> {
        await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
      },
    };
    const failed = results.find((result) => result.status === "rejected");
    try {
      if (failed !== undefined) throw failed.reason;
      await replicasAccepted(servers);
      return cluster;
    } catch (cause) {
      await cluster[Symbol.asyncDispose]();
      if (!String(cause).includes("address already in use") || attempt === 5) throw cause;
    }
  }
}

async function replicasAccepted(servers: readonly NatsServer[]): Promise<void> {
  const connection = await connect({ servers: servers.map(({ url }) => url) });
  const deadline = Date.now() + 30_000;
  try {
    for (;;) {
      try {
        const { streams } = await jetstreamManager(connection, { timeout: 2000 });
        const name = "cluster-is-ready";
        await streams.add({ name, subjects: [name], num_replicas: servers.length });
        await streams.delete(name);
        return;
      } catch (cause) {
        if (Date.now() > deadline) throw cause;
        await delay(100);
      }
    }
  } finally {
    await connection.close();
  }
}

/** Returns a port that is free now. */
export function freePort(): number {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
    if (isFree({ hostname: "127.0.0.1", port })) return port;
  }
}

/** Returns whether an address is free now. */
export function isFree(address: { readonly hostname: string; readonly port: number }): boolean {
  try {
    Deno.listen(address).close();
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AddrInUse) return false;
    throw cause;
  }
}

async function checkConfig(binary: string, config: string): Promise<string> {
  const { stderr } = await new Deno.Command(binary, { args: ["-t", "-c", config] }).output();
  return new TextDecoder().decode(stderr);
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
