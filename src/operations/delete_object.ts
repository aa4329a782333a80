/**
 * DeleteObject: deletes an object; a missing object is not an error.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 * @module
 */

import { parseWritePrecondition, type WritePrecondition } from "../s3/conditions.ts";
import { notImplemented } from "../s3/metadata.ts";
import { refuseVersionId } from "../s3/params.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** Conditions that AWS has for directory buckets only. */
const DIRECTORY_CONDITIONS = ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"];

export const deleteObject: Operation<"object"> = defineOperation<"object", WritePrecondition>({
  name: "DeleteObject",
  on: "object",
  method: "DELETE",
  optionalQuery: ["versionId"],
  action: "s3:DeleteObject",

  parse({ headers, query }) {
    refuseVersionId(query.get("versionId"));
    const condition = DIRECTORY_CONDITIONS.find((name) => headers.has(name));
    if (condition !== undefined) throw notImplemented(condition);
    return parseWritePrecondition(headers);
  },

  async handle({ target: { bucket, key }, input, store }) {
    await store.deleteObject(bucket, key, input);
    return { response: new Response(null, { status: 204 }), outcome: { key } };
  },
});
