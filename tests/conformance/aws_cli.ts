/**
 * aws-cli as a function: version 1 in a long-lived process, at a tenth of the cost of a new one; version 2 unchanged.
 * @module
 */

import { TextLineStream } from "./lines.ts";
import type { Tool } from "../../scripts/client_tools.ts";

/** A command. */
export type Command = {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Path of a file for standard input. */
  readonly stdin?: string | undefined;
};

/** The result of a command. */
export type Outcome = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Operation and status of each response; undefined if this version does not report them. */
  readonly calls: readonly (readonly [operation: string, status: number])[] | undefined;
};

/** Runs one command at a time. */
export type AwsCli = AsyncDisposable & {
  readonly run: (command: Command) => Promise<Outcome>;
};

const DRIVER = `${import.meta.dirname}/aws_cli_driver.py`;

type DriverReply = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: readonly (readonly [string, number])[];
};

/** Starts aws-cli 1 in a Python that has it installed. */
export function startAwsCli1(python: Tool): AwsCli {
  const child = new Deno.Command(python.command, {
    args: [...python.args, DRIVER],
    env: { ...python.env, PYTHONUTF8: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  return {
    async run({ args, cwd, env, stdin = null }) {
      const line = JSON.stringify({ args, cwd, env, stdin }) + "\n";
      await writer.write(new TextEncoder().encode(line));
      const { value, done } = await lines.read();
      if (done) throw new Error("The driver of aws-cli ended");
      const { code, stdout, stderr, calls } = JSON.parse(value) as DriverReply;
      return { code, stdout: decodeBase64(stdout), stderr: decodeBase64(stderr), calls };
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await lines.read();
      await child.status;
    },
  };
}

/** Runs aws-cli 2, in a new process for each command. */
export function createAwsCli2({ command, args: first, env: own }: Tool): AwsCli {
  return {
    async run({ args, cwd, env, stdin }) {
      const child = new Deno.Command(command, {
        args: [...first, ...args],
        cwd,
        env: { ...own, ...env },
        stdin: stdin === undefined ? "null" : "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const sent = stdin === undefined
        ? undefined
        : (await Deno.open(stdin)).readable.pipeTo(child.stdin).catch(() => {});
      const { code, stdout, stderr } = await child.output();
      await sent;
      const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
      return { code, stdout: text(stdout), stderr: text(stderr), calls: undefined };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function decodeBase64(text: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(text));
}
