/**
 * The streams behind buckets. This file creates them, finds them, prepares them for our records and deletes them.
 *
 * Facts that last, such as a stream's name, are kept for three seconds. The state of a stream, such as its last sequence,
 * was true once, so only a caller that reads the stream gets it.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import { monotonic } from "../../world/world.ts";
import { JetStreamCode, JetStreamError } from "../jetstream/errors.ts";
import type { Requests } from "../jetstream/requests.ts";
import { type StoreName, storeOf, streamOf } from "../layout/names.ts";
import { VERSIONS_LAYOUT } from "../layout/subjects.ts";
import { createStream, mayTakeOwner } from "./create_stream.ts";
import { deleteStream } from "./delete_stream.ts";
import { liftAbandoned, readInfo, setFence, updateStream } from "./fence.ts";
import { LAYOUT_INTERVAL, stateLayoutVersion } from "./layout_version.ts";
import { type ListedStream, listStreams } from "./list_streams.ts";
import { keptTimes, readRecordFacts, type RecordFacts, WITHOUT_RECORDS } from "./record_facts.ts";
import { NEAR } from "./sequences.ts";
import {
  factsOf,
  isFenced,
  isObjectStore,
  stateOf,
  type StreamFacts,
  type StreamInfo,
  type StreamSettings,
  type StreamState,
  withRecords,
} from "./stream_config.ts";
import type { StreamObservers } from "./stream_observers.ts";
import { type SubjectCounts, subjectPages } from "./subject_pages.ts";

/** A bucket's stream: facts that last, or change so seldom that they may be some seconds old. */
export type BucketStream = StreamFacts & RecordFacts & {
  readonly bucket: BucketName;
  readonly store: StoreName;
  readonly stream: string;
  readonly created: Date;
};

/** A bucket's stream and its state when it was read. */
export type StreamReading = BucketStream & StreamState;

type Known = {
  readonly stream: StreamReading;
  readonly at: number;
  /** When the version of the layout was read. */
  readonly checked: number;
};

/** Finds streams and keeps the facts that last, never their state. */
export class Streams {
  readonly #requests: Requests;
  readonly #settings: StreamSettings;
  readonly #observers: StreamObservers;
  readonly #known = new Map<BucketName, Known>();

  constructor(
    requests: Requests,
    settings: StreamSettings,
    observers: StreamObservers = {},
  ) {
    this.#requests = requests;
    this.#observers = observers;
    this.#settings = settings;
  }

  /**
   * Returns the stream of a bucket as it was at most three seconds ago.
   *
   * @throws S3Error `NoSuchBucket`
   */
  get(bucket: BucketName): BucketStream | Promise<BucketStream> {
    return this.current(bucket) ?? this.read(bucket);
  }

  /** Returns the stream of a bucket if it was read in the last three seconds. */
  current(bucket: BucketName): BucketStream | undefined {
    const known = this.#known.get(bucket);
    return known !== undefined && monotonic() - known.at < LAYOUT_INTERVAL
      ? known.stream
      : undefined;
  }

  /**
   * Returns the stream that has a message of a sequence: the bucket may have been made anew since its stream was read.
   *
   * @throws S3Error `NoSuchBucket`
   */
  holding(bucket: BucketName, sequence: number): BucketStream | Promise<BucketStream> {
    const stream = this.#known.get(bucket)?.stream;
    const isKnown = stream !== undefined && sequence >= stream.since &&
      sequence <= stream.lastSequence + NEAR;
    return isKnown ? stream : this.read(bucket);
  }

  /** Returns the location of a bucket if this gateway has read its stream, which may be long ago. */
  knownLocation(bucket: BucketName): string | undefined {
    return this.#known.get(bucket)?.stream.location;
  }

  /**
   * Reads the stream of a bucket and its state; if it is to be anew, with what its records say.
   *
   * @throws S3Error `NoSuchBucket`
   */
  async read(bucket: BucketName, isAnew = false): Promise<StreamReading> {
    if (isAnew) this.#known.delete(bucket);
    const store = storeOf(bucket);
    if (store === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucket });
    try {
      return this.#keep(bucket, store, await readInfo(this.#requests, store));
    } catch (cause) {
      this.#known.delete(bucket);
      if (cause instanceof JetStreamError && cause.code === JetStreamCode.StreamNotFound) {
        this.#observers.forgetful?.note(bucket, false);
        throw new S3Error("NoSuchBucket", { BucketName: bucket }, { cause });
      }
      throw cause;
    }
  }

  /**
   * Returns the stream of a bucket, after adding the subject of our records and message TTLs if JetStream allows it: a
   * native client's stream lacks both. `prepared` tells whether the stream has them now. Without room for its record, the
   * layout's version is ours.
   *
   * @throws S3Error `NoSuchBucket`; `AccessDenied` for a mirror
   */
  async prepare(bucket: BucketName): Promise<BucketStream> {
    const known = await this.get(bucket);
    if (known.prepared) return known;
    if (known.readOnly) {
      throw new S3Error("AccessDenied", { BucketName: bucket }, {
        message:
          "The bucket is a mirror of a bucket in another JetStream domain, so it is read-only.",
      });
    }
    const { store } = known;
    const { config } = await readInfo(this.#requests, store);
    try {
      const updated = await updateStream(this.#requests, store, withRecords(store, config));
      await stateLayoutVersion(this.#requests, store);
      return await this.#keep(bucket, store, updated);
    } catch (cause) {
      if (cause instanceof JetStreamError) return known; // sealed, or not ours to change
      throw cause;
    }
  }

  /** Lists all streams that are buckets. */
  list(): Promise<readonly ListedStream[]> {
    return listStreams(this.#requests);
  }

  /**
   * Creates a bucket's stream, unless it exists.
   *
   * @param exists Whether it existed a moment ago.
   * @param creator Text of the owner's record.
   * @param location A location of S3, for a new stream.
   * @returns whether the owner may be recorded
   * @throws S3Error `OperationAborted` while it is being deleted
   */
  async create(
    store: StoreName,
    exists: boolean,
    creator: string,
    location?: string,
  ): Promise<boolean> {
    const { config } = exists
      ? await readInfo(this.#requests, store)
      : await createStream(this.#requests, store, this.#settings, { creator, location });
    if (isFenced(store, config)) throw new S3Error("OperationAborted");
    return await mayTakeOwner(this.#requests, store, config, creator);
  }

  /** Puts the fence up, which stops every writer of object info, native ones included, or takes it down. */
  async setFence(bucket: BucketName, store: StoreName, fenced: boolean): Promise<void> {
    this.#known.delete(bucket);
    await setFence(this.#requests, store, fenced);
  }

  /**
   * Deletes a bucket's stream, or does nothing if there is none, or one that was made anew.
   *
   * @param keep Sequence from which on messages are kept: that of the lock under which the bucket is deleted. Without it
   * nothing is purged, because a sealed stream refuses that.
   */
  async delete({ bucket, store, created }: BucketStream, keep?: number): Promise<void> {
    this.#known.delete(bucket);
    this.#observers.forgetful?.note(bucket, false);
    await deleteStream(this.#requests, store, created, keep);
  }

  /** Removes the messages of a subject, but for the last ones to keep. */
  async purge(stream: string, subject: string, keep?: number): Promise<void> {
    await this.#requests.call(`STREAM.PURGE.${stream}`, { filter: subject, keep });
  }

  /** Deletes one message by its sequence, and no other one of its subject. Returns whether it existed. */
  async deleteMessage(stream: string, sequence: number): Promise<boolean> {
    try {
      await this.#requests.call(`STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: true });
      return true;
    } catch (cause) {
      if (cause instanceof JetStreamError && cause.status !== 503) return false;
      throw cause;
    }
  }

  /** Lists the subjects that match a filter, with their numbers of messages; see {@linkcode subjectPages}. */
  subjectPages(stream: string, filter: string): AsyncGenerator<SubjectCounts> {
    return subjectPages(this.#requests, stream, filter);
  }

  /** Returns the subjects that match a filter and hold messages, as the leader knows them. */
  async listSubjects(stream: string, filter: string): Promise<readonly string[]> {
    const subjects = new Set<string>();
    for await (const page of this.subjectPages(stream, filter)) {
      for (const subject of Object.keys(page)) subjects.add(subject);
    }
    return [...subjects];
  }

  /** Notes that an object of the bucket is about to be renamed. */
  noteRename(bucket: BucketName): void {
    const known = this.#known.get(bucket);
    if (known === undefined || known.stream.hasRenamed) return;
    this.#known.set(bucket, { ...known, stream: { ...known.stream, hasRenamed: true } });
  }

  async #keep(bucket: BucketName, store: StoreName, info: StreamInfo): Promise<StreamReading> {
    const { config, ts } = info;
    this.#observers.clock?.note(ts);
    const facts = factsOf(store, config);
    const lifted = facts.fenced ? await liftAbandoned(this.#requests, store, info) : undefined;
    if (lifted !== undefined) return await this.#keep(bucket, store, lifted);
    if (!facts.fenced && !isObjectStore(store, config)) {
      throw new S3Error("NoSuchBucket", { BucketName: bucket });
    }
    const { checked, ...found } = facts.prepared
      ? await this.#readRecords(bucket, store, info)
      : { checked: 0, ...WITHOUT_RECORDS };
    const reading: StreamReading = {
      ...found,
      ...{ bucket, store, stream: streamOf(store) },
      created: new Date(info.created),
      ...facts,
      ...stateOf(info),
    };
    this.#observers.forgetful?.note(bucket, facts.forgets && reading.layout >= VERSIONS_LAYOUT);
    // Fences are short-lived, so they are never kept.
    const times = keptTimes(reading, info, checked);
    if (!facts.fenced) this.#known.set(bucket, { stream: reading, ...times });
    return reading;
  }

  /** Checks the layout's version and looks for renamed objects, unless that was just done. Returns when it was done. */
  async #readRecords(
    bucket: BucketName,
    store: StoreName,
    { created }: StreamInfo,
  ): Promise<RecordFacts & { readonly checked: number }> {
    const now = monotonic();
    const known = this.#known.get(bucket);
    const isKnown = known?.stream.prepared === true && now - known.checked < LAYOUT_INTERVAL &&
      known.stream.created.getTime() === Date.parse(created);
    if (isKnown) return { checked: known.checked, ...known.stream };
    return {
      checked: now,
      ...await readRecordFacts(this.#requests, bucket, store, this.#observers.report),
    };
  }
}
