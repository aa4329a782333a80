/**
 * The listed properties of versions, from their records and from object info.
 * @module
 */

import type { ListedObject } from "../../store/listings.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { textOf } from "../jetstream/messages.ts";
import { type ListedInfo, parseListedText } from "../layout/listed_info.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import { parseVersion } from "../layout/version_record.ts";
import type { VersionProperties } from "./version_table.ts";

/** The record of a version, as far as a listing shows it. */
export type ListedRecord = {
  /** Undefined if there is no such version, or none that a listing can show. */
  readonly record: { readonly ordinal: number; readonly properties: VersionProperties } | undefined;
  /** Why the record is unreadable; undefined if it is not. */
  readonly problem: string | undefined;
};

/**
 * Reads the record of a version. A version whose object info is unreadable is listed, so that a client can remove it. A
 * record that is unreadable as a whole is not, because nobody can remove its version.
 *
 * @param id As the subject of the record names it.
 */
export function readRecord(
  id: VersionFacts["id"],
  { data, sequence }: Pick<Delivery, "data" | "sequence">,
): ListedRecord {
  const read = parseVersion(id, textOf(data));
  if (read.kind === "gone") return { record: undefined, problem: undefined };
  if (read.kind === "unreadable") return { record: undefined, problem: "it is no version" };
  const { info, time, ordinal } = read.record;
  const listed = parseListedText(info, time);
  const properties = propertiesOf(listed, sequence);
  if (properties === undefined) return { record: undefined, problem: "it describes no version" };
  return { record: { ordinal, properties }, problem: listed.problem };
}

/** Returns the version that object info states, as a listing shows it; undefined if it states none. */
export function currentVersion(
  info: ListedInfo,
  sequence: number,
): VersionFacts & { readonly properties: VersionProperties } | undefined {
  if (info.version === undefined) return undefined;
  const properties = propertiesOf(info, sequence);
  return properties && { ...info.version, properties };
}

function propertiesOf(
  { listed, marker }: ListedInfo,
  sequence: number,
): VersionProperties | undefined {
  // Only rows of keys are looked up by nuid.
  if (listed !== undefined) return { ...listed, sequence, nuid: 0 };
  return marker && { ...MARKER, ...marker, sequence, nuid: 0 };
}

const MARKER: Omit<ListedObject, "key" | "modified" | "owner"> = {
  size: 0,
  etag: "",
  checksum: undefined,
  storageClass: undefined,
};
