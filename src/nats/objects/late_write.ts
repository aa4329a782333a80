/**
 * Writes that were held up while versioning was switched on: they replaced the version `null`, which was to be kept.
 *
 * Both are kept: the write gets a version id, and what it replaced becomes a record.
 * @module
 */

import type { ObjectKey } from "../../s3/names.ts";
import { newVersionId, NULL_VERSION } from "../../s3/version_id.ts";
import { randomBytes } from "../../world/world.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { readVersioningNow } from "../buckets/versioning.ts";
import { isConflict } from "../jetstream/errors.ts";
import { infoSubject, records } from "../layout/subjects.ts";
import type { VersionFacts } from "../layout/version_facts.ts";
import {
  formatGone,
  formatVersion,
  GONE_TTL,
  type VersionRecord,
} from "../layout/version_record.ts";
import { recordOf } from "./archive.ts";
import type { Current } from "./current.ts";
import type { NewVersionNeeds, Turn } from "./new_version.ts";
import {
  heldVersion,
  highestOrdinal,
  preserveVersion,
  readVersionMessage,
} from "./version_records.ts";

/** A write that was made, and what it had read. */
export type LateWrite = {
  readonly before: Current;
  readonly turn: Turn | undefined;
  /** Stream sequence of its object info. */
  readonly sequence: number;
};

/** How often the two are kept again because somebody else changes the key. */
const ATTEMPTS = 3;

/** Returns the version that a late write is to become; undefined if versioning was not switched on meanwhile. */
export async function versionOfLate(
  needs: NewVersionNeeds,
  stream: BucketStream,
  key: ObjectKey,
  late: LateWrite,
): Promise<VersionFacts | undefined> {
  if (await readVersioningNow(needs, stream) !== "Enabled") return undefined;
  const highest = await highestOrdinal(needs, stream, key);
  const ordinal = Math.max(highest, ordinalBefore(late)) + 1;
  return { id: newVersionId(ordinal, randomBytes(32)), ordinal };
}

/** Gives a late write its version, and makes a record of what it replaced. */
export async function keepBoth(
  needs: NewVersionNeeds,
  stream: BucketStream,
  key: ObjectKey,
  late: LateWrite,
  version: VersionFacts,
  change: { readonly kind: string; readonly message?: string },
): Promise<void> {
  const { store } = stream;
  const subject = records.version(store, key, NULL_VERSION);
  const replaced = replacedBy(late);
  for (let attempt = 0; attempt < ATTEMPTS && change.message !== undefined; attempt++) {
    const { sequence: expect } = await readVersionMessage(needs, stream, key, NULL_VERSION);
    try {
      await needs.requests.publishBatch([
        {
          subject: infoSubject(store, key),
          data: change.message,
          rollup: true,
          expect: late.sequence,
        },
        replaced === undefined
          ? { subject, data: formatGone(version.ordinal - 1), rollup: true, expect, ttl: GONE_TTL }
          : { subject, data: formatVersion(replaced), rollup: true, expect },
      ]);
      return;
    } catch (cause) {
      if (!isConflict(cause)) throw cause;
    }
  }
  // The key has another version by now. What was replaced gets a version id of its own.
  if (replaced === undefined) return;
  await preserveVersion(needs, stream, key, { record: replaced, sequence: 0 });
}

/** Returns the record of the version `null` that a write replaced; undefined if there was none. */
function replacedBy({ before, turn }: LateWrite): VersionRecord | undefined {
  const held = heldVersion(before);
  if (held?.id === NULL_VERSION) {
    return recordOf(before, { id: held.id, ordinal: held.ordinal || 1 });
  }
  return turn?.hidden?.record;
}

function ordinalBefore({ before, turn }: LateWrite): number {
  const held = heldVersion(before);
  const ordinal = held?.id === NULL_VERSION ? held.ordinal : turn?.hidden?.record.ordinal;
  return ordinal || 1;
}
