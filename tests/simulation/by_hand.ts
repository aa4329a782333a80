/**
 * What operators and odd clients do to a bucket by hand, past all gateways: they limit it, switch direct gets off, mirror it,
 * and leave records and objects that no gateway can read. None of it may cost anything else.
 * @module
 */

import { createHash } from "node:crypto";
import { formatDigest } from "../../src/nats/layout/info_metadata.ts";
import { textOf } from "../../src/nats/jetstream/messages.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { someBytes } from "../nats/store_on_server.ts";
import type { ClientWorld } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { contentInput } from "./contents.ts";
import type { Random } from "./random.ts";
import { crowd, putLarge, shrinkPayload } from "./more_by_hand.ts";
import { heldBucket } from "./truth.ts";

/** Things done by hand. */
export const HAND_WORK = [
  ...["records", "dotted", "heavy", "indirect", "backup", "full"] as const,
  ...["payload", "large", "crowd"] as const,
];
/** A thing done by hand. */
export type HandWork = typeof HAND_WORK[number];

/** Keys of odd objects begin so; clients neither write nor expect them. */
export const BY_HAND = "by hand/";
/** The nuid of odd records. They are left for good. */
export const ODD_NUID = "odd";

/** An object that a native client leaves. */
type OddObject = {
  readonly key: ObjectKey;
  readonly nuid: string;
  readonly metadata: Readonly<Record<string, string>>;
};

/** An object whose chunks have names of their own. */
const DOTTED: OddObject = { key: `${BY_HAND}dotted` as ObjectKey, nuid: "2026.11", metadata: {} };
/** An object that exists, and whose info no gateway can show. */
const HEAVY: OddObject = {
  key: `${BY_HAND}heavy` as ObjectKey,
  nuid: "heavy",
  metadata: { "x-amz-meta-a": "a".repeat(9000) },
};
/** A mirror whose name is that of another bucket. */
const BACKUP = "backup" as BucketName;
/** Milliseconds until a message has arrived. */
const ARRIVAL = 100;
/** Latest time of something, in milliseconds after the beginning. */
const LATEST = 3000;
/** Requests of clients that must be refused, and the longest pause between two. */
const [ATTEMPTS, PAUSE] = [5, 2000];

/** The things that are done by hand in one simulation. */
export class ByHand {
  readonly #cluster: Cluster;
  readonly #world: ClientWorld;
  readonly #works: ReadonlySet<HandWork>;
  readonly #random: Random;
  /** Objects of which the server got everything. */
  readonly #left = new Set<OddObject>();
  /** The limit of the bucket before. */
  #maxBytes = -1;
  readonly #publish: (subject: string, data: string | Uint8Array) => void;

  constructor(
    cluster: Cluster,
    world: ClientWorld,
    works: ReadonlySet<HandWork>,
    random: Random,
  ) {
    this.#cluster = cluster;
    this.#world = world;
    this.#works = works;
    this.#random = random;
    const operator = cluster.network.connect("operator");
    cluster.links.add(operator, cluster.clients, random.fork());
    this.#publish = (subject, data) => {
      world.trace.add("operator", `sends ${subject}`);
      operator.publish(subject, data);
    };
  }

  /** Does everything, each at a moment of its own, and what clients try because of it. */
  async run(): Promise<void> {
    await Promise.all([...this.#works].map(async (work) => {
      await this.#cluster.wait(this.#random.between(1, LATEST));
      await this.#do(work);
    }));
  }

  /** Gives the bucket its room back. */
  heal(): void {
    if (this.#works.has("full")) this.#update({ max_bytes: this.#maxBytes });
  }

  /** Checks that what natives left is still there. */
  check(): void {
    const { witness, bucket } = this.#world;
    const held = heldBucket(this.#cluster.jetStream, bucket);
    for (const { key, nuid } of this.#left) {
      const info = held?.store.last(infoSubject(held.name, key));
      // Where a power failure took the object, a client may have put another one.
      if (held === undefined || info === undefined) continue;
      if (!textOf(info.data).includes(`"nuid":"${nuid}"`)) continue;
      if (held.store.last(`$O.${held.name}.C.${nuid}`) !== undefined) continue;
      witness.object(`The chunks of the native object "${key}" are gone`);
    }
  }

  async #do(work: HandWork): Promise<void> {
    const { bucket } = this.#world;
    const store = bucket as string as StoreName;
    switch (work) {
      case "records":
        this.#publish(`$O.${store}.S3.upload.${ODD_NUID}`, "null");
        this.#publish(`$O.${store}.S3.trash.${ODD_NUID}`, "null");
        this.#publish(records.snapshot(store), '{"version":1,"pages":0}');
        break;
      case "dotted":
        await this.#leave(DOTTED);
        break;
      case "heavy":
        await this.#leave(HEAVY);
        await this.#putWhereHeavyIs();
        break;
      case "indirect":
        this.#update({ allow_direct: false });
        break;
      case "backup":
        this.#create();
        await this.#deleteBackup();
        break;
      case "payload":
        await shrinkPayload(this.#cluster, this.#random);
        break;
      case "large":
        await putLarge(this.#cluster, this.#world, this.#random);
        break;
      case "crowd":
        await crowd(this.#cluster, this.#world, this.#random, this.#publish);
        break;
      case "full":
        this.#world.witness.mayBeFull = true;
        this.#maxBytes = this.#cluster.jetStream.stream(`OBJ_${store}`)?.config.max_bytes ?? -1;
        this.#update({ max_bytes: this.#size() + this.#random.below(2000) });
        break;
    }
  }

  /** Leaves an object as a native client does. */
  async #leave(object: OddObject): Promise<void> {
    const { key, nuid, metadata } = object;
    const store = this.#world.bucket as string as StoreName;
    const bytes = someBytes(500, 7);
    this.#publish(`$O.${store}.C.${nuid}`, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const info = {
      ...{ name: key, bucket: store, nuid, size: bytes.length, mtime: "0001-01-01T00:00:00Z" },
      ...{ chunks: 1, digest: formatDigest(sha256), metadata },
    };
    this.#publish(infoSubject(store, key), JSON.stringify(info));
    await this.#cluster.wait(ARRIVAL);
    // Nobody waited for responses: the server may have had no leader.
    const held = heldBucket(this.#cluster.jetStream, this.#world.bucket);
    if (held?.store.last(`$O.${store}.C.${nuid}`) !== undefined) this.#left.add(object);
  }

  /** An object that cannot be shown exists nevertheless. */
  async #putWhereHeavyIs(): Promise<void> {
    await this.#attempt("PUT if none", async (gateway, bucket) => {
      const content = this.#world.contents.make(600);
      const exists = this.#isThere(HEAVY.key);
      const ended = await gateway.call(
        "PUT by hand",
        (store) =>
          store.putObject(bucket, HEAVY.key, {
            content: contentInput(content, 1000, 0),
            properties: { system: {}, user: {}, tags: {} },
            owner: "me",
            precondition: { ifNoneMatch: "*" },
          }),
      );
      return exists && ended.kind === "done";
    });
  }

  /** A mirror is no bucket, so nobody can delete it. */
  async #deleteBackup(): Promise<void> {
    await this.#attempt("DELETE BUCKET of a mirror", async (gateway) => {
      const exists = this.#cluster.jetStream.stream(`OBJ_${BACKUP}`) !== undefined;
      const ended = await gateway.call("DELETE BACKUP", (store) => store.deleteBucket(BACKUP));
      return exists && ended.kind === "done";
    });
  }

  async #attempt(
    what: string,
    succeeds: (gateway: Cluster["gateways"][number], bucket: BucketName) => Promise<boolean>,
  ): Promise<void> {
    const { gate, busy, witness, bucket } = this.#world;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await this.#cluster.wait(this.#random.between(1, PAUSE));
      await gate();
      const { running } = this.#cluster;
      if (running.length === 0) continue;
      busy.count++;
      if (await succeeds(this.#random.pick(running), bucket)) {
        witness.object(`${what} was answered as done`);
      }
      busy.count--;
    }
  }

  #isThere(key: ObjectKey): boolean {
    const held = heldBucket(this.#cluster.jetStream, this.#world.bucket);
    return held?.store.last(infoSubject(held.name, key)) !== undefined;
  }

  #size(): number {
    const { bucket } = this.#world;
    return heldBucket(this.#cluster.jetStream, bucket)?.store.bytes ?? 0;
  }

  #update(changes: Readonly<Record<string, unknown>>): void {
    const stream = `OBJ_${this.#world.bucket}`;
    const config = this.#cluster.jetStream.stream(stream)?.config;
    if (config === undefined) return;
    this.#publish(`$JS.API.STREAM.UPDATE.${stream}`, JSON.stringify({ ...config, ...changes }));
  }

  #create(): void {
    const [name, mirror] = [`OBJ_${BACKUP}`, { name: `OBJ_${this.#world.bucket}` }];
    const config = { name, mirror, storage: "file", allow_direct: true, mirror_direct: true };
    this.#publish(`$JS.API.STREAM.CREATE.${name}`, JSON.stringify(config));
  }
}
