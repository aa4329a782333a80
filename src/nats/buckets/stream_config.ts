/**
 * Configurations of bucket streams: those of new streams, and the facts in those of existing ones.
 *
 * Pure. A quota is part of a stream's `max_bytes`. The rest is a reserve, in which deletes, the trash and listings go on
 * when PUTs are refused.
 * @module
 */

import { stampOf } from "../jetstream/messages.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import { subjectsOf } from "../layout/subjects.ts";
import { withCreator } from "./creator.ts";
import { forgets } from "./forgets.ts";
import { locationOf, type PlacementConfig, placementFor, withLocation } from "./location.ts";
import { objectLimitOf } from "./object_limit.ts";
import { quotaOf, reserveOf } from "./reserve.ts";
import { SEQUENCES_PER_MS, timedSequence } from "./sequences.ts";
import type { BucketCompression, BucketPlacement, BucketStorage } from "./storage.ts";

/** Settings of new streams. */
export type StreamSettings = {
  /** Number of copies that JetStream keeps, 1 to 5. */
  readonly replicas: number;
  readonly storage: BucketStorage;
  readonly compression: BucketCompression;
  /** Bytes that objects may fill in each new bucket; undefined for no limit. */
  readonly quota?: number | undefined;
  /** Where new buckets of some locations are placed; none by default. */
  readonly placements?: readonly BucketPlacement[];
};

/** The fields of a stream's configuration that we read. */
export type StreamConfig = {
  readonly name: string;
  readonly subjects?: readonly string[];
  readonly num_replicas: number;
  readonly allow_direct?: boolean;
  readonly allow_msg_ttl?: boolean;
  readonly allow_atomic?: boolean;
  readonly mirror?: MirrorConfig | null;
  readonly sources?: readonly unknown[] | null;
  readonly sealed?: boolean;
  readonly max_bytes?: number;
  readonly compression?: string;
  readonly placement?: PlacementConfig | null | undefined;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
};

/** The stream that a mirror mirrors. */
type MirrorConfig = {
  readonly name?: string;
  readonly filter_subject?: string;
  readonly subject_transforms?: readonly unknown[] | null;
};

/** JetStream's response about a stream. */
export type StreamInfo = {
  readonly config: StreamConfig;
  readonly created: string;
  readonly ts: string;
  /** Absent without a cluster. A new stream lacks a leader for a moment. */
  readonly cluster?: { readonly name?: string; readonly leader?: string };
  readonly state: {
    readonly first_seq: number;
    readonly last_seq: number;
    readonly last_ts: string;
    readonly messages: number;
    readonly bytes: number;
    /** Absent if there is none. */
    readonly num_subjects?: number;
  };
};

/** The state of a stream when it was read. */
export type StreamState = {
  /** Number of messages stored, and their bytes. */
  readonly messages: number;
  readonly bytes: number;
  readonly subjects: number;
  /** No message has a lower one. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** When the last message was stored, see `stampOf()`. */
  readonly lastStamp: string;
  /** When the state was read, by nats-server's clock. */
  readonly at: Date;
};

/** Returns the state in a response of JetStream. */
export function stateOf({ state, ts }: StreamInfo): StreamState {
  return {
    messages: state.messages,
    bytes: state.bytes,
    subjects: state.num_subjects ?? 0,
    firstSequence: state.first_seq,
    lastSequence: state.last_seq,
    lastStamp: stampOf(state.last_ts),
    at: new Date(ts),
  };
}

/** Facts in a stream's configuration. */
export type StreamFacts = {
  /** There is one copy, so a direct get that names this stream comes from the leader. */
  readonly single: boolean;
  /** Servers respond to direct gets. Otherwise only the leader returns messages. */
  readonly direct: boolean;
  /** Captures our records and supports message TTLs, so everything beyond plain objects works. */
  readonly prepared: boolean;
  /** DeleteBucket is at work: no object info can be written. Such a stream is read again each time. */
  readonly fenced: boolean;
  /** Bytes that PUTs may fill; Infinity without a limit. */
  readonly quota: number;
  /** Number of objects from which on PUTs add none; Infinity without a limit. */
  readonly objectLimit: number;
  /** A mirror of the bucket's stream in another JetStream domain. */
  readonly readOnly: boolean;
  /** Nobody can ever write to it again. */
  readonly sealed: boolean;
  /** JetStream itself removes messages: by age, or in favour of newer ones. */
  readonly forgets: boolean;
  /** It has sources or other subjects, so it may hold messages that are not the bucket's. */
  readonly mixed: boolean;
  /** Sequence with which the stream began, which is a time; 0 if it is not, or if messages come from other streams. */
  readonly since: number;
  /** The location that the bucket was created in or moved to; undefined if none was named. */
  readonly location: string | undefined;
};

/** What the caller of CreateBucket says about the stream. */
export type GivenStream = {
  /** Text of the owner's record. */
  readonly creator: string;
  /** A location of S3; the settings tell where its buckets are placed. */
  readonly location?: string | undefined;
};

/** Flags that our records need. */
const RECORD_FLAGS = {
  allow_rollup_hdrs: true,
  allow_direct: true,
  allow_msg_ttl: true,
  allow_atomic: true,
} as const;

/**
 * Returns the configuration of a new bucket's stream.
 *
 * Its sequences begin with the time in microseconds, so they lie far from those of an earlier stream of the same name.
 */
export function newStreamConfig(
  store: StoreName,
  { replicas, storage, compression, quota, placements }: StreamSettings,
  now: Date,
  { creator, location }: GivenStream,
): StreamConfig {
  const { chunks, infos, records } = subjectsOf(store);
  return {
    name: streamOf(store),
    subjects: [chunks, infos, records],
    retention: "limits",
    discard: "new",
    storage,
    compression,
    num_replicas: replicas,
    max_consumers: -1,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_bytes: quota === undefined ? -1 : quota + reserveOf(quota),
    max_age: 0,
    max_msg_size: -1,
    first_seq: now.getTime() * SEQUENCES_PER_MS,
    ...RECORD_FLAGS,
    ...(location !== undefined && { placement: placementFor(placements, location) }),
    metadata: withCreator(withLocation({}, location), creator),
  };
}

/** Returns a configuration with the subject of our records and everything that they need. */
export function withRecords(store: StoreName, config: StreamConfig): StreamConfig {
  const { records } = subjectsOf(store);
  const { subjects = [] } = config;
  return {
    ...config,
    subjects: subjects.includes(records) ? subjects : [...subjects, records],
    ...RECORD_FLAGS,
  };
}

/** Returns a configuration that accepts object info, or refuses it while DeleteBucket runs. */
export function withFence(store: StoreName, config: StreamConfig, fenced: boolean): StreamConfig {
  const { infos } = subjectsOf(store);
  const others = (config.subjects ?? []).filter((subject) => subject !== infos);
  return { ...config, subjects: fenced ? others : [...others, infos] };
}

/** Tells whether DeleteBucket keeps object info out of a stream. */
export function isFenced(store: StoreName, { subjects = [] }: StreamConfig): boolean {
  const { chunks, infos, records } = subjectsOf(store);
  return subjects.includes(chunks) && subjects.includes(records) && !subjects.includes(infos);
}

/** Tells whether a stream is an object store, or a mirror of one in another JetStream domain. */
export function isObjectStore(store: StoreName, config: StreamConfig): boolean {
  const { subjects = [], mirror } = config;
  const { chunks, infos } = subjectsOf(store);
  // A mirror has no subjects, and the objects of the stream that it mirrors.
  if (mirror) return isWholeMirror(store, mirror);
  return subjects.includes(chunks) && subjects.includes(infos);
}

/** Tells whether a mirror holds all messages of the stream of its own name, which is in another domain. */
function isWholeMirror(
  store: StoreName,
  { name, filter_subject, subject_transforms }: MirrorConfig,
): boolean {
  return name === streamOf(store) && !filter_subject && !subject_transforms?.length;
}

/** Tells whether a stream captures our records. */
export function capturesRecords(store: StoreName, { subjects = [] }: StreamConfig): boolean {
  return subjects.includes(subjectsOf(store).records);
}

/** Returns the facts in a stream's configuration. */
export function factsOf(store: StoreName, config: StreamConfig): StreamFacts {
  const { num_replicas, allow_direct, mirror, allow_msg_ttl, max_bytes = -1 } = config;
  const { subjects = [], sources, sealed = false } = config;
  const own = Object.values(subjectsOf(store));
  return {
    direct: allow_direct === true,
    single: num_replicas === 1 && allow_direct === true && !mirror,
    prepared: capturesRecords(store, config) && allow_msg_ttl === true,
    fenced: isFenced(store, config),
    quota: quotaOf(max_bytes),
    objectLimit: objectLimitOf(config.metadata),
    readOnly: Boolean(mirror),
    sealed,
    forgets: forgets(config),
    since: sources?.length || mirror ? 0 : timedSequence(config["first_seq"]),
    location: locationOf(config.metadata),
    mixed: Boolean(sources?.length) || !subjects.every((subject) => own.includes(subject)),
  };
}
