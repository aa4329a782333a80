/**
 * Parses texts of settings into addresses, servers, host names, networks, URLs and headers.
 *
 * Errors say what is wrong with the text, to follow a colon: "it is not HOST:PORT".
 * @module
 */

import { parseNetwork } from "../s3/forwarded.ts";
import { parsePairs, splitList } from "./values.ts";

/** An address to listen on. */
export type Address = { readonly hostname: string; readonly port: number };

/**
 * Parses a host and a port. An empty host means all addresses.
 *
 * @example Usage
 * ```ts
 * import { parseAddress } from "./network_values.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parseAddress(":5222"), { hostname: "0.0.0.0", port: 5222 });
 * deepStrictEqual(parseAddress("[::1]:80"), { hostname: "::1", port: 80 });
 * ```
 */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new RangeError("it is not HOST:PORT");
  return { hostname: match[1] ?? (match[2] || "0.0.0.0"), port };
}

/** Parses an address, or `off`. */
export function parseOptionalAddress(text: string): Address | "off" {
  return text === "off" ? "off" : parseAddress(text);
}

/** Parses a list of NATS URLs. */
export function parseServers(text: string): readonly string[] {
  const servers = splitList(text).map((server) => {
    const match = /^(?:([a-z]+):\/\/)?([^\s]+)$/.exec(server);
    const [, scheme = "nats", rest = ""] = match ?? [];
    if (rest.includes("@")) {
      throw new RangeError("a server URL contains a user: use --natsUser and --natsPassword");
    }
    if (match === null || !["nats", "tls", "ws", "wss"].includes(scheme)) {
      throw new RangeError(`"${server}" does not begin with nats://, tls://, ws:// or wss://`);
    }
    return `${scheme}://${rest}`;
  });
  const isWebSocket = (server: string): boolean => server.startsWith("ws");
  if (servers.some(isWebSocket) && !servers.every(isWebSocket)) {
    throw new RangeError("it mixes WebSocket servers with others");
  }
  return servers;
}

/** Parses a list of host names into lower case. */
export function parseDomains(text: string): readonly string[] {
  return splitList(text).map((domain) => {
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(domain)) {
      throw new RangeError(`"${domain}" is not a host name without port`);
    }
    return domain.toLowerCase();
  });
}

/** Parses a list of origins, such as `https://app.example.com`, each with at most one `*`. */
export function parseOrigins(text: string): readonly string[] {
  return splitList(text).map((origin) => {
    const isOrigin = origin === "*" || /^[a-z][a-z0-9+.-]*:\/\/[^\s\/?#]+$/i.test(origin);
    if (isOrigin && origin.indexOf("*") === origin.lastIndexOf("*")) return origin;
    throw new RangeError("it is not a list of origins such as https://app.example.com or *");
  });
}

/** Parses a list of IP addresses and networks. */
export function parseNetworks(text: string): readonly string[] {
  return splitList(text).map(parseNetwork);
}

/** Checks an HTTP or HTTPS URL and returns it unchanged. */
export function parseHttpUrl(text: string): string {
  if (!/^https?:\/\/[^\s/?#@]+([/?][^\s#]*)?$/i.test(text)) {
    throw new RangeError(
      "it is not http://HOST:PORT or https://HOST:PORT, without user and password",
    );
  }
  return text;
}

/** Parses HTTP headers, written as pairs. */
export function parseHeaders(text: string): Readonly<Record<string, string>> {
  const headers = parsePairs(text);
  try {
    new Headers(headers);
  } catch {
    throw new RangeError("it has a pair that is not an HTTP header");
  }
  return headers;
}
