/**
 * Builds and runs the load generator `s3load`. It is written in Go, because a client in JavaScript would use more
 * processor time than the gateway under test.
 * @module
 */

import { resolve } from "node:path";
import type { KeyPair } from "../process/running_command.ts";

const SOURCE = resolve(`${import.meta.dirname}/s3load`);
const TOOLS = resolve(`${import.meta.dirname}/../../.tools`);

/** One kind of load. */
export type Load = {
  readonly op:
    | "put"
    | "get"
    | "get-version"
    | "head"
    | "delete"
    | "range"
    | "multipart"
    | "get-part";
  /** Bytes of each object. */
  readonly size: number;
  /** Bytes of each part except the last. */
  readonly part?: number;
  /** Operations, or their limit if `seconds` is set. `multipart` is one upload, whose operations are its parts. */
  readonly n: number;
  /** Number of keys; after the last one, operations start again at the first. */
  readonly keys?: number;
  /** Clients, each with one request in flight. */
  readonly c: number;
  readonly bucket: string;
  readonly prefix?: string;
  readonly seconds?: number;
  /** A file of version ids: `put` writes the one of each key, and `get-version` reads them. */
  readonly versions?: string;
};

/** The result of a load. */
export type LoadResult = {
  readonly ops: number;
  readonly seconds: number;
  readonly ops_s: number;
  readonly MB_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Processor time of the load generator, in seconds. */
  readonly cpu_s: number;
  /** Milliseconds that Complete took, after `multipart`. */
  readonly complete_ms?: number;
};

/** A runner of loads against gateways. */
export type LoadGenerator = {
  /** The Go version that built it, such as `go1.25.0`. */
  readonly version: string;
  /** @throws Error when a request fails */
  run(urls: readonly string[], credentials: KeyPair, load: Load): Promise<LoadResult>;
};

/**
 * Builds the load generator into `.tools/`.
 *
 * @throws Error when Go is not installed
 */
export async function buildLoadGenerator(): Promise<LoadGenerator> {
  const binary = `${TOOLS}/s3load${Deno.build.os === "windows" ? ".exe" : ""}`;
  await Deno.mkdir(TOOLS, { recursive: true });
  const version = await output("go", ["env", "GOVERSION"]).catch((cause) => {
    throw new Error(
      "Cannot build the load generator: Go is not on the PATH. Install Go 1.24 or newer (https://go.dev/dl)",
      { cause },
    );
  });
  await output("go", ["build", "-buildvcs=false", "-o", binary, "."], SOURCE);
  return {
    version: version.trim(),
    async run(urls, { accessKeyId, secretAccessKey }, load) {
      const { seconds = 600, keys = 0, prefix = "load/", ...rest } = load;
      const flags = { ...rest, keys, prefix, t: `${seconds}s` };
      const text = await output(binary, [
        ...["-endpoint", urls.join(","), "-access", accessKeyId, "-secret", secretAccessKey],
        ...Object.entries(flags).flatMap(([name, value]) => [`-${name}`, `${value}`]),
      ]);
      return JSON.parse(text) as LoadResult;
    },
  };
}

async function output(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    ...(cwd !== undefined && { cwd }),
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${command} ${args[0]} failed: ${err}${out}`);
  return out ?? "";
}
