/**
 * DeleteObject: deletes an object, or removes a version for good; a missing one is not an error.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 * @module
 */

import { ownerOf } from "../auth/identity.ts";
import { parseWritePrecondition, type WritePrecondition } from "../s3/conditions.ts";
import { versionIdParam } from "../s3/params.ts";
import { parseBypass } from "../s3/stated_lock.ts";
import { IF_MATCH_MODIFIED, IF_MATCH_SIZE, parseProtection } from "../s3/protections.ts";
import type { VersionId } from "../s3/version_id.ts";
import { deletionHeaders } from "./answers/version.ts";
import { checkBypass } from "./bodies/lock.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

type Input = {
  readonly precondition: WritePrecondition;
  readonly versionId: VersionId | undefined;
  readonly bypass: boolean | undefined;
};

export const deleteObject: Operation<"object"> = definePublicOperation<"object", Input>({
  name: "DeleteObject",
  on: "object",
  method: "DELETE",
  optionalQuery: ["versionId"],
  action: "s3:DeleteObject",

  parse(request) {
    const { headers } = request;
    const size = headers.get(IF_MATCH_SIZE) ?? undefined;
    const modified = headers.get(IF_MATCH_MODIFIED) ?? undefined;
    return {
      precondition: { ...parseWritePrecondition(headers), ...parseProtection(size, modified) },
      versionId: versionIdParam(request),
      bypass: parseBypass(headers),
    };
  },

  async handle(call) {
    const { target: { bucket, key }, input, caller, store } = call;
    const { precondition, versionId, bypass } = input;
    if (bypass !== undefined) await checkBypass(call, bypass);
    const deleted = await store.deleteObject(bucket, key, {
      precondition,
      versionId,
      bypass: bypass === true,
      owner: ownerOf(caller),
    });
    const response = new Response(null, { status: 204, headers: deletionHeaders(deleted) });
    return { response, outcome: { key, versionId: deleted.versionId } };
  },
});
