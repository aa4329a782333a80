/**
 * A client of NATS's own object store, as nats.go writes one: it puts and deletes without an expectation, purges at once, and
 * knows nothing of gateways. It also forges a record now and then.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
 * @module
 */

import { headers, type Msg } from "@nats-io/nats-core";
import { createHash } from "node:crypto";
import { digestETag, formatDigest } from "../../src/nats/layout/info_metadata.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { parseInfo } from "../../src/nats/layout/object_info.ts";
import type { Nuid } from "../../src/nats/layout/nuid.ts";
import { chunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import type { ClientWorld } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import type { SimulatedConnection } from "./connection.ts";
import { Random } from "./random.ts";
import { namedGroups } from "./truth.ts";
import { placeOf } from "./witness.ts";

const CHUNK = 1024;
/** Milliseconds after which a request counts as unanswered. */
const TIMEOUT = 5000;
/** Bytes of a message that fills a bucket, and how many of them suffice. */
const [FILLING, MAX_FILLINGS] = [200_000, 8];
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

type NativeInfo = { readonly nuid: string; readonly chunks: number; readonly deleted?: boolean };

/** A native client with a connection of its own. */
export class NativeClient {
  readonly #cluster: Cluster;
  readonly #world: ClientWorld;
  readonly #name: string;
  readonly #store: StoreName;
  readonly #connection: SimulatedConnection;
  readonly #waiting = new Map<string, (message: Msg | undefined) => void>();
  #requests = 0;

  constructor(cluster: Cluster, world: ClientWorld, number: number) {
    this.#cluster = cluster;
    this.#world = world;
    this.#name = `native${number}`;
    this.#store = world.bucket as string as StoreName;
    const { network, links, clients } = cluster;
    this.#connection = network.connect(this.#name);
    links.add(this.#connection, clients, new Random(world.seed * 31 + number));
    this.#connection.subscribe(`_INBOX.${this.#name}.*`, {
      callback: (_, message) => {
        this.#waiting.get(message.subject)?.(message);
        this.#waiting.delete(message.subject);
      },
    });
  }

  /** Does some operations, one after the other. */
  async run(number: number, operations: number): Promise<void> {
    const { wait, gate, busy, pace, seed, skipped, log, keys, isLimited } = this.#world;
    for (let index = 0; index < operations; index++) {
      const random = new Random(seed * 6101 + number * 7 + index * 32_452_843);
      await wait(random.between(1, 4 * pace));
      await gate();
      if (skipped.has(`${this.#name}.${index}`)) continue;
      busy.count++;
      const key = random.pick(keys);
      const choice = random.next();
      const [what, outcome] = choice < 0.6
        ? ["native put", await this.#put(key, random)]
        : choice < 0.9
        ? ["native delete", await this.#delete(key)]
        : isLimited
        ? ["native filling", await this.#fill(index)]
        : ["native forgery", await this.#forge(key, random)];
      busy.count--;
      log(what, outcome ? "done" : "unanswered");
    }
  }

  async #put(key: ObjectKey, random: Random): Promise<boolean> {
    const { contents, witness, bucket } = this.#world;
    const { bytes } = contents.make(8 + random.below(4000));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const nuid = Array.from({ length: 22 }, () => DIGITS[random.below(36)]).join("") as Nuid;
    const etag = digestETag(sha256, nuid);
    contents.add(etag, bytes);
    this.#world.tags.begin(etag, {});
    const before = await this.#info(key);
    if (before === "unanswered") return false;
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const chunk = bytes.slice(at, at + CHUNK);
      if (await this.#publish(chunkSubject(this.#store, nuid), chunk)) continue;
      await this.#purge(nuid);
      return false;
    }
    const chunks = Math.ceil(bytes.length / CHUNK);
    const info = {
      name: key,
      options: { max_chunk_size: CHUNK },
      bucket: this.#store,
      nuid,
      size: bytes.length,
      mtime: "0001-01-01T00:00:00Z",
      chunks,
      digest: formatDigest(sha256),
    };
    if (before !== undefined) this.#replace(key, before);
    const begun = witness.history.write(placeOf(bucket, key), etag, `native PUT ${etag}`);
    if (!await this.#publish(infoSubject(this.#store, key), JSON.stringify(info), true)) {
      return false;
    }
    begun.end("done");
    if (before !== undefined && before.deleted !== true) await this.#spoil(key, before);
    return true;
  }

  async #delete(key: ObjectKey): Promise<boolean> {
    const { witness, bucket } = this.#world;
    const info = await this.#info(key);
    if (info === "unanswered") return false;
    if (info === undefined || info.deleted === true) return true;
    const marker = { ...info, deleted: true, size: 0, chunks: 0, digest: "" };
    this.#replace(key, info);
    const begun = witness.history.write(placeOf(bucket, key), null, "native DELETE");
    if (!await this.#publish(infoSubject(this.#store, key), JSON.stringify(marker), true)) {
      return false;
    }
    begun.end("done");
    await this.#spoil(key, info);
    return true;
  }

  /** Fills the bucket to the brim with bytes that nothing names. */
  async #fill(index: number): Promise<boolean> {
    const bytes = new Uint8Array(FILLING);
    for (let chunk = 0; chunk < MAX_FILLINGS; chunk++) {
      const subject = chunkSubject(this.#store, `${this.#name}-${index}-${chunk}` as Nuid);
      if (!await this.#publish(subject, bytes)) return true;
    }
    return true;
  }

  /** Claims that a group which some object names is trash of another key. */
  async #forge(key: ObjectKey, random: Random): Promise<boolean> {
    const stream = this.#cluster.jetStream.stream(`OBJ_${this.#store}`);
    if (stream === undefined) return false;
    const named = [...namedGroups({ name: this.#store, store: stream.store })];
    if (named.length === 0) return true;
    const nuid = random.pick(named) as Nuid;
    const record = JSON.stringify({ key, replaced: true });
    return await this.#publish(records.trash(this.#store, nuid), record, true);
  }

  async #info(key: ObjectKey): Promise<NativeInfo | "unanswered" | undefined> {
    const query = JSON.stringify({ last_by_subj: infoSubject(this.#store, key) });
    const reply = await this.#request(`$JS.API.STREAM.MSG.GET.OBJ_${this.#store}`, query);
    if (reply === undefined) return "unanswered";
    const { message, error } = reply.json<
      { message?: { data: string }; error?: { code: number } }
    >();
    if (error !== undefined) return error.code === 404 ? undefined : "unanswered";
    const text = new TextDecoder().decode(Uint8Array.fromBase64(message?.data ?? ""));
    return JSON.parse(text) as NativeInfo;
  }

  /** Hears that an object is about to be replaced: an older record of its version may show older tags from then on. */
  #replace(key: ObjectKey, info: NativeInfo): void {
    const etag = etagOf(key, info);
    if (this.#world.versions !== undefined && etag !== undefined) this.#world.tags.share(etag);
  }

  /** Purges the bytes of an object, wherever it may be now. */
  async #spoil(key: ObjectKey, info: NativeInfo): Promise<void> {
    const etag = etagOf(key, info);
    if (etag !== undefined) this.#world.spoilt.add(etag);
    await this.#purge(info.nuid);
  }

  async #purge(nuid: string): Promise<void> {
    const filter = chunkSubject(this.#store, nuid as Nuid);
    await this.#request(`$JS.API.STREAM.PURGE.OBJ_${this.#store}`, JSON.stringify({ filter }));
  }

  async #publish(
    subject: string,
    data: Uint8Array | string,
    rollup = false,
  ): Promise<boolean> {
    const reply = await this.#request(subject, data, rollup);
    return reply !== undefined && reply.data.length > 0 &&
      reply.json<{ error?: unknown }>().error === undefined;
  }

  #request(subject: string, data: Uint8Array | string, rollup = false): Promise<Msg | undefined> {
    const { scheduler, clients } = this.#cluster;
    this.#world.trace.add(this.#name, `sends ${subject}`);
    return new Promise((resolve) => {
      const reply = `_INBOX.${this.#name}.${this.#requests++}`;
      const timeout = scheduler.after(TIMEOUT, clients, () => {
        this.#waiting.delete(reply);
        resolve(undefined);
      });
      this.#waiting.set(reply, (message) => {
        scheduler.cancel(timeout);
        resolve(message);
      });
      const fields = headers();
      if (rollup) fields.set("Nats-Rollup", "sub");
      this.#connection.publish(subject, data, rollup ? { reply, headers: fields } : { reply });
    });
  }
}

function etagOf(key: ObjectKey, info: NativeInfo): string | undefined {
  const parsed = parseInfo(key, new TextEncoder().encode(JSON.stringify(info)), new Date(0));
  return parsed.kind === "object" ? parsed.object.info.etag : undefined;
}
