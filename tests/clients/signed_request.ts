/**
 * Requests signed by hand: for `fetch`, and as text for a raw socket.
 * @module
 */

import { type Asked, signed } from "../vectors/client.ts";
import { CREDENTIALS, type GatewayProcess, REGION } from "./gateway_process.ts";

/** A request as in the vectors' client, without a host. */
export type Request = Pick<Asked, "method" | "path" | "query" | "headers">;

/** The destination of requests: a gateway, or a proxy in front of it. */
export type Reachable = Pick<GatewayProcess, "host" | "url">;

/** Returns the headers of a signed request; the payload is `UNSIGNED-PAYLOAD` unless its headers say otherwise. */
export function signedHeaders(gateway: Reachable, asked: Request): Record<string, string> {
  const timestamp = new Date().toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  const { headers } = signed({
    ...asked,
    host: gateway.host,
    // The signature covers the path encoded once, however it is sent.
    path: signedPath(asked.path ?? "/"),
    headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD", ...asked.headers },
    target: { on: "service" },
  }, { ...CREDENTIALS, timestamp, scope: `${timestamp.slice(0, 8)}/${REGION}/s3/aws4_request` });
  return Object.fromEntries(headers);
}

function signedPath(sent: string): string {
  return decodeURIComponent(sent).split("/").map((segment) =>
    encodeURIComponent(segment).replaceAll(
      /[!'()*]/g,
      (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase(),
    )
  ).join("/");
}

/** Milliseconds after which a request without a response fails its test. */
const RESPONSE_TIMEOUT = 60_000;

/** Sends a request with `fetch`, which folds `..` in paths: use {@linkcode requestText} for those. */
export async function ask(
  gateway: Reachable,
  asked: Request & {
    readonly body?: BodyInit | Uint8Array | null;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Response> {
  const { method = "GET", path = "/", query = "", body = null } = asked;
  const { signal = AbortSignal.timeout(RESPONSE_TIMEOUT) } = asked;
  return await fetch(`${gateway.url}${path}${query && `?${query}`}`, {
    method,
    headers: signedHeaders(gateway, asked),
    body: body instanceof Uint8Array ? new Uint8Array(body) : body,
    signal,
  });
}

/** Sends a request and returns the body; throws unless the status is as expected. */
export async function demand(
  gateway: Reachable,
  status: number,
  asked: Parameters<typeof ask>[1] = {},
): Promise<string> {
  const response = await ask(gateway, asked);
  const text = await response.text();
  if (response.status !== status) {
    throw new Error(
      `${asked.method ?? "GET"} ${asked.path}: ${response.status} instead of ${status}: ${
        text.slice(0, 1000)
      }`,
    );
  }
  return text;
}

/** Returns the request line and headers for a raw socket; `path` is sent unchanged. */
export function requestText(gateway: Reachable, asked: Request): string {
  const { method = "GET", path = "/", query = "" } = asked;
  const headers = Object.entries(signedHeaders(gateway, asked)).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  return `${method} ${path}${query && `?${query}`} HTTP/1.1\r\nHost: ${gateway.host}\r\n${
    headers.join("")
  }\r\n`;
}
