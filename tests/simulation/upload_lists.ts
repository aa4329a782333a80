/**
 * Lists of uploads and of their parts, and which uploads they must show.
 * @module
 */

import { isS3Error } from "../../src/s3/errors.ts";
import type { ObjectKey, UploadId } from "../../src/s3/names.ts";
import type { Acting } from "./clients.ts";
import type { Content } from "./contents.ts";
import { SWEEP } from "./gateway.ts";

/** An upload that a client has begun. */
type Upload = {
  readonly key: ObjectKey;
  /** When it began, in simulated time. */
  readonly began: number;
  state: "open" | "ending" | "ended";
};

/** The uploads of the bucket that stays. */
export class Uploads {
  readonly #uploads = new Map<UploadId, Upload>();
  readonly #expired = new Set<UploadId>();

  /** Hears that an upload has begun. */
  begin(id: UploadId, key: ObjectKey, now: number): void {
    this.#uploads.set(id, { key, began: now, state: this.#expired.has(id) ? "ending" : "open" });
  }

  /** Hears that somebody completes or aborts an upload, or has done so. */
  end(id: UploadId, state: "ending" | "ended"): void {
    const upload = this.#uploads.get(id);
    if (upload !== undefined) upload.state = state;
  }

  /** Hears that a lifecycle rule ends an upload. Returns when it began; undefined if no client has heard of it yet. */
  expires(id: UploadId): number | undefined {
    this.#expired.add(id);
    this.end(id, "ending");
    return this.#uploads.get(id)?.began;
  }

  /** Tells whether a lifecycle rule has ended an upload. */
  hasExpired(id: UploadId): boolean {
    return this.#expired.has(id);
  }

  /** Forgets all: the server may have forgotten some. */
  beginAnew(): void {
    this.#uploads.clear();
  }

  /** Returns the ids of uploads in a state that no sweep has aborted yet. */
  idsOf(state: Upload["state"], now: number): ReadonlySet<UploadId> {
    const young = [...this.#uploads].filter(([, upload]) =>
      upload.state === state && now - upload.began < SWEEP.uploadExpiry / 2
    );
    return new Set(young.map(([id]) => id));
  }
}

/** Lists all uploads, page by page. */
export async function listUploads(acting: Acting): Promise<string> {
  const { bucket, random, call, witness, uploads, scheduler } = acting;
  if (bucket === acting.fleeting) return "not here";
  const [open, ended] = [
    uploads.idsOf("open", scheduler.now),
    uploads.idsOf("ended", scheduler.now),
  ];
  const limit = random.chance(0.5) ? 1000 : 1 + random.below(3);
  const shown = new Set<UploadId>();
  let [keyMarker, uploadIdMarker] = ["", ""];
  for (;;) {
    const query = { prefix: "", delimiter: "", keyMarker, uploadIdMarker, limit };
    const ended = await call("LIST UPLOADS", (store) => store.listUploads(bucket, query));
    if (ended.kind === "lost") return "lost";
    if (ended.kind === "failed") return witness.judge(ended.cause, "LIST UPLOADS", bucket);
    const ids = ended.value.uploads.map(({ id }) => id);
    // After a marker that has ended, a page begins with the first upload of its key.
    if (new Set(ids).size !== ids.length) witness.object(`LIST UPLOADS shows one twice: ${ids}`);
    for (const id of ids) shown.add(id);
    if (ended.value.next === undefined) break;
    ({ keyMarker, uploadIdMarker } = ended.value.next);
  }
  const still = uploads.idsOf("open", scheduler.now);
  for (const id of open.intersection(still)) {
    if (!shown.has(id)) witness.object(`LIST UPLOADS does not show ${id}`);
  }
  for (const id of ended) {
    if (shown.has(id)) witness.object(`LIST UPLOADS shows ${id}, which ended`);
  }
  return "done";
}

/** Looks whether an upload has the parts that its client has put. */
export async function listParts(
  acting: Acting,
  key: ObjectKey,
  id: UploadId,
  parts: readonly Content[],
): Promise<void> {
  const { bucket, random, call, witness } = acting;
  const limit = random.chance(0.5) ? 1000 : 1;
  const found: string[] = [];
  const what = `LIST PARTS ${key} ${id}`;
  for (let after = 0;;) {
    const page = { after, limit };
    const ended = await call(what, async (store) => {
      await store.readUpload(bucket, key, id);
      return await store.listParts(bucket, key, id, page);
    });
    if (ended.kind === "lost") return;
    if (ended.kind === "failed") {
      if (!isS3Error(ended.cause, "NoSuchUpload")) witness.judge(ended.cause, what, bucket);
      return; // if it is gone too early, Complete tells
    }
    found.push(...ended.value.items.map(({ number, etag, size }) => `${number} ${etag} ${size}`));
    if (ended.value.next === undefined) break;
    after = ended.value.next;
  }
  const put = parts.map(({ etag, bytes }, i) => `${i + 1} ${etag} ${bytes.length}`);
  if (found.join() !== put.join()) witness.object(`${what} shows ${found} instead of ${put}`);
}
