/**
 * The streams behind buckets: made, looked up, brought to our layout, deleted.
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import { JetStreamCode, JetStreamError, Unanswered } from "../jetstream/errors.ts";
import {
  LAYOUT_VERSION,
  records,
  type StoreName,
  storeOf,
  storeOfStream,
  streamOf,
  subjectsOf,
} from "../layout/subjects.ts";
import { textOf } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import type { BucketCompression, BucketStorage } from "./storage.ts";

/** How new streams are made. */
export type StreamSettings = {
  /** Copies that JetStream keeps, 1 to 5. */
  readonly replicas: number;
  readonly storage: BucketStorage;
  readonly compression: BucketCompression;
  /** Bytes that objects may fill, of each bucket that is made; undefined for no limit. */
  readonly quota?: number | undefined;
};

/** A bucket's stream, as it was when it was looked up. */
export type BucketStream = {
  readonly bucket: BucketName;
  readonly store: StoreName;
  readonly stream: string;
  readonly created: Date;
  /** Any replica's direct get is the leader's: there is one copy and no mirror. */
  readonly single: boolean;
  /** Has the records' subject and message TTLs: everything beyond plain objects works. */
  readonly prepared: boolean;
  /** DeleteBucket is at work: no object info can be written. */
  readonly fenced: boolean;
  /** Bytes stored, and how many PUTs may fill; Infinity without a limit. */
  readonly bytes: number;
  readonly quota: number;
  /** No message has a lower one. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** nats-server's clock when it was looked up. */
  readonly at: Date;
};

type StreamConfig = {
  readonly name: string;
  readonly subjects?: readonly string[];
  readonly num_replicas: number;
  readonly allow_direct?: boolean;
  readonly allow_msg_ttl?: boolean;
  readonly allow_atomic?: boolean;
  readonly mirror?: unknown;
  readonly max_bytes?: number;
  readonly [field: string]: unknown;
};

type StreamInfo = {
  readonly config: StreamConfig;
  readonly created: string;
  readonly ts: string;
  readonly state: {
    readonly first_seq: number;
    readonly last_seq: number;
    readonly bytes: number;
  };
};

type StreamPage = {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly streams: readonly StreamInfo[] | null;
};

type SubjectPage = {
  readonly total?: number;
  readonly state: { readonly subjects?: Readonly<Record<string, number>> | null };
};

/** How often a stream is made whose name's earlier files are still being removed. */
const CREATE_ATTEMPTS = 8;
/** How often an unanswered deletion is asked for. */
const DELETE_ATTEMPTS = 3;
/** For how long what is known of a stream's configuration is believed, in milliseconds. */
const BELIEVED = 3000;

/** Looks streams up and keeps what does not change: their configuration, never their contents. */
export class Streams {
  readonly #requests: Requests;
  readonly #settings: StreamSettings;
  readonly #known = new Map<BucketName, { readonly stream: BucketStream; readonly at: number }>();

  constructor(requests: Requests, settings: StreamSettings) {
    this.#requests = requests;
    this.#settings = settings;
  }

  /**
   * The stream of a bucket, as it was not long ago.
   *
   * @throws S3Error `NoSuchBucket`
   */
  get(bucket: BucketName): BucketStream | Promise<BucketStream> {
    const known = this.#known.get(bucket);
    if (known !== undefined && performance.now() - known.at < BELIEVED) return known.stream;
    return this.read(bucket);
  }

  /**
   * The stream of a bucket, as it is now.
   *
   * @throws S3Error `NoSuchBucket`
   */
  async read(bucket: BucketName): Promise<BucketStream> {
    const store = storeOf(bucket);
    if (store === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucket });
    try {
      return this.#keep(bucket, store, await this.#info(store));
    } catch (cause) {
      this.#known.delete(bucket);
      if (cause instanceof JetStreamError && cause.code === JetStreamCode.StreamNotFound) {
        throw new S3Error("NoSuchBucket", { BucketName: bucket }, { cause });
      }
      throw cause;
    }
  }

  /**
   * The stream of a bucket, with the subject of our records and message TTLs where JetStream lets us add them: a native
   * client's stream lacks both. `prepared` says whether it has them now.
   *
   * @throws S3Error `NoSuchBucket`
   */
  async prepare(bucket: BucketName): Promise<BucketStream> {
    const known = await this.get(bucket);
    if (known.prepared) return known;
    const { config } = await this.#info(known.store);
    const { records: recordSubject } = subjectsOf(known.store);
    const subjects = config.subjects ?? [];
    try {
      const updated = await this.#requests.call<StreamInfo>(`STREAM.UPDATE.${known.stream}`, {
        ...config,
        subjects: subjects.includes(recordSubject) ? subjects : [...subjects, recordSubject],
        allow_msg_ttl: true,
        allow_atomic: true,
        allow_direct: true,
        allow_rollup_hdrs: true,
      });
      await this.#requests.publish(records.bucket(known.store, "layout"), LAYOUT, { rollup: true });
      return await this.#keep(bucket, known.store, updated);
    } catch (cause) {
      if (cause instanceof JetStreamError) return known; // sealed, or not ours to change
      throw cause;
    }
  }

  /** All streams that are buckets, with the bucket each is. */
  async list(): Promise<readonly { readonly store: StoreName; readonly created: Date }[]> {
    const found: { store: StoreName; created: Date }[] = [];
    for (let offset = 0, total = 1; offset < total;) {
      const page = await this.#requests.call<StreamPage>("STREAM.LIST", {
        offset,
        subject: "$O.>",
      });
      for (const { config, created } of page.streams ?? []) {
        const store = storeOfStream(config.name);
        if (store !== undefined && isObjectStore(store, config)) {
          found.push({ store, created: new Date(created) });
        }
      }
      total = page.total;
      offset += page.streams?.length || page.limit || total;
    }
    return found;
  }

  /**
   * Makes a bucket's stream. One that is there already is left as it is.
   *
   * @returns whether a stream with our layout is there that holds neither objects nor a record of the bucket
   * @throws S3Error `OperationAborted` while it is being deleted
   */
  async create(store: StoreName): Promise<boolean> {
    await this.#create(store);
    const { config } = await this.#info(store);
    if (isFenced(store, config)) throw new S3Error("OperationAborted");
    const { chunks, infos, records: recordSubject } = subjectsOf(store);
    if (!(config.subjects ?? []).includes(recordSubject)) return false;
    for (const filter of [records.bucket(store, "*"), infos, chunks]) {
      if ((await this.countBySubject(streamOf(store), filter)).size > 0) return false;
    }
    return true;
  }

  async #create(store: StoreName): Promise<void> {
    const { replicas, storage, compression, quota } = this.#settings;
    const { chunks, infos, records } = subjectsOf(store);
    const config = {
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
      allow_rollup_hdrs: true,
      allow_direct: true,
      allow_msg_ttl: true,
      allow_atomic: true,
    };
    for (let attempt = 1;; attempt++) {
      try {
        await this.#requests.call(`STREAM.CREATE.${streamOf(store)}`, config);
        return;
      } catch (cause) {
        if (!(cause instanceof JetStreamError)) throw cause;
        if (cause.code === JetStreamCode.StreamNameInUse) return;
        if (cause.code !== JetStreamCode.StreamStoreFailed || attempt === CREATE_ATTEMPTS) {
          throw cause;
        }
        await delay(20 * attempt); // the same files, in the middle of being removed
      }
    }
  }

  /** Stops every writer of object info, native ones too, until the bucket is deleted or the fence is taken down. */
  async fence(bucket: BucketName, store: StoreName): Promise<void> {
    this.#known.delete(bucket);
    await this.#setFence(store, true);
  }

  /** Takes the fence down. */
  async unfence(bucket: BucketName, store: StoreName): Promise<void> {
    this.#known.delete(bucket);
    await this.#setFence(store, false);
  }

  async #setFence(store: StoreName, fenced: boolean): Promise<StreamInfo> {
    const { config } = await this.#info(store);
    const { infos } = subjectsOf(store);
    const others = (config.subjects ?? []).filter((subject) => subject !== infos);
    const subjects = fenced ? others : [...others, infos];
    return await this.#requests.call<StreamInfo>(`STREAM.UPDATE.${streamOf(store)}`, {
      ...config,
      subjects,
    });
  }

  /** A fence without its lock is what a gateway left that died while it deleted the bucket. */
  async #isBeingDeleted(store: StoreName): Promise<boolean> {
    const lock = await this.#requests.leaderGet(streamOf(store), {
      last_by_subj: records.lock(store, "delete"),
    });
    return lock !== undefined;
  }

  /**
   * Deletes a bucket's stream; one that is gone already is no error.
   *
   * Its messages are purged before. nats-server removes the files of a deleted stream in the background, and a new one
   * of the same name may come up with what is still there (seen with 2.15.2).
   *
   * @param keep Sequence from which on messages are kept: the lock under which the bucket is deleted. Without one nothing
   * is purged, as of a sealed stream nothing can be.
   */
  async delete(bucket: BucketName, store: StoreName, keep?: number): Promise<void> {
    this.#known.delete(bucket);
    if (keep !== undefined) {
      await this.#requests.call(`STREAM.PURGE.${streamOf(store)}`, { seq: keep });
    }
    for (let attempt = 1;; attempt++) {
      try {
        await this.#requests.call(`STREAM.DELETE.${streamOf(store)}`);
        return;
      } catch (cause) {
        if (cause instanceof JetStreamError && cause.code === JetStreamCode.StreamNotFound) return;
        if (!(cause instanceof Unanswered) || attempt === DELETE_ATTEMPTS) throw cause;
      }
    }
  }

  /** Removes all messages of a subject. */
  async purge(stream: string, subject: string): Promise<void> {
    await this.#requests.call(`STREAM.PURGE.${stream}`, { filter: subject });
  }

  /** The subjects of a stream that match a filter and hold messages, as the leader knows them, and how many each. */
  async countBySubject(stream: string, filter: string): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (let total = 1; counts.size < total;) {
      const { state, total: all = 0 } = await this.#requests.call<SubjectPage>(
        `STREAM.INFO.${stream}`,
        { subjects_filter: filter, offset: counts.size },
      );
      const page = Object.entries(state.subjects ?? {});
      if (page.length === 0) break;
      for (const [subject, count] of page) counts.set(subject, count);
      total = all;
    }
    return counts;
  }

  /** The subjects of a stream that match a filter and hold messages, as the leader knows them. */
  async listSubjects(stream: string, filter: string): Promise<readonly string[]> {
    return [...(await this.countBySubject(stream, filter)).keys()];
  }

  async #info(store: StoreName): Promise<StreamInfo> {
    return await this.#requests.call<StreamInfo>(`STREAM.INFO.${streamOf(store)}`);
  }

  async #keep(bucket: BucketName, store: StoreName, info: StreamInfo): Promise<BucketStream> {
    if (isFenced(store, info.config) && !await this.#isBeingDeleted(store)) {
      return await this.#keep(bucket, store, await this.#setFence(store, false));
    }
    const { config, state } = info;
    const fenced = isFenced(store, config);
    if (!fenced && !isObjectStore(store, config)) {
      throw new S3Error("NoSuchBucket", { BucketName: bucket });
    }
    const subjects = config.subjects ?? [];
    const prepared = subjects.includes(subjectsOf(store).records) && config.allow_msg_ttl === true;
    if (prepared) await this.#checkVersion(bucket, store);
    const stream: BucketStream = {
      bucket,
      store,
      stream: streamOf(store),
      created: new Date(info.created),
      single: config.num_replicas === 1 && config.allow_direct === true &&
        config.mirror === undefined,
      prepared,
      fenced,
      bytes: state.bytes,
      quota: quotaOf(config.max_bytes ?? -1),
      firstSequence: state.first_seq,
      lastSequence: state.last_seq,
      at: new Date(info.ts),
    };
    // A fence does not stand long: it is looked for each time.
    if (!fenced) this.#known.set(bucket, { stream, at: performance.now() });
    return stream;
  }

  /** A layout that a newer gateway wrote is left alone. */
  async #checkVersion(bucket: BucketName, store: StoreName): Promise<void> {
    if (this.#known.get(bucket)?.stream.prepared === true) return;
    const record = await this.#requests.leaderGet(streamOf(store), {
      last_by_subj: records.bucket(store, "layout"),
    });
    if (record === undefined) return; // the maker crashed before it wrote it, so it is of this version
    const { version } = JSON.parse(textOf(record.data)) as { readonly version?: unknown };
    if (version !== LAYOUT_VERSION) {
      throw new S3Error("InternalError", { BucketName: bucket }, {
        message: `The bucket has layout version ${version}; this gateway knows ${LAYOUT_VERSION}.`,
      });
    }
  }
}

/** Room beyond a quota, in which deletes, trash and listings go on when PUTs are refused. */
function reserveOf(quota: number): number {
  return Math.max(1024 * 1024, Math.ceil(quota / 100));
}

/** What PUTs may fill of a stream's `max_bytes`. */
function quotaOf(maxBytes: number): number {
  if (maxBytes <= 0) return Infinity;
  return Math.max(0, Math.min(maxBytes - 1024 * 1024, Math.floor(maxBytes / 1.01)));
}

function isFenced(store: StoreName, { subjects = [] }: StreamConfig): boolean {
  const { chunks, infos, records } = subjectsOf(store);
  return subjects.includes(chunks) && subjects.includes(records) && !subjects.includes(infos);
}

/** The record that states the layout's version. */
export const LAYOUT = JSON.stringify({ version: LAYOUT_VERSION });

function isObjectStore(store: StoreName, config: StreamConfig): boolean {
  const { chunks, infos } = subjectsOf(store);
  const subjects = config.subjects ?? [];
  return config.mirror !== undefined || (subjects.includes(chunks) && subjects.includes(infos));
}
