/**
 * From the text of a setting to its value. What is thrown says what is wrong with the text, after a colon: "it is not
 * between 1 and 5".
 * @module
 */

import { checkCertificates, checkPrivateKey } from "../crypto/certificates.ts";
import { parseNetwork } from "../s3/forwarded.ts";

/** Where to listen. */
export type Address = { readonly hostname: string; readonly port: number };

/** Any text. */
export function parseText(text: string): string {
  return text;
}

/** One of some words. */
export function oneOf<const T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((choice) => choice === text);
    if (choice === undefined) throw new RangeError(`it is not one of ${choices.join(", ")}`);
    return choice;
  };
}

/** As Go reads booleans. */
export function parseBoolean(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new RangeError("it is neither true nor false");
}

/**
 * Host and port; no host means all addresses.
 *
 * @example Usage
 * ```ts
 * import { parseAddress } from "./values.ts";
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

/** An address, or `off` for none. */
export function parseOptionalAddress(text: string): Address | "off" {
  return text === "off" ? "off" : parseAddress(text);
}

/** NATS URLs, separated by commas. */
export function parseServers(text: string): readonly string[] {
  const servers = splitList(text).map((server) => {
    const match = /^(?:([a-z]+):\/\/)?([^\s]+)$/.exec(server);
    const [, scheme = "nats", rest = ""] = match ?? [];
    if (rest.includes("@")) {
      throw new RangeError("a server has a user in it: use --natsUser and --natsPassword");
    }
    if (match === null || !["nats", "tls", "ws", "wss"].includes(scheme)) {
      throw new RangeError(`"${server}" does not begin with nats://, tls://, ws:// or wss://`);
    }
    return `${scheme}://${rest}`;
  });
  const isWebSocket = (server: string): boolean => server.startsWith("ws");
  if (servers.some(isWebSocket) && !servers.every(isWebSocket)) {
    throw new RangeError("it mixes WebSocket and other servers");
  }
  return servers;
}

function splitList(text: string): string[] {
  const items = text.split(",").map((item) => item.trim()).filter((item) => item !== "");
  if (items.length === 0) throw new RangeError("the list is empty");
  return items;
}

/** The NKey seed in a text. */
export function parseSeed(text: string): string {
  const seed = /S[UA][A-Z2-7]{56}/.exec(text)?.[0];
  if (seed === undefined) throw new RangeError("it holds no NKey seed (SU…)");
  return seed;
}

/** A credentials file. */
export function parseCreds(text: string): string {
  if (!text.includes("BEGIN NATS USER JWT") || !text.includes("BEGIN USER NKEY SEED")) {
    throw new RangeError("it does not hold a NATS user JWT and an NKey seed");
  }
  return text;
}

/** Whether a text is PEM, not the path of a file. */
export function isPem(text: string): boolean {
  return text.includes("-----BEGIN ");
}

/** Certificates in PEM. */
export function parseCertificates(text: string): string {
  checkCertificates(text);
  return text;
}

/** A private key in PEM. */
export function parsePrivateKey(text: string): string {
  checkPrivateKey(text);
  return text;
}

/** One token of a subject. */
export function parseToken(text: string): string {
  if (!/^[^\s.*>]+$/.test(text)) throw new RangeError("it is not one token of a subject");
  return text;
}

/** A subject without wildcards. */
export function parseSubject(text: string): string {
  if (!/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(text)) {
    throw new RangeError("it is not a subject without wildcards");
  }
  return text;
}

/** A subject of one's own. */
export function parseAuditSubject(text: string): string {
  if (text.startsWith("$")) throw new RangeError("subjects that begin with $ are those of NATS");
  return parseSubject(text);
}

/** 1 to 5. */
export function parseReplicas(text: string): number {
  if (!/^[1-5]$/.test(text)) throw new RangeError("it is not between 1 and 5");
  return Number(text);
}

/** The name of a region. */
export function parseRegion(text: string): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(text)) {
    throw new RangeError("it has other characters than letters, digits and hyphens");
  }
  return text;
}

/** Host names, separated by commas; lower case. */
export function parseDomains(text: string): readonly string[] {
  return splitList(text).map((domain) => {
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(domain)) {
      throw new RangeError(`"${domain}" is not a host name without port`);
    }
    return domain.toLowerCase();
  });
}

/** IP addresses and networks, separated by commas. */
export function parseNetworks(text: string): readonly string[] {
  return splitList(text).map(parseNetwork);
}

/** A duration of a second or more, in milliseconds. */
export function parseGrace(text: string): number {
  const milliseconds = parseDuration(text);
  // Leases live for whole seconds.
  if (milliseconds < 1000) throw new RangeError("it is less than 1s");
  return milliseconds;
}

/** A duration of 100 ms or more, in milliseconds. */
export function parseStall(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds < 100) throw new RangeError("it is less than 100ms");
  return milliseconds;
}

/** A number above 0. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new RangeError("it is not a number above 0");
  return Number(text);
}

/** A number above 0, or `off` for none. */
export function parseOptionalCount(text: string): number | "off" {
  return text === "off" ? "off" : parseCount(text);
}

const BYTE_UNITS = ["", "Ki", "Mi", "Gi", "Ti"];

/**
 * A number of bytes, in units of 1024.
 *
 * @example Usage
 * ```ts
 * import { parseBytes } from "./values.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseBytes("10MiB"), 10_485_760);
 * ```
 */
export function parseBytes(text: string): number {
  const match = /^(\d{1,12}) ?(|Ki|Mi|Gi|Ti)B?$/.exec(text);
  const bytes = Number(match?.[1]) * 1024 ** BYTE_UNITS.indexOf(match?.[2] ?? "");
  if (match === null || bytes < 1 || !Number.isSafeInteger(bytes)) {
    throw new RangeError("it is not a number of bytes such as 500MiB or 10GiB");
  }
  return bytes;
}

/** A duration of at most 15 minutes, in milliseconds. */
export function parseClockSkew(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds > 15 * 60_000) throw new RangeError("it is more than 15m");
  return milliseconds;
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/**
 * A duration as Go writes it, in milliseconds.
 *
 * @example Usage
 * ```ts
 * import { parseDuration } from "./values.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseDuration("1m30s"), 90_000);
 * ```
 */
export function parseDuration(text: string): number {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) {
    throw new RangeError("it is not a duration such as 90s or 5m");
  }
  let sum = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    sum += Number(amount) * (UNITS[unit] ?? 0);
  }
  return sum;
}

/** An http(s) URL, as it stands. */
export function parseHttpUrl(text: string): string {
  if (!/^https?:\/\/[^\s/?#@]+([/?][^\s#]*)?$/i.test(text)) {
    throw new RangeError(
      "it is not http://HOST:PORT or https://HOST:PORT, without user and password",
    );
  }
  return text;
}

/**
 * Pairs as OpenTelemetry writes headers and attributes.
 *
 * @example Usage
 * ```ts
 * import { parsePairs } from "./values.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parsePairs("api-key=abc%3D, tenant=a"), { "api-key": "abc=", tenant: "a" });
 * ```
 */
export function parsePairs(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    splitList(text).map((pair) => {
      const [name = "", ...value] = pair.split("=");
      if (name.trim() === "" || value.length === 0) {
        throw new RangeError("it is not NAME=VALUE,… with other characters as %XX");
      }
      return [decodePercent(name.trim()), decodePercent(value.join("=").trim())];
    }),
  );
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError("a % in it does not begin a character written as %XX");
  }
}

/** Headers of HTTP, in pairs. */
export function parseHeaders(text: string): Readonly<Record<string, string>> {
  const headers = parsePairs(text);
  try {
    new Headers(headers);
  } catch {
    throw new RangeError("it holds what is no header of HTTP");
  }
  return headers;
}

/** From 0 to 1. */
export function parseRatio(text: string): number {
  if (!/^(0|1|[01]?\.\d+)$/.test(text) || Number(text) > 1) {
    throw new RangeError("it is not a number from 0 to 1");
  }
  return Number(text);
}
