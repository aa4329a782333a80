/**
 * The real command as a child process, with the permissions that the README promises, on its own nats-server.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";

/** The key pair that every gateway here accepts. */
export const CREDENTIALS = {
  accessKeyId: "test-access-key",
  secretAccessKey: "test/secret+access=key",
} as const;
export const REGION = "us-east-1";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 40_000;

/** Options of {@linkcode startGateway}. */
export type GatewayOptions = {
  /** A server that outlives the gateway; by default the gateway starts its own. */
  readonly server?: NatsServer;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Set if the test provokes errors; otherwise an error in the gateway's log fails the test at the end. */
  readonly mayLogErrors?: boolean;
};

/** Options of {@linkcode spawnGateway}. */
export type SpawnOptions = GatewayOptions & {
  readonly natsUrl: string;
  /** Whether disposing the gateway also ends the server. */
  readonly ownsServer?: boolean;
};

/** A line of the gateway's log. */
export type LogLine = {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
};

type About = {
  readonly server: NatsServer | undefined;
  readonly ownsServer: boolean;
  readonly mayLogErrors: boolean;
};

/** A running gateway; disposing ends it by SIGTERM and requires exit code 0. */
export class GatewayProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #about: About;
  readonly #output: Promise<unknown>;
  readonly #status: Promise<Deno.CommandStatus>;
  #log = "";
  #exited = false;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();
  #port = 0;

  /** Use {@linkcode spawnGateway} or {@linkcode startGateway}. */
  constructor(child: Deno.ChildProcess, about: About) {
    this.#child = child;
    this.#about = about;
    this.#output = Promise.all([this.#collect(child.stdout), this.#collect(child.stderr)]);
    this.#status = child.status.then((status) => {
      running.delete(child);
      this.#exited = true;
      this.#changed.resolve();
      return status;
    });
    running.add(child);
  }

  /** `127.0.0.1:<port>`, as in the Host header. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return `http://${this.host}`;
  }

  get port(): number {
    if (this.#port === 0) {
      throw new TypeError("Cannot return the gateway's port: it does not listen yet");
    }
    return this.#port;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The gateway's nats-server. */
  get server(): NatsServer {
    const { server } = this.#about;
    if (server === undefined) throw new TypeError("Cannot return the nats-server: none was given");
    return server;
  }

  /** The log so far; lines that are not JSON, such as the runtime's own, have the level `raw`. */
  get log(): readonly LogLine[] {
    return this.#log.split("\n").filter((line) => line !== "").map((line) => {
      try {
        return JSON.parse(line) as LogLine;
      } catch {
        return { level: "raw", msg: line };
      }
    });
  }

  /**
   * Resolves once a matching line is logged.
   *
   * @throws Error with the log on timeout, or when the process exits first
   */
  async logged(passes: (line: LogLine) => boolean, timeout = START_TIMEOUT): Promise<LogLine> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const line = this.log.find(passes);
      if (line !== undefined) return line;
      const left = deadline - Date.now();
      if (left <= 0 || this.#exited) {
        throw new Error(`The gateway did not log the expected line:\n${this.#log.slice(-4000)}`);
      }
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        this.#changed.promise,
        new Promise<void>((resolve) => timer = setTimeout(resolve, left)),
      ]);
      clearTimeout(timer);
    }
  }

  /** Resolves once the gateway serves. */
  async listening(timeout?: number): Promise<void> {
    this.#port = Number((await this.logged(({ msg }) => msg === "Serving S3", timeout))["port"]);
  }

  /** Whether the process is running. */
  get isRunning(): boolean {
    return !this.#exited;
  }

  /**
   * Sends a signal and waits for the process to exit.
   *
   * @returns The exit code.
   */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    if (!this.#exited) this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT);
    const { code } = await this.#status;
    clearTimeout(timer);
    await this.#output;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { server, ownsServer, mayLogErrors } = this.#about;
    const code = await this.stop();
    if (ownsServer) await server?.[Symbol.asyncDispose]();
    strictEqual(code, 0, `exit code of the gateway, which logged:\n${this.#log.slice(-4000)}`);
    if (mayLogErrors) return;
    const errors = this.log.filter(({ level }) => level === "error" || level === "raw");
    deepStrictEqual(errors, [], "errors in the gateway's log");
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      rest += text;
      // Keep whole lines, so that stdout and stderr do not mix within a line.
      const end = rest.lastIndexOf("\n") + 1;
      this.#log += rest.slice(0, end);
      rest = rest.slice(end);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
    if (rest !== "") this.#log += rest + "\n";
  }
}

/** Processes that must not outlive this one. */
const running = new Set<Deno.ChildProcess>();

globalThis.addEventListener("unload", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts the command without waiting until it serves; the nats-server at `natsUrl` need not be running. */
export function spawnGateway(options: SpawnOptions): GatewayProcess {
  const { natsUrl, flags = [], env = {}, server, ownsServer = false, mayLogErrors = false } =
    options;
  const child = new Deno.Command(Deno.execPath(), {
    // The permissions of the README, and no others.
    args: ["run", "--no-prompt", "--allow-net", "--allow-env", MAIN, ...flags],
    clearEnv: true,
    env: {
      ...inherited(),
      NO_COLOR: "1",
      NATS_S3_LISTEN: "127.0.0.1:0",
      NATS_S3_ADMIN_LISTEN: "127.0.0.1:0",
      NATS_S3_NATS_SERVERS: natsUrl,
      NATS_S3_CREDENTIALS: JSON.stringify({
        credentials: [{
          accessKey: CREDENTIALS.accessKeyId,
          secretKey: CREDENTIALS.secretAccessKey,
        }],
      }),
      NATS_S3_S3_REGION: REGION,
      NATS_S3_LOG_FORMAT: "json",
      // The test keeps the log in memory, however long it takes.
      NATS_S3_LOG_REQUESTS: "errors",
      // No other gateway takes over, so waiting is pointless.
      NATS_S3_DRAIN_DELAY: "0s",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new GatewayProcess(child, { server, ownsServer, mayLogErrors });
}

/** Returns the environment without the settings of a gateway that runs beside the tests. */
function inherited(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("NATS_")),
  );
}

/** Starts a gateway, and a nats-server if none is given, and resolves once it serves. Disposing ends both. */
export async function startGateway(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const server = options.server ?? await startNatsServer();
  const ownsServer = options.server === undefined;
  const gateway = spawnGateway({ ...options, natsUrl: server.url, server, ownsServer });
  try {
    await gateway.listening();
    return gateway;
  } catch (cause) {
    await gateway.stop("SIGKILL");
    if (ownsServer) await server[Symbol.asyncDispose]();
    throw cause;
  }
}
