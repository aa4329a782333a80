/**
 * `nats-s3 health`: whether the gateway that runs at `--listen` answers. For containers and supervisors.
 * @module
 */

import { request as requestInClear } from "node:http";
import { request as requestByTls } from "node:https";
import type { Address } from "../config/network_values.ts";

/** Milliseconds. */
const TIMEOUT = 5000;

/**
 * Asks the gateway at this address. Whose certificate it has, clients will ask: here its own address need not be in it.
 *
 * @param isTls Whether it serves by HTTPS.
 * @returns Undefined when it answers as a gateway does, else what is wrong.
 */
export async function checkHealth(
  { hostname, port }: Address,
  isTls = false,
): Promise<string | undefined> {
  const host = reachable(hostname);
  const at = `${isTls ? "https" : "http"}://${host}:${port}`;
  try {
    const { status, isGateway } = await ask(`${at}/`, isTls);
    if (!isGateway) return `What answers at ${at} is not an S3 gateway`;
    return status >= 500 ? `It answers with status ${status}` : undefined;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    return `No answer from ${at}, where --listen says that the gateway is: ${reason}`;
  }
}

function ask(
  url: string,
  isTls: boolean,
): Promise<{ readonly status: number; readonly isGateway: boolean }> {
  const request = isTls ? requestByTls : requestInClear;
  return new Promise((resolve, reject) => {
    const options = {
      method: "HEAD",
      signal: AbortSignal.timeout(TIMEOUT),
      rejectUnauthorized: false,
      // Without it node:https reads those of the system, which needs a permission.
      ca: [],
    };
    request(url, options, ({ statusCode = 0, headers }) => {
      resolve({ status: statusCode, isGateway: "x-amz-request-id" in headers });
    }).on("error", reject).end();
  });
}

/** Where a server that listens on this address can be reached from the same machine. */
function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
