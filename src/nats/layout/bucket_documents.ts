/**
 * Bucket documents, the records `S3.bucket.<document>`: each a text that is parsed without an exception.
 * @module
 */

import { isAccountId } from "../../s3/account.ts";
import type { BucketOwner } from "../../store/buckets.ts";
import { MAX_DOCUMENT } from "../../store/documents.ts";
import { isRecord, parseJson } from "./json.ts";

/** A document's text, parsed. */
export type Parsed<Value> =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Longest name of an owner, in characters. */
const MAX_OWNER = 1024;

/** Returns the owner's record. Older gateways read the access key id alone. */
export function formatOwner({ accessKeyId: owner, account }: BucketOwner): string {
  return JSON.stringify({ owner, account });
}

/**
 * Returns the owner's record with another account. Everything else in it stays.
 *
 * @param owner Access key id for a record that names none, without which older gateways know no owner.
 */
export function withAccount(text: string | undefined, account: string, owner: string): string {
  const json = text === undefined ? undefined : parseJson(text);
  return JSON.stringify({ owner, ...(isRecord(json) && json), account });
}

/** Parses the owner's record; undefined if the record names no access key id. */
export function parseOwner(text: string): Parsed<BucketOwner | undefined> {
  const json = parseJson(text);
  if (!isRecord(json)) return unreadable("the owner's record is not JSON of an object");
  const { owner, account } = json;
  if (owner === undefined) return { kind: "value", value: undefined };
  if (typeof owner !== "string") return unreadable("the owner is not a text");
  if (owner === "" || owner.length > MAX_OWNER) return unreadable("the owner is not a name");
  if (account === undefined) return { kind: "value", value: { accessKeyId: owner, account } };
  if (typeof account !== "string" || !isAccountId(account)) {
    return unreadable("the owner's account is not one");
  }
  return { kind: "value", value: { accessKeyId: owner, account } };
}

/** Parses the record of a document that a client put: its text, or undefined for one that was deleted. */
export function parseDocument(text: string): Parsed<string | undefined> {
  if (text.length > MAX_DOCUMENT) return unreadable("the document is too long");
  return { kind: "value", value: text === "" ? undefined : text };
}

/** Returns the record that states the version of the layout. */
export function formatLayoutVersion(version: number): string {
  return JSON.stringify({ version });
}

/** Parses the record that states the version of the layout. */
export function parseLayoutVersion(text: string): Parsed<number> {
  const json = parseJson(text);
  if (!isRecord(json)) return unreadable("the layout's record is not JSON of an object");
  const { version } = json;
  return typeof version === "number" && Number.isSafeInteger(version) && version > 0
    ? { kind: "value", value: version }
    : unreadable("the layout's version is not a number");
}

function unreadable(reason: string): { readonly kind: "unreadable"; readonly reason: string } {
  return { kind: "unreadable", reason };
}
