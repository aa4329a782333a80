/**
 * `nats-s3 health`: whether the gateway that runs at `--listen` answers. For containers and supervisors.
 * @module
 */

import type { Address } from "../setting_values.ts";

/** Milliseconds. */
const TIMEOUT = 5000;

/**
 * Asks the gateway at this address.
 *
 * @returns Undefined when it answers as a gateway does, else what is wrong.
 */
export async function checkHealth({ hostname, port }: Address): Promise<string | undefined> {
  const host = reachable(hostname);
  try {
    const response = await fetch(`http://${host}:${port}/`, {
      method: "HEAD",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    await response.body?.cancel();
    if (!response.headers.has("x-amz-request-id")) {
      return `What answers at ${host}:${port} is not an S3 gateway`;
    }
    return response.status >= 500 ? `It answers with status ${response.status}` : undefined;
  } catch (cause) {
    return `No answer from ${host}:${port}: ${cause instanceof Error ? cause.message : cause}`;
  }
}

/** Where a server that listens on this address can be reached from the same machine. */
function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
