/**
 * Runs the real command (`main.ts`, `deno task dev`) as a process, and sends requests to it.
 * @module
 */

import { createHash, createHmac } from "node:crypto";

const ROOT = `${import.meta.dirname}/../..`;

/** Options of {@linkcode startCommand}. */
export type CommandOptions = {
  readonly env?: Readonly<Record<string, string>>;
};

/** A process whose output is recorded; disposing kills it. */
export class RunningCommand implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  #output = "";

  /** Use {@linkcode startCommand}. */
  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#read = Promise.all([this.#keep(child.stdout), this.#keep(child.stderr)]);
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The output so far, of both streams. */
  get output(): string {
    return this.#output;
  }

  /**
   * Waits for matching output.
   *
   * @throws Error with the output when the process ends first, or after 60 s
   */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = false;
    this.#read.then(() => ended = true);
    const deadline = Date.now() + 60_000;
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      if (ended || Date.now() > deadline) {
        throw new Error(`The process never printed ${pattern}, but:\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends a signal and waits for the process to end. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    this.#child.kill(signal);
    return await this.ended();
  }

  /** Waits for the process to end. */
  async ended(): Promise<Deno.CommandStatus> {
    const status = await this.#child.status;
    await this.#read;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // The process has already ended.
    }
    await this.ended();
  }

  async #keep(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#output += text;
  }
}

/** Returns the environment without the tests' own settings, and without those of a gateway beside the tests. */
export function inheritedEnv(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject())
      .filter(([name]) => name === "NATS_SERVER_BIN" || !/^(NATS|AWS)_/.test(name)),
  );
}

/** Starts `deno` with these arguments in the project's folder, without the tests' own settings. */
export function startCommand(
  args: readonly string[],
  { env = {} }: CommandOptions = {},
): RunningCommand {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    clearEnv: true,
    env: { ...inheritedEnv(), NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new RunningCommand(child);
}

/** The gateway's permissions. */
export const PERMISSIONS = ["--no-prompt", "--allow-net", "--allow-env"] as const;

/** Starts the gateway on a free port. Pass credentials and servers by flags or environment. */
export async function startGateway(
  args: readonly string[],
  options?: CommandOptions,
): Promise<RunningCommand & { readonly url: string }> {
  const command = startCommand(
    [
      "run",
      ...PERMISSIONS,
      "main.ts",
      "--listen",
      "127.0.0.1:0",
      "--admin.listen",
      "127.0.0.1:0",
      ...args,
    ],
    options,
  );
  try {
    const [, port, scheme] = await command.waitFor(
      /Serving S3.*port"?[=:](\d+).*scheme"?[=:]"?(\w+)/,
    );
    return Object.assign(command, { url: `${scheme}://127.0.0.1:${port}` });
  } catch (cause) {
    await command[Symbol.asyncDispose]();
    throw cause;
  }
}

/** An S3 key pair. */
export type KeyPair = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** Options of {@linkcode signedFetch}. */
export type SignedRequest = Pick<RequestInit, "method" | "body" | "signal"> & {
  /** Headers that are not signed. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A client from `Deno.createHttpClient`. */
  readonly client?: Deno.HttpClient;
};

/** Sends a request that is signed with SigV4 in a header, for us-east-1 and with an unsigned payload. */
export async function signedFetch(
  url: string,
  { accessKeyId, secretAccessKey }: KeyPair,
  { method = "GET", body, headers, signal, client }: SignedRequest = {},
): Promise<Response> {
  const { host, pathname, searchParams } = new URL(url);
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  searchParams.sort();
  const signed = "host;x-amz-content-sha256;x-amz-date";
  const canonical = [
    method,
    pathname,
    searchParams.toString(),
    `host:${host}`,
    "x-amz-content-sha256:UNSIGNED-PAYLOAD",
    `x-amz-date:${time}`,
    "",
    signed,
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const digest = createHash("sha256").update(canonical).digest("hex");
  let key: string | Uint8Array = `AWS4${secretAccessKey}`;
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key)
    .update(["AWS4-HMAC-SHA256", time, scope, digest].join("\n")).digest("hex");
  return await fetch(url, {
    method,
    ...(body && { body }),
    ...(signal && { signal }),
    ...(client && { client }),
    headers: {
      ...headers,
      "x-amz-date": time,
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      authorization:
        `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
    },
  });
}
