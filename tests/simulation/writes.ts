/**
 * Operations that write objects in one piece, delete, rename, copy and tag them.
 * @module
 */

import { isS3Error } from "../../src/s3/errors.ts";
import type { WritePrecondition } from "../../src/s3/conditions.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import type { Value } from "../cluster/history.ts";
import type { Acting } from "./clients.ts";
import { contentInput } from "./contents.ts";
import { newTags } from "./tags.ts";
import { readKey } from "./reads.ts";
import { heardVersion } from "./version_answers.ts";
import { newLock } from "./versions.ts";
import { placeOf } from "./witness.ts";

/** Sizes of objects, in bytes: chunks have 1024. */
const SIZES = [8, 8, 500, 1024, 1500, 2048, 2500, 5000, 9000];

/** Puts an object. */
export function put(acting: Acting): Promise<string> {
  return putKey(acting, acting.random.pick(acting.keys), {}, undefined);
}

/** Puts an object if there is none. */
export function putIfNoneMatch(acting: Acting): Promise<string> {
  return putKey(acting, acting.random.pick(acting.keys), { ifNoneMatch: "*" }, null);
}

/** Puts an object in the place of the one that the client saw last. */
export async function putIfMatch(acting: Acting): Promise<string> {
  const key = acting.random.pick(acting.keys);
  const etag = await lookAt(acting, key);
  if (etag === undefined) return "unseen";
  return await putKey(acting, key, { ifMatch: etag }, etag);
}

async function putKey(
  acting: Acting,
  key: ObjectKey,
  precondition: WritePrecondition,
  condition: Value | undefined,
): Promise<string> {
  const { bucket, contents, witness, random, call, name } = acting;
  const content = contents.make(random.pick(SIZES) + random.below(8));
  // A bucket that comes and goes is to do so while bodies arrive.
  const isFleeting = bucket === acting.fleeting;
  const slowness = random.chance(isFleeting ? 0.5 : 0.15) ? random.between(1, 3000) : 0;
  const piece = random.pick([300, 1024, 20_000]);
  const input = {
    content: contentInput(content, piece, slowness),
    properties: { system: {}, user: {}, tags: newTags(random, 0.3) },
    owner: name,
    precondition,
    lock: newLock(acting),
  };
  acting.tags.begin(content.etag, input.properties.tags);
  const shown = condition === undefined ? "" : ` if ${condition ?? "none"}`;
  const what = `PUT ${key} ${content.etag} (${content.bytes.length})${shown}`;
  const place = placeOf(bucket, key);
  const from = witness.now();
  const begun = witness.history.write(place, content.etag, what, condition);
  const isGone = acting.isGone(bucket);
  const ended = await call(what, (store) => store.putObject(bucket, key, input));
  if (witness.isQuiet && isGone && acting.isGone(bucket) && ended.kind === "failed") {
    // It may have been created and deleted in between.
    const wasMade = ended.cause instanceof Error && ended.cause.message.includes("created again");
    if (isS3Error(ended.cause, "ServiceUnavailable") && !wasMade) {
      witness.object(`${what} does not notice that its bucket is gone: ${ended.cause.cause}`);
    }
  }
  if (ended.kind === "failed" && witness.isMissing(ended.cause, bucket) && condition) {
    witness.saw(place, from, null, what);
    begun.end("refused");
    return "refused";
  }
  if (ended.kind === "done" && ended.value.etag !== content.etag) {
    witness.object(`${what} was answered with the ETag ${ended.value.etag}`);
  }
  if (ended.kind === "done") {
    const { versionId: id } = ended.value;
    heardVersion(acting, key, from, { id, value: content.etag, what });
  }
  const outcome = witness.endWrite(begun, ended, condition !== undefined, bucket);
  if (outcome === "done" && isFleeting) await readKey(acting, key, undefined);
  return outcome;
}

/** Deletes an object, or what the client saw last. */
export async function remove(acting: Acting): Promise<string> {
  const { keys, random } = acting;
  const key = random.pick(keys);
  const condition = random.chance(0.3) ? await lookAt(acting, key) : undefined;
  return await removeKey(acting, key, condition);
}

/** Deletes a key, under a condition or not. */
export async function removeKey(
  acting: Acting,
  key: ObjectKey,
  condition: string | undefined,
): Promise<string> {
  const { bucket, witness, call } = acting;
  const place = placeOf(bucket, key);
  const what = `DELETE ${key}${condition === undefined ? "" : ` if ${condition}`}`;
  const from = witness.now();
  const begun = witness.history.write(place, null, what, condition);
  const precondition = condition === undefined ? {} : { ifMatch: condition };
  const answered = bucket === acting.fleeting
    ? undefined
    : acting.versions?.lifecycle?.deletes(key);
  const ended = await call(what, (store) => store.deleteObject(bucket, key, { precondition }));
  if (ended.kind === "failed" && witness.isMissing(ended.cause, bucket) && condition) {
    witness.saw(place, from, null, what);
    begun.end("refused");
    return "refused";
  }
  if (ended.kind === "done") {
    answered?.();
    const { versionId: id, isMarker } = ended.value;
    if (isMarker) heardVersion(acting, key, from, { id, value: null, what });
  }
  // A delete marker takes room.
  const isMarking = acting.versions !== undefined && bucket !== acting.fleeting;
  if (ended.kind === "failed" && isMarking && isS3Error(ended.cause, "QuotaExceeded")) {
    if (witness.mayBeFull) return "full";
  }
  return witness.endWrite(begun, ended, condition !== undefined, bucket, what);
}

/** Renames what the client saw at a key to a later one. */
export async function rename(acting: Acting): Promise<string> {
  const { bucket, keys, witness, random, call, moved } = acting;
  const [source, key, from] = [random.below(keys.length), random.below(keys.length), witness.now()];
  const [sourceKey, targetKey] = [keys[Math.min(source, key)], keys[Math.max(source, key)]];
  if (sourceKey === undefined || targetKey === undefined || sourceKey === targetKey) return "same";
  const etag = await lookAt(acting, sourceKey);
  if (etag === undefined) return "unseen";
  // The histories need values that come to a key once.
  if (moved.has(`${etag} ${targetKey}`)) return "moved before";
  moved.add(`${etag} ${targetKey}`);
  acting.tags.moves(etag);
  const what = `RENAME ${sourceKey} ${etag} to ${targetKey}`;
  const begun = [
    witness.history.write(placeOf(bucket, sourceKey), null, what, etag),
    witness.history.write(placeOf(bucket, targetKey), etag, what),
  ];
  const precondition = { source: { ifMatch: [etag] }, destination: {} };
  const ended = await call(
    what,
    (store) => store.renameObject(bucket, sourceKey, targetKey, { precondition }),
  );
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "done") {
    for (const one of begun) one.end("done");
    return "done";
  }
  if (isS3Error(ended.cause, "PreconditionFailed")) {
    begun[0]?.end("refused");
    return "refused";
  }
  if (witness.isMissing(ended.cause, bucket)) {
    begun[0]?.end("refused");
    witness.saw(placeOf(bucket, sourceKey), from, null, what);
    return "none";
  }
  const mayKeepVersions = acting.versions !== undefined && bucket !== acting.fleeting;
  if (mayKeepVersions && isS3Error(ended.cause, "InvalidBucketState")) return "versions";
  return witness.judge(ended.cause, what, bucket);
}

/** Copies what the client sees at a key to a later one, through the gateway. */
export async function copy(acting: Acting): Promise<string> {
  const { bucket, keys, witness, random, call, moved, name } = acting;
  const places = [random.below(keys.length), random.below(keys.length)].sort((a, b) => a - b);
  const [source, target] = [keys[places[0] ?? 0], keys[places[1] ?? 0]];
  if (source === undefined || target === undefined || source === target) return "same";
  const etag = await lookAt(acting, source);
  if (etag === undefined || etag.includes("-")) return "unseen"; // the copy has another ETag
  if (moved.has(`${etag} ${target}`)) return "moved before";
  moved.add(`${etag} ${target}`);
  acting.tags.share(etag);
  const what = `COPY ${source} ${etag} to ${target}`;
  const begun = witness.history.write(placeOf(bucket, target), etag, what);
  let isOther = false;
  const ended = await call(what, async (store) => {
    const { info, body } = await store.getObject(bucket, source, () => "all");
    if (info.etag !== etag || !(body instanceof ReadableStream)) {
      if (body instanceof ReadableStream) await body.cancel();
      if (info.etag !== etag) isOther = true;
    }
    if (isOther || body === null) return;
    const stream = body instanceof ReadableStream ? body : ReadableStream.from([body]);
    await store.putObject(bucket, target, {
      content: { stream, size: info.size, algorithm: undefined, verify() {} },
      properties: info.properties,
      owner: name,
      precondition: {},
    });
  });
  if (isOther) {
    // Nothing was written, so nobody ever sees it; it counts as unanswered.
    return "other";
  }
  if (ended.kind === "failed" && witness.isMissing(ended.cause, bucket)) return "none";
  if (ended.kind === "failed" && acting.spoilt.has(etag)) return "spoilt";
  if (ended.kind === "failed" && !isS3Error(ended.cause)) return "broken"; // its source broke off
  return witness.endWrite(begun, ended, false, bucket);
}

/** Returns the ETag that a client sees now. */
async function lookAt(
  { bucket, witness, tags, call }: Acting,
  key: ObjectKey,
): Promise<string | undefined> {
  const from = witness.now();
  const ended = await call(`HEAD ${key}`, (store) => store.readObject(bucket, key));
  if (ended.kind === "done") {
    const { etag, properties } = ended.value;
    witness.saw(placeOf(bucket, key), from, etag, "HEAD");
    tags.saw(from, etag, properties, "HEAD");
    return ended.value.etag;
  }
  if (ended.kind === "failed" && witness.isMissing(ended.cause, bucket)) {
    witness.saw(placeOf(bucket, key), from, null, "HEAD");
  }
  return undefined;
}
