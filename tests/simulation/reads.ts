/**
 * Operations that read: objects, ranges, listings.
 * @module
 */

import { ChunksMissing } from "../../src/nats/objects/chunk_reader.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import type { VersionId } from "../../src/s3/version_id.ts";
import type { ObjectContent } from "../../src/store/objects.ts";
import { isS3Error } from "../../src/s3/errors.ts";
import { sourceOf, sourceOfPiece } from "../../src/streams/byte_source.ts";
import { pause } from "../../src/world/world.ts";
import type { Acting } from "./clients.ts";
import { BY_HAND } from "./by_hand.ts";
import { sawVersion } from "./version_answers.ts";
import { judgeVersionError } from "./versions.ts";
import { placeOf } from "./witness.ts";

/** What a reader got of an object. */
export type ReadContent = {
  readonly etag: string;
  readonly bytes: Uint8Array;
  /** Why the body broke off. */
  readonly broken: unknown;
};

/** Reads an object whole. */
export function read(acting: Acting): Promise<string> {
  return readKey(acting, acting.random.pick(acting.keys), undefined);
}

/** Reads a range of an object. */
export function readRange(acting: Acting): Promise<string> {
  const start = acting.random.below(3000);
  const range = [start, start + 1 + acting.random.below(4000)] as const;
  return readKey(acting, acting.random.pick(acting.keys), range);
}

/** Reads a key, or a range of it, and checks the bytes. */
export async function readKey(
  acting: Acting,
  key: ObjectKey,
  range: readonly [start: number, end: number] | undefined,
  id?: VersionId,
): Promise<string> {
  const { bucket, witness, contents, random, call } = acting;
  const life = acting.lifeOf(bucket);
  const place = placeOf(bucket, key);
  const slowness = acting.slowness ?? (random.chance(0.2) ? random.between(1, 6000) : 0);
  const from = witness.now();
  const what = `GET ${key}${range === undefined ? "" : ` bytes ${range}`}${id ? ` ${id}` : ""}`;
  let found = "";
  const ended = await call(what, async (store) => {
    const content = await store.getObject(bucket, key, ({ size, etag }) => {
      found = etag;
      if (range === undefined) return "all";
      if (range[0] >= size) return "nothing";
      return { start: range[0], end: Math.min(range[1], size) - 1 };
    }, id === undefined ? {} : { versionId: id });
    const { etag, properties, versionId } = content.info;
    // Its bytes may take long.
    if (id === undefined) witness.saw(place, from, etag, "GET");
    sawVersion(acting, key, from, { named: id, shown: versionId, etag, what });
    acting.tags.saw(from, etag, properties, "GET");
    return await drain(content, slowness);
  });
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") {
    if (id === undefined && witness.isMissing(ended.cause, bucket)) {
      witness.saw(place, from, null, "GET");
      return "none";
    }
    const refused = id && judgeVersionError(acting, { key, id }, from, ended.cause, what);
    if (refused !== undefined) return refused;
    if (acting.spoilt.has(found) && isS3Error(ended.cause, "InternalError")) return "spoilt";
    return witness.judge(ended.cause, `GET ${key}`, bucket);
  }
  const { etag, bytes, broken } = ended.value;
  const size = contents.of(etag)?.length ?? 0;
  const [start, end] = range ?? [0, size];
  if (start >= size && range !== undefined) return "nothing";
  const wrong = contents.explain(etag, bytes, [start, end], broken === undefined);
  if (wrong !== undefined) witness.object(`GET ${key}: ${wrong}`);
  if (broken !== undefined && acting.spoilt.has(etag)) return "spoilt";
  const isGone = life === undefined || life !== acting.lifeOf(bucket); // its bytes went with it
  // What is deleted in a full bucket makes room at once.
  const mayBreak = witness.readsMayBreak || witness.mayBeFull || isGone;
  if (broken instanceof ChunksMissing && !mayBreak) {
    witness.object(`${what} of ${etag} breaks off: ${broken.message}`);
  }
  return broken === undefined ? "done" : "broken";
}

async function drain({ info, body }: ObjectContent, slowness: number): Promise<ReadContent> {
  const source = body instanceof ReadableStream ? sourceOf(body) : sourceOfPiece(body);
  const pieces: Uint8Array[] = [];
  let broken: unknown;
  try {
    for (;;) {
      const piece = await source.read();
      if (piece === undefined) break;
      pieces.push(piece.slice());
      if (slowness > 0) await pause(slowness);
    }
  } catch (cause) {
    broken = cause ?? new Error("no reason");
  }
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { etag: info.etag, bytes, broken };
}

/** Asks for an object's info. */
export async function head(acting: Acting): Promise<string> {
  const { bucket, keys, witness, tags, random, call } = acting;
  const key = random.pick(keys);
  const from = witness.now();
  const ended = await call(`HEAD ${key}`, (store) => store.readObject(bucket, key));
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "done") {
    const { etag, properties, versionId } = ended.value;
    witness.saw(placeOf(bucket, key), from, etag, "HEAD");
    sawVersion(acting, key, from, { named: undefined, shown: versionId, etag, what: "HEAD" });
    tags.saw(from, etag, properties, "HEAD");
    return "done";
  }
  if (!witness.isMissing(ended.cause, bucket)) {
    return witness.judge(ended.cause, `HEAD ${key}`, bucket);
  }
  witness.saw(placeOf(bucket, key), from, null, "HEAD");
  return "none";
}

/** Lists all keys, page by page. */
export async function list(acting: Acting): Promise<string> {
  const { bucket, keys, witness, states, random, call } = acting;
  const limit = random.chance(0.5) ? 1000 : 1 + random.below(4);
  let after = "";
  for (;;) {
    const from = witness.now();
    const begin = after;
    const ended = await call(
      `LIST after "${begin}", ${limit}`,
      (store) => store.listObjects(bucket, { prefix: "", delimiter: "", after: begin, limit }),
    );
    if (ended.kind === "lost") return "lost";
    if (ended.kind === "failed") {
      if (!witness.isMissing(ended.cause, bucket)) {
        return witness.judge(ended.cause, "LIST", bucket);
      }
      for (const key of keys) witness.saw(placeOf(bucket, key), from, null, "LIST");
      return "no bucket";
    }
    const { objects, next } = ended.value;
    const ours = objects.filter(({ key }) => !key.startsWith(BY_HAND));
    const listed = new Map(ours.map(({ key, etag }) => [key, etag]));
    const isOfPage = (key: ObjectKey): boolean =>
      key > begin && (next === undefined || key <= next) && !key.startsWith(BY_HAND);
    if (bucket !== acting.fleeting && !states.hadSince(from, isOfPage, listed)) {
      const shown = [...listed].map((one) => one.join(" ")).join(", ");
      witness.object(`LIST after "${begin}" shows at no moment what there was: ${shown}`);
    }
    if (listed.size !== ours.length) witness.object(`LIST shows a key twice: ${[...listed]}`);
    for (const key of keys) {
      if (key <= begin || (next !== undefined && key > next)) continue;
      witness.saw(placeOf(bucket, key), from, listed.get(key) ?? null, "LIST");
      listed.delete(key);
    }
    if (listed.size > 0) witness.object(`LIST shows keys of other pages: ${[...listed.keys()]}`);
    if (next === undefined) return "done";
    after = next;
  }
}
