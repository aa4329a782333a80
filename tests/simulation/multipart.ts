/**
 * Multipart uploads: parts in any order, some twice, then Complete, Abort, both at once, or nothing.
 * @module
 */

import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { isS3Error } from "../../src/s3/errors.ts";
import { multipartETag } from "../../src/s3/etag.ts";
import type { PartNumber, UploadId } from "../../src/s3/names.ts";
import type { CompletedPart } from "../../src/store/uploads.ts";
import type { Acting } from "./clients.ts";
import { type Content, contentInput } from "./contents.ts";
import { SWEEP } from "./gateway.ts";
import { listParts } from "./upload_lists.ts";
import { newTags } from "./tags.ts";
import { heardVersion } from "./version_answers.ts";
import { newLock } from "./versions.ts";
import { placeOf } from "./witness.ts";

/** Smallest part that is not the last, in bytes. */
export const MIN_PART = 1200;

/** Uploads an object in parts. */
export async function completeUpload(acting: Acting): Promise<string> {
  const { bucket, keys, witness, contents, random, call, name } = acting;
  const key = random.pick(keys);
  const tags = newTags(random, 0.3);
  const created = await call(`CREATE UPLOAD ${key}`, (store) =>
    store.createUpload(bucket, key, {
      properties: { system: {}, user: {}, tags },
      owner: name,
      algorithm: undefined,
      checksumType: undefined,
      lock: newLock(acting),
    }));
  if (created.kind !== "done") {
    return created.kind === "lost" ? "lost" : witness.judge(created.cause, "CREATE UPLOAD", bucket);
  }
  const id = created.value;
  const began = acting.scheduler.now;
  if (bucket !== acting.fleeting) acting.uploads.begin(id, key, began);
  const parts = await putParts(acting, key, id);
  if (parts === undefined) return "without parts";
  if (random.chance(0.25)) await listParts(acting, key, id, parts);
  const ending = random.next();
  if (ending < 0.1) return "left";
  if (ending < 0.2) return await abort(acting, key, id);

  if (random.chance(0.1)) await acting.wait(random.between(1000, 40_000));
  const etag = multipartETag(parts.map((part) => part.etag));
  contents.add(etag, Buffer.concat(parts.map(({ bytes }) => bytes)));
  acting.tags.begin(etag, tags);
  const completed: CompletedPart[] = parts.map((part, i) => ({
    number: i + 1 as PartNumber,
    etag: part.etag,
    checksum: undefined,
  }));
  const what = `COMPLETE ${key} ${etag}`;
  const from = witness.now();
  const begun = witness.history.write(placeOf(bucket, key), etag, what);
  acting.uploads.end(id, "ending");
  const completing = call(what, (store) =>
    store.completeUpload(bucket, key, id, {
      parts: completed,
      precondition: {},
      checksum: undefined,
      size: undefined,
    }));
  // Through another gateway the abort may come between any two steps.
  const gateways = acting.gateways();
  const other = gateways.length === 0 ? acting.gateway : random.pick(gateways);
  const elsewhere: Acting = { ...acting, call: (what, work) => other.call(what, work) };
  const aborting = ending < 0.35 ? abort(elsewhere, key, id) : undefined;
  const ended = await completing;
  const aborted = await aborting;
  if (ended.kind === "failed" && isS3Error(ended.cause, "NoSuchUpload")) {
    // Somebody aborted it: the client itself, the sweep, or whoever deleted the bucket.
    const isExplained = aborting !== undefined || witness.fleeting.has(bucket) ||
      acting.uploads.hasExpired(id) || acting.scheduler.now - began > SWEEP.uploadExpiry / 2;
    if (!isExplained) witness.object(`${what}: the upload is gone`);
    return "aborted";
  }
  if (ended.kind === "done" && aborted === "done") {
    witness.object(`${what} and its abort were both answered as done`);
  }
  if (ended.kind === "done" && ended.value.etag !== etag) {
    witness.object(`${what} was answered with the ETag ${ended.value.etag}`);
  }
  if (ended.kind === "done") {
    acting.uploads.end(id, "ended");
    heardVersion(acting, key, from, { id: ended.value.versionId, value: etag, what });
  }
  return witness.endWrite(begun, ended, false, bucket);
}

async function putParts(
  acting: Acting,
  key: Acting["keys"][number],
  id: UploadId,
): Promise<readonly Content[] | undefined> {
  const { bucket, contents, random, call, witness } = acting;
  const count = 1 + random.below(3);
  const stored: Content[] = [];
  for (let number = 1; number <= count; number++) {
    for (let again = random.chance(0.2) ? 2 : 1; again > 0; again--) {
      const size = number < count ? MIN_PART + random.below(2000) : 8 + random.below(3000);
      const content = contents.make(size);
      const slowness = random.chance(0.1) ? random.between(1, 2000) : 0;
      const ended = await call(
        `PUT PART ${key} ${number} ${content.etag}`,
        (store) =>
          store.putPart(bucket, key, id, number as PartNumber, {
            content: contentInput(content, 1024, slowness),
          }),
      );
      if (ended.kind === "done") stored[number - 1] = content;
      else if (ended.kind === "failed" && !isS3Error(ended.cause, "NoSuchUpload")) {
        witness.judge(ended.cause, "PUT PART", bucket);
        return undefined; // which attempt counts is not known
      } else return undefined;
    }
  }
  const md5 = ({ bytes }: Content): string => createHash("md5").update(bytes).digest("hex");
  if (stored.some((part) => md5(part) !== part.etag)) throw new TypeError("A part changed");
  return stored;
}

async function abort(
  { bucket, call, witness, uploads }: Acting,
  key: Acting["keys"][number],
  id: UploadId,
): Promise<string> {
  uploads.end(id, "ending");
  const ended = await call(`ABORT ${key} ${id}`, (store) => store.abortUpload(bucket, key, id));
  if (ended.kind === "done") uploads.end(id, "ended");
  if (ended.kind !== "failed") return ended.kind;
  return isS3Error(ended.cause, "NoSuchUpload")
    ? "none"
    : witness.judge(ended.cause, "ABORT", bucket);
}
