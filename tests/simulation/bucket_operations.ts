/**
 * Operations on the bucket that comes and goes.
 * @module
 */

import { isS3Error } from "../../src/s3/errors.ts";
import type { Acting } from "./clients.ts";
import { removeKey } from "./writes.ts";
import { placeOf } from "./witness.ts";

/** Creates the bucket. */
export async function createBucket(acting: Acting): Promise<string> {
  const { fleeting, witness, call } = acting;
  const ended = await call("CREATE BUCKET", (store) => store.createBucket(fleeting, "me"));
  if (ended.kind !== "failed") return ended.kind;
  if (isS3Error(ended.cause, "BucketAlreadyOwnedByYou")) return "exists";
  return witness.judge(ended.cause, "CREATE BUCKET", fleeting);
}

/** Deletes the bucket, which has no object at some moment if that succeeds. */
export async function deleteBucket(acting: Acting): Promise<string> {
  const { fleeting, keys, witness, call } = acting;
  const from = witness.now();
  const ended = await call("DELETE BUCKET", (store) => store.deleteBucket(fleeting));
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "done") {
    for (const key of keys) witness.saw(placeOf(fleeting, key), from, null, "DELETE BUCKET");
    return "done";
  }
  if (isS3Error(ended.cause, "BucketNotEmpty")) return "not empty";
  return witness.judge(ended.cause, "DELETE BUCKET", fleeting);
}

/** Empties the bucket, deletes it and creates it again, while others use it. */
export async function remakeBucket(acting: Acting): Promise<string> {
  const { fleeting, keys } = acting;
  for (const key of keys) await removeKey({ ...acting, bucket: fleeting }, key, undefined);
  const deleted = await deleteBucket(acting);
  return deleted === "done" ? await createBucket(acting) : deleted;
}
