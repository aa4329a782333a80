/**
 * The id that keeps a record: while something names the id, the sweep leaves the record alone.
 * @module
 */

import type { StoreName } from "../layout/names.ts";
import { parseNuid } from "../layout/nuid.ts";
import { parsePart } from "../layout/part_record.ts";
import { records, type RecordSubject } from "../layout/subjects.ts";

/**
 * Returns the id whose names keep a record; undefined if the sweep leaves the record alone, and `"unreadable"` for a
 * subject that no gateway of this version writes.
 */
export function keptIdOf(
  store: StoreName,
  subject: string,
  record: RecordSubject,
): { readonly id: string } | "unreadable" | undefined {
  switch (record.kind) {
    case "layout":
    case "renamed": {
      const nuid = parseNuid(record.nuid);
      const isOurs = nuid !== undefined && subject === records[record.kind](store, nuid);
      return isOurs ? { id: nuid } : "unreadable";
    }
    case "part":
      return parsePart(store, subject) === undefined ? "unreadable" : { id: record.id };
    case "snapshot": {
      const { id, page } = record;
      return id === undefined || page === undefined ? undefined : { id }; // the head is replaced, never swept
    }
    default:
      return undefined;
  }
}
