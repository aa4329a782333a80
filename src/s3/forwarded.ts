/**
 * Where a request comes from, and what it asked, as proxies that are trusted tell it: `X-Forwarded-For`,
 * `X-Forwarded-Host` and `X-Forwarded-Proto`.
 * See https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For
 *
 * Anybody can send these headers, and a proxy adds to what was sent to it. So lists are read from their ends: the last
 * item is of who is connected to us, and the one before it counts if that item is a trusted proxy as well. What is no
 * address ends the list. `Forwarded` (RFC 7239) is not read: no proxy sends it by default.
 * @module
 */

import { BlockList, isIP } from "node:net";
import type { RequestHeaders } from "./request_headers.ts";

/** Of a request. */
export type Origin = {
  /** IP address of the client; undefined where the server does not know. */
  readonly address: string | undefined;
  /** The host that the client asked; undefined where it is that of the request. */
  readonly host: string | undefined;
  /** How the client asked; undefined where it is as the request came. */
  readonly scheme: "http" | "https" | undefined;
};

/** No list of proxies is as long. */
const MOST_HOPS = 32;

/** IP addresses and networks of proxies that tell the truth about their clients. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /**
   * @param networks Of {@linkcode parseNetwork}.
   */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = "", bits] = network.split("/");
      const family = familyOf(address);
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  /** Whether an IP address is that of a proxy. IPv4 within IPv6 counts as IPv4. */
  has(address: string): boolean {
    return this.#list.check(address, familyOf(address));
  }

  /**
   * Reads the origin of a request.
   *
   * @param peer Who is connected to us.
   *
   * @example Usage
   * ```ts
   * import { TrustedProxies } from "./forwarded.ts";
   * import { strictEqual } from "node:assert/strict";
   *
   * const proxies = new TrustedProxies(["10.0.0.0/8"]);
   * const headers = new Headers({ "x-forwarded-for": "192.0.2.1, 198.51.100.7, 10.1.1.1" });
   * strictEqual(proxies.originOf("10.2.2.2", headers).address, "198.51.100.7");
   * strictEqual(proxies.originOf("192.0.2.9", headers).address, "192.0.2.9");
   * ```
   */
  originOf(peer: string | undefined, headers: Pick<RequestHeaders, "get">): Origin {
    let address = peer === undefined ? undefined : parseHop(peer);
    let hops = 0;
    for (const item of itemsFromEnd(headers.get("x-forwarded-for"))) {
      if (address === undefined || hops === MOST_HOPS || !this.has(address)) break;
      hops++;
      const next = parseHop(item);
      if (next === undefined) break;
      address = next;
    }
    // Without the list there may be a proxy all the same.
    if (hops === 0 && address !== undefined && this.has(address)) hops = 1;
    const proto = itemOf(headers.get("x-forwarded-proto"), hops)?.toLowerCase();
    return {
      address,
      host: itemOf(headers.get("x-forwarded-host"), hops) || undefined,
      scheme: proto === "http" || proto === "https" ? proto : undefined,
    };
  }
}

/**
 * Checks an IP address, or a network as `10.0.0.0/8`.
 *
 * @throws RangeError that says what is wrong with the text
 */
export function parseNetwork(text: string): string {
  const [address = "", bits, ...rest] = text.split("/");
  const most = isIP(address) === 4 ? 32 : 128;
  const isWrong = isIP(address) === 0 || address.includes("%") || rest.length > 0 ||
    (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > most));
  if (isWrong) {
    throw new RangeError(`"${text}" is neither an IP address nor a network as 10.0.0.0/8`);
  }
  return text;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}

/** The items of a list, the last first. */
function* itemsFromEnd(list: string | null): Generator<string> {
  for (let end = list?.length ?? -1; list !== null && end >= 0;) {
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    yield list.slice(comma + 1, end).trim();
    end = comma;
  }
}

/** The item that the farthest of so many proxies added; where they keep no list, the only one. */
function itemOf(list: string | null, hops: number): string | undefined {
  let found: string | undefined;
  let count = 0;
  for (const item of itemsFromEnd(list)) {
    if (count++ === hops) break;
    found = item;
  }
  return found;
}

/** An IP address, perhaps with a port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
function parseHop(text: string): string | undefined {
  const match = /^\[([^\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? text;
  if (isIP(address) === 0 || address.includes("%")) return undefined;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
