/**
 * Starts `raw.ts` and sends calls to it; starts `bare.ts`.
 * @module
 */

import type { RawCall, RawReply, RawResult } from "./raw_calls.ts";

/** A process that speaks to JetStream directly; disposing ends it. */
export type RawProcess = AsyncDisposable & {
  readonly pid: number;
  call(call: RawCall): Promise<RawResult>;
};

const RAW = new URL("raw.ts", import.meta.url).pathname;

/** Starts `raw.ts` with the permissions of a gateway. */
export function startRaw(natsUrl: string): RawProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-env", RAW, natsUrl],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    pid: child.pid,
    async call(call) {
      await writer.write(new TextEncoder().encode(JSON.stringify(call) + "\n"));
      // There is one call at a time, so one line is one reply.
      let text = "";
      while (!text.endsWith("\n")) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`The raw process ended during "${call.op}"`);
        text += value;
      }
      const reply = JSON.parse(text) as RawReply;
      if ("error" in reply) throw new Error(`Raw "${call.op}" failed: ${reply.error}`);
      return reply.result;
    },
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await child.status;
      clearTimeout(timer);
      await reader.cancel();
    },
  };
}

/** An HTTP server without S3; disposing ends it. */
export type BareServer = AsyncDisposable & { readonly pid: number; readonly url: string };

const BARE = new URL("bare.ts", import.meta.url).pathname;

/** Starts `bare.ts` with the permissions of a gateway, and waits until it listens. */
export async function startBare(natsUrl: string): Promise<BareServer> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-env", BARE, natsUrl],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return {
    pid: child.pid,
    url: value.trim(),
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await child.status;
      clearTimeout(timer);
      await reader.cancel();
    },
  };
}
