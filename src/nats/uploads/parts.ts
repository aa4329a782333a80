/**
 * Reads the parts of an upload from their records.
 * @module
 */

import { mapAtOnce } from "../../collections/map_at_once.ts";
import type { UploadId } from "../../s3/names.ts";
import type { BucketStream } from "../buckets/streams.ts";
import { textOf } from "../jetstream/messages.ts";
import { formatPart, parsePart, type PartRecord } from "../layout/part_record.ts";
import { parseSequences } from "../layout/runs.ts";
import { records } from "../layout/subjects.ts";
import type { UploadsContext } from "./context.ts";

/** Messages that are requested from a leader at a time. */
const LEADER_GETS = 64;

/**
 * The parts of an upload by number, of each number the one that was written last. Tables of chunks that are too long for
 * a subject are missing; {@linkcode withTables} reads them.
 */
export async function readParts(
  context: Pick<UploadsContext, "requests" | "streams">,
  stream: BucketStream,
  id: UploadId,
): Promise<ReadonlyMap<number, PartRecord>> {
  const subjects = await context.streams.listSubjects(
    stream.stream,
    records.parts(stream.store, id),
  );
  const attempts = new Map<number, { readonly part: PartRecord; readonly subject: string }[]>();
  for (const subject of subjects) {
    const part = parsePart(stream.store, subject);
    if (part === undefined) continue;
    const others = attempts.get(part.number);
    if (others === undefined) attempts.set(part.number, [{ part, subject }]);
    else others.push({ part, subject });
  }
  const parts = await mapAtOnce([...attempts.values()], LEADER_GETS, async (candidates) => {
    if (candidates.length === 1) return candidates[0]?.part;
    const sequences = await Promise.all(candidates.map(async ({ subject }) => {
      const query = { last_by_subj: subject };
      return (await context.requests.leaderGet(stream.stream, query))?.sequence ?? 0;
    }));
    return candidates[sequences.indexOf(Math.max(...sequences))]?.part;
  });
  const known = parts.filter((part) => part !== undefined).sort((a, b) => a.number - b.number);
  return new Map(known.map((part) => [part.number, part]));
}

/** Parts with their tables of chunks, also long ones. */
export async function withTables(
  context: Pick<UploadsContext, "requests" | "streams">,
  stream: BucketStream,
  id: UploadId,
  parts: readonly PartRecord[],
): Promise<readonly PartRecord[]> {
  return await mapAtOnce(parts, LEADER_GETS, async (part) => {
    if (part.sequences !== undefined || part.size === 0) return part;
    const { subject } = formatPart(stream.store, id, part);
    const message = await context.requests.leaderGet(stream.stream, { last_by_subj: subject });
    return { ...part, sequences: message && parseSequences(textOf(message.data)) };
  });
}
