/**
 * Pages of lists: `Marker`, `MaxItems` and `IsTruncated`.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
 *
 * A marker names the last element of its page, so that a list goes on where it stopped, whatever has come and gone since.
 * @module
 */

import { Buffer } from "node:buffer";
import { invalidInput } from "../../iam/refusals.ts";
import type { XmlValue } from "../../s3/xml.ts";
import type { Parameters } from "./parameters.ts";

const DEFAULT_ITEMS = 100;
const MAX_ITEMS = 1000;

/** The page that a request asks for. */
export type PageRequest = {
  readonly limit: number;
  /** The position of the last element before the page; undefined for the first page. */
  readonly after: string | undefined;
};

/** A page. */
export type Page<T> = {
  readonly items: readonly T[];
  /** The elements of the response that say whether there is more. */
  readonly end: { readonly [name: string]: XmlValue };
};

/**
 * Parses the page that a request asks for.
 *
 * @throws S3Error `ValidationError`; `InvalidInput` for a marker that was not in an answer
 */
export function parsePage(parameters: Parameters): PageRequest {
  const limit = parameters.count("MaxItems", MAX_ITEMS) ?? DEFAULT_ITEMS;
  const marker = parameters.optional("Marker");
  return { limit, after: marker === undefined ? undefined : parseMarker(marker) };
}

function parseMarker(marker: string): string {
  const position = Buffer.from(marker, "base64url").toString();
  if (marker === "" || formatMarker(position) !== marker) throw invalidInput("Invalid Marker.");
  return position;
}

function formatMarker(position: string): string {
  return Buffer.from(position).toString("base64url");
}

/**
 * Returns a page of elements.
 *
 * @param all In the order of their positions.
 * @param positionOf Returns the position of an element, which no other one has.
 */
export function pageOf<T>(
  all: readonly T[],
  { limit, after }: PageRequest,
  positionOf: (item: T) => string,
): Page<T> {
  const start = after === undefined ? 0 : all.findIndex((item) => positionOf(item) > after);
  const rest = start < 0 ? [] : all.slice(start, start + limit);
  const last = rest.at(-1);
  const isTruncated = last !== undefined && start + rest.length < all.length;
  return {
    items: rest,
    end: {
      IsTruncated: isTruncated,
      Marker: isTruncated ? formatMarker(positionOf(last)) : undefined,
    },
  };
}

/** Returns the position of an entity in the lists of its account. */
export function positionOfName({ name }: { readonly name: string }): string {
  return name.toLowerCase();
}

/** Compares texts by UTF-16 code units, as positions are compared. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
