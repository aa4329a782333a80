/**
 * The versions of a key as the server holds them: object info first, then the records that it does not shadow.
 * @module
 */

import { Buffer } from "node:buffer";
import { textOf } from "../../src/nats/jetstream/messages.ts";
import { type ReadInfo, readInfo } from "../../src/nats/layout/object_info.ts";
import { parseVersion } from "../../src/nats/layout/version_record.ts";
import { heldVersion } from "../../src/nats/objects/version_records.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { ordinalOf, type VersionId } from "../../src/s3/version_id.ts";
import type { Value } from "../cluster/history.ts";
import type { Stored } from "./jetstream/message_store.ts";

/** A version that can be seen. */
export type Held = {
  readonly id: VersionId;
  readonly ordinal: number;
  /** The ETag; null for a delete marker. */
  readonly value: Value;
  readonly modified: number;
  /** The tags as text. */
  readonly tags: string;
  /** The group of its bytes; undefined if it has none. */
  readonly nuid: string | undefined;
  readonly mode: string | undefined;
  /** When its retention ends, in milliseconds since 1970; 0 without one. */
  readonly until: number;
  readonly isHeld: boolean;
};

/** The versions of a key, the current one first. */
export type HeldVersions = {
  readonly versions: readonly Held[];
  /** The first version is the current one. Otherwise the key has none, because a native client deleted it. */
  readonly hasCurrent: boolean;
};

/** Returns the versions of a key. */
export function heldVersions(
  key: ObjectKey,
  current: Stored | undefined,
  records: ReadonlyMap<VersionId, Stored>,
): HeldVersions {
  const time = new Date(current?.time.ms ?? 0);
  const info = current && readInfo(key, current.data, time);
  const held = info && heldVersion(info);
  const others: Held[] = [];
  for (const [id, { data }] of records) {
    if (id === held?.id) continue;
    const read = parseVersion(id, textOf(data));
    if (read.kind !== "version") continue;
    const { record } = read;
    const recorded = readInfo(key, Buffer.from(record.info), record.time);
    others.push(describe(recorded, { id, ordinal: ordinalOf(id) ?? record.ordinal }, record.time));
  }
  others.sort((a, b) => b.ordinal - a.ordinal);
  const first = info === undefined || held === undefined ? [] : [describe(info, held, time)];
  return { versions: [...first, ...others], hasCurrent: first.length > 0 };
}

function describe(
  { parsed, marker, nuid }: ReadInfo,
  facts: Pick<Held, "id" | "ordinal">,
  time: Date,
): Held {
  const info = parsed.kind === "object" ? parsed.object.info : undefined;
  return {
    ...facts,
    value: marker === undefined ? info?.etag ?? "unreadable" : null,
    modified: (info?.modified ?? marker?.modified ?? time).getTime(),
    tags: JSON.stringify(info?.properties.tags),
    nuid: info === undefined || info.size === 0 ? undefined : nuid,
    mode: info?.retention?.mode,
    until: info?.retention?.until.getTime() ?? 0,
    isHeld: info?.legalHold === true,
  };
}

/** Shows the versions of a key. */
export function shown({ versions, hasCurrent }: HeldVersions): string {
  const list = versions.map(({ id, value }: Held) => `${id}=${value ?? "marker"}`).join(", ");
  return `${hasCurrent ? "" : "no current; "}[${list}]`;
}
