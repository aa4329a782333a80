/**
 * The origin of a request as trusted proxies report it in `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`.
 * See https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For
 *
 * Anybody can send these headers, and a proxy appends to the lists that it receives. So we read the lists from their
 * ends: our direct peer added the last item, and an earlier item counts only if the next one names a trusted proxy. An
 * item that is not an address ends the list. We ignore `Forwarded` (RFC 7239), because no proxy sends it by default.
 * @module
 */

import { isIP } from "node:net";
import { isInNetwork, type Network, parseIpAddress, parseNetwork as parse } from "./networks.ts";
import type { RequestHeaders } from "./request_headers.ts";

/** The origin of a request. */
export type Origin = {
  /** IP address of the client; undefined if the server does not know it. */
  readonly address: string | undefined;
  /** The host that the client requested; undefined if no proxy reported it. */
  readonly host: string | undefined;
  /** The scheme that the client used; undefined if no proxy reported it. */
  readonly scheme: "http" | "https" | undefined;
};

/** Maximum number of proxies; real lists are shorter. */
const MAX_HOPS = 32;

/** The IP addresses and networks of proxies whose headers are trusted. */
export class TrustedProxies {
  readonly #networks: readonly Network[];

  /** @param networks Results of {@linkcode parseNetwork}. */
  constructor(networks: readonly string[]) {
    this.#networks = networks.flatMap((network) => parse(network) ?? []);
  }

  /** Returns whether an IP address belongs to a trusted proxy. IPv4 within IPv6 counts as IPv4. */
  has(address: string): boolean {
    const parsed = parseIpAddress(address);
    return parsed !== undefined && this.#networks.some((network) => isInNetwork(parsed, network));
  }

  /**
   * Returns the origin of a request.
   *
   * @param peer IP address of our direct peer.
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
      if (address === undefined || hops === MAX_HOPS || !this.has(address)) break;
      hops++;
      const next = parseHop(item);
      if (next === undefined) break;
      address = next;
    }
    // A trusted peer counts as a proxy even without the list.
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
 * Checks an IP address, or a network such as `10.0.0.0/8`, and returns it.
 *
 * @throws RangeError with a message that explains the problem
 */
export function parseNetwork(text: string): string {
  if (parse(text) === undefined) {
    throw new RangeError(`"${text}" is neither an IP address nor a network such as 10.0.0.0/8`);
  }
  return text;
}

/** Iterates over the items of a list from the last to the first. */
function* itemsFromEnd(list: string | null): Generator<string> {
  for (let end = list?.length ?? -1; list !== null && end >= 0;) {
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    yield list.slice(comma + 1, end).trim();
    end = comma;
  }
}

/** Returns the item that the farthest of these proxies added. If proxies replace the value, it is the only item. */
function itemOf(list: string | null, hops: number): string | undefined {
  let found: string | undefined;
  let count = 0;
  for (const item of itemsFromEnd(list)) {
    if (count++ === hops) break;
    found = item;
  }
  return found;
}

/** Parses an IP address with an optional port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
function parseHop(text: string): string | undefined {
  const match = /^\[([^\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? text;
  if (isIP(address) === 0 || address.includes("%")) return undefined;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
