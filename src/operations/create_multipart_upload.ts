/**
 * CreateMultipartUpload: begins an object that is uploaded in parts.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
 * @module
 */

import type { ChecksumAlgorithm, ChecksumType } from "../s3/checksum_algorithms.ts";
import { parseUploadChecksum } from "../s3/checksum_headers.ts";
import { type ObjectProperties, parseProperties } from "../s3/metadata.ts";
import { parseLockHeaders, type StatedLock } from "../s3/stated_lock.ts";
import { xmlResponse } from "../s3/xml.ts";
import { encryptionHeader } from "./answers/encryption.ts";
import { lockOfWrite } from "./bodies/lock.ts";
import { allowTags } from "./bodies/tags.ts";
import { defineOperation, type Operation } from "./operation.ts";

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

    return xmlResponse("InitiateMultipartUploadResult", {
      Bucket: bucket,
      Key: key,
      UploadId: id,
    }, {
      headers: {
        ...encryptionHeader(properties),
        ...(checksum !== undefined && {
          "x-amz-checksum-algorithm": checksum.algorithm,
          "x-amz-checksum-type": checksum.type,
        }),
      },
    });
  },
});
