/**
 * CreateMultipartUpload: begins an object that is uploaded in parts.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
 * @module
 */

import type { ChecksumAlgorithm, ChecksumType } from "../s3/checksum_algorithms.ts";
import { parseUploadChecksum } from "../s3/checksum_headers.ts";
import { isS3Error } from "../s3/errors.ts";
import { type ObjectProperties, parseProperties } from "../s3/metadata.ts";
import type { UploadId } from "../s3/names.ts";
import { parseLockHeaders, type StatedLock } from "../s3/stated_lock.ts";
import { xmlResponse } from "../s3/xml.ts";
import { encryptionHeader } from "./answers/encryption.ts";
import { lockOfWrite } from "./bodies/lock.ts";
import { allowTags } from "./bodies/tags.ts";
import { type Call, defineOperation, type Operation } from "./operation.ts";

type Input = {
  readonly properties: ObjectProperties;
  readonly stated: StatedLock | undefined;
  readonly checksum:
    | { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType }
    | undefined;
  readonly checksumDefault: ChecksumAlgorithm | undefined;
};

export const createMultipartUpload: Operation<"object"> = defineOperation<"object", Input>({
  name: "CreateMultipartUpload",
  on: "object",
  method: "POST",
  query: ["uploads"],
  action: "s3:PutObject",

  parse: (request, services) => ({
    properties: parseProperties(request, services),
    stated: parseLockHeaders(request.headers),
    checksum: parseUploadChecksum(request.headers),
    checksumDefault: services.checksumDefault,
  }),

  async handle(call) {
    const { target: { bucket, key }, input, caller, store } = call;
    const { properties, stated, checksum, checksumDefault } = input;
    allowTags(call, properties);
    const id = await store.createUpload(bucket, key, {
      properties,
      lock: await lockOfWrite(call, stated),
      owner: caller.accessKeyId,
      algorithm: checksum?.algorithm ?? checksumDefault,
      checksumType: checksum?.type ?? (checksumDefault && "FULL_OBJECT"),
      checksumIsDefault: checksum === undefined && checksumDefault !== undefined,
    });

    const aborts = await abortOf(call, id);
    return xmlResponse("InitiateMultipartUploadResult", {
      Bucket: bucket,
      Key: key,
      UploadId: id,
    }, {
      headers: {
        ...encryptionHeader(properties),
        ...aborts,
        ...(checksum !== undefined && {
          "x-amz-checksum-algorithm": checksum.algorithm,
          "x-amz-checksum-type": checksum.type,
        }),
      },
    });
  },
});

/** Returns the headers that say when the new upload is aborted, by the time at which the store says that it began. */
async function abortOf(
  { lifecycles, target: { bucket, key }, store }: Call<"object", Input>,
  id: UploadId,
): Promise<Readonly<Record<string, string>>> {
  const rules = await lifecycles?.rulesOf(bucket) ?? [];
  if (lifecycles === undefined || rules.every(({ abortDays }) => abortDays === undefined)) {
    return {};
  }
  try {
    const { initiated } = await store.readUpload(bucket, key, id);
    return lifecycles.abortOf(rules, key, initiated);
  } catch (cause) {
    if (isS3Error(cause)) return {}; // the upload exists, whatever becomes of it
    throw cause;
  }
}
