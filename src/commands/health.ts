/**
 * `nats-s3 health`: checks that the gateway at `--listen` responds, for containers and supervisors.
 * @module
 */

import { request as requestInClear } from "node:http";
import { request as requestByTls } from "node:https";
import type { Address } from "../config/network_values.ts";

/** Milliseconds to wait for the response. */
const TIMEOUT = 5000;

/**
 * Checks the gateway at this address. The check ignores its certificate, which need not name the address; clients will
 * verify it.
 *
 * @param isTls Whether it serves HTTPS.
 * @returns The problem, or undefined if it responds as a gateway does.
 */
export async function checkHealth(
  { hostname, port }: Address,
  isTls = false,
): Promise<string | undefined> {
  const host = reachable(hostname);
  const at = `${isTls ? "https" : "http"}://${host}:${port}`;
  try {
    const { status, isGateway } = await requestHead(`${at}/`, isTls);
    if (!isGateway) return `The server at ${at} is not an S3 gateway`;
    return status >= 500 ? `The gateway at ${at} responds with status ${status}` : undefined;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    return `No response from ${at}, the address in --listen: ${reason}`;
  }
}

function requestHead(
  url: string,
  isTls: boolean,
): Promise<{ readonly status: number; readonly isGateway: boolean }> {
  const request = isTls ? requestByTls : requestInClear;
  return new Promise((resolve, reject) => {
    const options = {
      method: "HEAD",
      signal: AbortSignal.timeout(TIMEOUT),
      rejectUnauthorized: false,
      // Without this, node:https reads the certificates of the system, which requires a permission.
      ca: [],
    };
    request(url, options, ({ statusCode = 0, headers }) => {
      resolve({ status: statusCode, isGateway: "x-amz-request-id" in headers });
    }).on("error", reject).end();
  });
}

/** Returns the host at which the same machine reaches a server that listens on this address. */
function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
