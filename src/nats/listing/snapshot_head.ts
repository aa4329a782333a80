/**
 * The head of a saved index: a record that names its pages and tells of which keys they are.
 *
 * Any NATS client may write such a record, so one that no gateway can have written is none.
 * @module
 */

import { CHECKSUM_ALGORITHMS } from "../../s3/checksum_algorithms.ts";
import { textOf } from "../jetstream/messages.ts";
import type { KeyLegend } from "./key_packing.ts";

/** The head of a saved index. */
export type Head = {
  readonly version: number;
  readonly id: string;
  /** When the stream was created. */
  readonly created: string;
  readonly sequence: number;
  /** When writing the snapshot began, and when all object info was read, by nats-server's clock. */
  readonly begun: string;
  readonly read: string;
  readonly pages: number;
  /**
   * Whether JetStream stored this only because the stream held the last page, after whose writing it still had the history
   * that the gateway knew. Absent in the heads of older gateways.
   */
  readonly proved?: boolean;
  /** Digest of all pages, in hexadecimal. */
  readonly sha256: string;
  readonly legend: KeyLegend;
  /** The pages with versions, which follow those with keys; absent if there are none. */
  readonly versions?: { readonly pages: number; readonly legend: KeyLegend };
  readonly nameless: readonly string[];
};

/** Version of the pages and the head. */
export const VERSION = 1;
/** With more ETags or subjects than this that do not fit into pages, no snapshot is written. */
const MAX_ODD = 1000;
/** Longest head in characters. */
const MAX_HEAD = 256 * 1024;
/** Largest head in bytes: that of one without ASCII. */
const MAX_HEAD_BYTES = 3 * MAX_HEAD;

/** Returns the text of a head, or undefined if it would be too long. */
export function formatHead(head: Head): string | undefined {
  if (!hasFewTexts(head)) return undefined;
  const text = JSON.stringify(head);
  return text.length > MAX_HEAD ? undefined : text;
}

/** Parses the head of a snapshot; returns undefined for anything that {@linkcode formatHead} never writes. */
export function parseHead(data: Uint8Array): Head | undefined {
  if (data.length > MAX_HEAD_BYTES) return undefined;
  const text = textOf(data);
  if (text.length > MAX_HEAD) return undefined;
  try {
    const head = JSON.parse(text) as Partial<Head> | null;
    return head !== null && isHead(head) ? head : undefined;
  } catch {
    return undefined;
  }
}

function isHead(head: Partial<Head>): head is Head {
  const { version, id, created, sequence, begun, read, pages, sha256 } = head;
  return version === VERSION && [created, begun, read, sha256].every(isText) &&
    isText(id) && /^[A-Za-z0-9]{1,64}$/.test(id) && [sequence, pages].every(isCount) &&
    isLegend(head.legend) && hasVersions(head.versions) && isList(head.nameless, isText) &&
    hasFewTexts(head as Head);
}

function hasFewTexts({ legend, versions, nameless }: Head): boolean {
  const odd = legend.oddETags.length + (versions?.legend.oddETags.length ?? 0);
  return odd + nameless.length <= MAX_ODD;
}

function hasVersions(versions: Partial<NonNullable<Head["versions"]>> | undefined): boolean {
  return versions === undefined ||
    (versions !== null && isCount(versions.pages) && isLegend(versions.legend));
}

function isLegend(legend: Partial<KeyLegend> | undefined): boolean {
  return isList(legend?.traits, isTraits) &&
    isList(legend?.oddETags, (pair) => isList(pair, isText) && pair.length === 2);
}

function isTraits(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { owner, storageClass, algorithm, type } = value as Readonly<Record<string, unknown>>;
  return isOneOf(algorithm, CHECKSUM_ALGORITHMS) && isOneOf(type, ["FULL_OBJECT", "COMPOSITE"]) &&
    [owner, storageClass].every((text) => text === undefined || isText(text));
}

function isOneOf(value: unknown, values: readonly unknown[]): boolean {
  return value === undefined || values.includes(value);
}

function isList(
  value: unknown,
  isItem: (item: unknown) => boolean,
): value is readonly unknown[] {
  return Array.isArray(value) && value.every(isItem);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
