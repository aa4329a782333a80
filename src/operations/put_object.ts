/**
 * PutObject: stores an object in one piece.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 *
 * The gateway accepts a body of unknown length (`Transfer-Encoding: chunked`); AWS requires a Content-Length.
 * @module
 */

import { ownerOf } from "../auth/identity.ts";
import type { ChecksumAlgorithm } from "../s3/checksum_algorithms.ts";
import { formatChecksumHeaders } from "../s3/checksum_headers.ts";
import { parseWritePrecondition, type WritePrecondition } from "../s3/conditions.ts";
import { quoteETag } from "../s3/etag.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { type ObjectProperties, parseProperties } from "../s3/metadata.ts";
import { parseLockHeaders, type StatedLock } from "../s3/stated_lock.ts";
import { encryptionHeader } from "./answers/encryption.ts";
import { expirationHeader } from "./answers/lifecycle.ts";
import { contentOf } from "./bodies/content.ts";
import { lockOfWrite, requireHash } from "./bodies/lock.ts";
import { allowTags } from "./bodies/tags.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

type Input = {
  readonly properties: ObjectProperties;
  readonly integrity: Integrity;
  readonly precondition: WritePrecondition;
  readonly stated: StatedLock | undefined;
  readonly checksumDefault: ChecksumAlgorithm | undefined;
};

export const putObject: Operation<"object"> = definePublicOperation<"object", Input>({
  name: "PutObject",
  on: "object",
  method: "PUT",
  action: "s3:PutObject",

  parse: (request, services) => ({
    properties: parseProperties(request, services),
    integrity: parseIntegrity(request.headers),
    precondition: parseWritePrecondition(request.headers),
    stated: parseLockHeaders(request.headers),
    checksumDefault: services.checksumDefault,
  }),

  async handle(call) {
    const { target: { bucket, key }, input, caller, payload, store } = call;
    const { properties, integrity, precondition, stated, checksumDefault } = input;
    allowTags(call, properties);
    const wait = lockOfWrite(call, stated);
    const lock = wait instanceof Promise ? await wait : wait;
    requireHash(lock, integrity, caller.kind === "anonymous");
    const info = await store.putObject(bucket, key, {
      content: contentOf(payload, integrity, checksumDefault),
      properties,
      owner: ownerOf(caller),
      precondition,
      lock,
    });
    const { size, etag, checksum, versionId } = info;
    const expiration = expirationHeader(call, info);

    const response = new Response(null, {
      headers: {
        "etag": quoteETag(etag),
        ...formatChecksumHeaders(checksum),
        ...encryptionHeader(properties),
        ...(expiration instanceof Promise ? await expiration : expiration),
        ...(versionId !== undefined && { "x-amz-version-id": versionId }),
      },
    });
    return { response, outcome: { key, size, etag, versionId } };
  },
});
