/**
 * IP addresses and the networks that policies and settings name, such as `203.0.113.0/24`.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress
 * and https://www.rfc-editor.org/rfc/rfc4291#section-2.2
 *
 * The runtime's `BlockList` needs about 20 µs for a question, which is more than a whole policy needs.
 * @module
 */

/** Bytes of an IP address: 4 or 16. An IPv4 address within IPv6 has 4. */
export type IpAddress = readonly number[];

/** A network: the first bits of its addresses. */
export type Network = { readonly address: IpAddress; readonly bits: number };

/** Bytes before an IPv4 address within IPv6. */
const MAPPED: IpAddress = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];
/** Longest text of an address. */
const MAX_LENGTH = 45;

/**
 * Parses an IP address; undefined for any other text.
 *
 * @example Usage
 * ```ts
 * import { parseIpAddress } from "./networks.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parseIpAddress("192.0.2.1"), [192, 0, 2, 1]);
 * deepStrictEqual(parseIpAddress("::ffff:192.0.2.1"), [192, 0, 2, 1]);
 * deepStrictEqual(parseIpAddress("192.0.2"), undefined);
 * ```
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  if (!text.includes(":")) return parseFour(text);
  const bytes = parseSixteen(text);
  const isMapped = bytes !== undefined && MAPPED.every((byte, i) => bytes[i] === byte);
  return isMapped ? bytes.slice(MAPPED.length) : bytes;
}

/**
 * Parses a network, or an address as a network of its own; undefined for any other text.
 *
 * @example Usage
 * ```ts
 * import { isInNetwork, parseIpAddress, parseNetwork } from "./networks.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const network = parseNetwork("2001:db8::/32");
 * const address = parseIpAddress("2001:db8:0:1::7");
 * strictEqual(network && address && isInNetwork(address, network), true);
 * ```
 */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const name = slash < 0 ? text : text.slice(0, slash);
  const address = parseIpAddress(name);
  if (address === undefined) return undefined;
  const all = address.length * 8;
  if (slash < 0) return { address, bits: all };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits)) return undefined;
  // The prefix of an IPv4 network within IPv6 counts the bytes before it.
  const bits = Number(digits) - (name.includes(":") && all === 32 ? MAPPED.length * 8 : 0);
  return bits >= 0 && bits <= all ? { address, bits } : undefined;
}

/** Returns whether an address belongs to a network. */
export function isInNetwork(address: IpAddress, { address: first, bits }: Network): boolean {
  if (address.length !== first.length) return false;
  let left = bits;
  for (let i = 0; left > 0; i++, left -= 8) {
    const ignored = Math.max(8 - left, 0);
    if ((address[i] ?? 0) >> ignored !== (first[i] ?? 0) >> ignored) return false;
  }
  return true;
}

function parseFour(text: string): IpAddress | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) {
    return undefined;
  }
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

function parseSixteen(text: string): IpAddress | undefined {
  const [before = "", after, ...more] = text.split("::");
  const [head, tail] = [parseGroups(before), parseGroups(after ?? "")];
  if (more.length > 0 || head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  // Two colons stand for at least one group of zeros. A dotted end belongs to the end.
  const isComplete = after === undefined ? missing === 0 : missing >= 2 && !before.includes(".");
  return isComplete ? [...head, ...new Array<number>(missing).fill(0), ...tail] : undefined;
}

/** Parses groups of four hexadecimal digits, of which the last may be an IPv4 address. */
function parseGroups(text: string): readonly number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const four = i === groups.length - 1 && group.includes(".") ? parseFour(group) : undefined;
    if (four !== undefined) bytes.push(...four);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const number = Number.parseInt(group, 16);
      bytes.push(number >> 8, number & 255);
    } else return undefined;
  }
  return bytes;
}
