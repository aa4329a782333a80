/**
 * Records of versions that object info has taken the place of, with other bytes: nobody reads them, and the sweep removes them.
 *
 * A record of the version that object info holds is only an older copy. Usually it names the same bytes. It names others if a
 * gateway died after it had replaced the version `null`, or if an object in parts was rewritten into one piece.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { NULL_VERSION, type VersionId } from "../../s3/version_id.ts";
import type { StreamReading } from "../buckets/streams.ts";
import type { Delivery } from "../jetstream/messages.ts";
import { isConflict, isFull } from "../jetstream/errors.ts";
import { decodeText } from "../layout/json.ts";
import { keyOfSubject, records, versionOfSubject, VERSIONS_LAYOUT } from "../layout/subjects.ts";
import { formatGone, GONE_TTL } from "../layout/version_record.ts";
import { readCurrent } from "../objects/current.ts";
import { isLocked } from "../objects/lock_guard.ts";
import {
  heldVersion,
  type Noncurrent,
  noncurrentOf,
  readVersionMessage,
} from "../objects/version_records.ts";
import type { UploadsContext } from "../uploads/context.ts";
import { hashOf } from "./id_set.ts";

type ShadowedContext = Pick<UploadsContext, "requests" | "streams" | "now">;

/** Number of records that one sweep looks at; the next one finds the others. */
const MAX_RECORDS = 1000;
/** Number of versions whose object info is remembered; records of others are not found. */
const MAX_VERSIONS = 1_000_000;
const STATED = /"s3\.version":"([A-Za-z0-9]{1,32})"/;

type Version = { readonly key: ObjectKey; readonly id: VersionId };

/** Records that object info may shadow. */
export class Shadowed {
  readonly #current = new Set<number>();
  readonly #found = new Map<string, Version>();

  /** Notes a message of object info, or the record of a version. Object info comes first. */
  note({ store, layout }: StreamReading, { subject, data }: Delivery): void {
    if (layout < VERSIONS_LAYOUT) return;
    const version = versionOfSubject(store, subject);
    if (version !== undefined) {
      const isCurrent = this.#current.has(hashOf(`${version.key} ${version.id}`));
      if (isCurrent && this.#found.size < MAX_RECORDS) this.#found.set(subject, version);
      return;
    }
    const key = keyOfSubject(store, subject);
    if (key === undefined || this.#current.size >= MAX_VERSIONS) return;
    const [, id = NULL_VERSION] = STATED.exec(decodeText(data)) ?? [];
    this.#current.add(hashOf(`${key} ${id}`));
  }

  /**
   * Removes the records that object info shadows. Their bytes are orphans from then on.
   *
   * @returns the number of records
   */
  async remove(
    context: ShadowedContext,
    stream: StreamReading,
    { dryRun }: { readonly dryRun: boolean },
  ): Promise<number> {
    let count = 0;
    for (const version of this.#found.values()) {
      const found = await findShadowed(context, stream, version);
      if (found === undefined) continue;
      if (!dryRun) await removeRecord(context, stream, version, found);
      count++;
    }
    return count;
  }
}

/** Says in a record that the version is gone, so that listings learn of it; without room for that, removes the record. */
async function removeRecord(
  { requests, streams }: ShadowedContext,
  { store, stream }: StreamReading,
  { key, id }: Version,
  { sequence, record: { ordinal } }: Noncurrent,
): Promise<void> {
  const options = { expect: sequence, rollup: true, ttl: GONE_TTL } as const;
  try {
    await requests.publish(records.version(store, key, id), formatGone(ordinal), options);
  } catch (cause) {
    if (isFull(cause)) await streams.deleteMessage(stream, sequence);
    else if (!isConflict(cause)) throw cause;
  }
}

/** Returns a record that is to be removed; undefined if it is to stay. */
async function findShadowed(
  context: ShadowedContext,
  stream: StreamReading,
  { key, id }: Version,
): Promise<Noncurrent | undefined> {
  const message = await readVersionMessage(context, stream, key, id);
  const record = noncurrentOf(stream, key, id, message);
  const current = await readCurrent(context, stream, key);
  if (record === undefined || heldVersion(current)?.id !== id) return undefined;
  // A write that is about to take the place of object info has just made a record of it.
  const isCopy = record.record.from === current.sequence || record.info.nuid === current.nuid;
  return isCopy || isLocked(record.info, context.now()) ? undefined : record;
}
