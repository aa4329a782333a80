/**
 * DeleteObject: deletes an object; a missing object is not an error.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 * @module
 */

import { parseWritePrecondition, type WritePrecondition } from "../s3/conditions.ts";
import { refuseVersionId } from "../s3/params.ts";
import { IF_MATCH_MODIFIED, IF_MATCH_SIZE, parseProtection } from "../s3/protections.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

export const deleteObject: Operation<"object"> = definePublicOperation<"object", WritePrecondition>(
  {
    name: "DeleteObject",
    on: "object",
    method: "DELETE",
    optionalQuery: ["versionId"],
    action: "s3:DeleteObject",

    parse({ headers, query }) {
      refuseVersionId(query.get("versionId"));
      const size = headers.get(IF_MATCH_SIZE) ?? undefined;
      const modified = headers.get(IF_MATCH_MODIFIED) ?? undefined;
      return { ...parseWritePrecondition(headers), ...parseProtection(size, modified) };
    },

    async handle({ target: { bucket, key }, input, store }) {
      await store.deleteObject(bucket, key, { precondition: input });
      return { response: new Response(null, { status: 204 }), outcome: { key } };
    },
  },
);
