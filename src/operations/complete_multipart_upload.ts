/**
 * CompleteMultipartUpload: creates the object from its parts.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 *
 * A repeated request for the same upload succeeds again.
 * @module
 */

import { CHECKSUM_ALGORITHMS, type StatedChecksum } from "../s3/checksum_algorithms.ts";
import { checksumElement, parseChecksumHeader } from "../s3/checksum_headers.ts";
import { parseWritePrecondition, type WritePrecondition } from "../s3/conditions.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import { parseETag, quoteETag } from "../s3/etag.ts";
import { parseContentMD5 } from "../s3/integrity.ts";
import { refuseCustomerKeys } from "../s3/metadata.ts";
import {
  type BucketName,
  MAX_PART_NUMBER,
  type ObjectKey,
  parsePartNumber,
  parseUploadId,
  type UploadId,
} from "../s3/names.ts";
import { xmlResponse } from "../s3/xml.ts";
import { childrenOf, optionalTextOf, parseXml, textOf, type XmlElement } from "../s3/xml_reader.ts";
import type { Store } from "../store/store.ts";
import type { CompletedPart } from "../store/uploads.ts";
import { encryptionHeader } from "./answers/encryption.ts";
import { expirationHeader } from "./answers/lifecycle.ts";
import { versionHeader } from "./answers/version.ts";
import { readDocument } from "./bodies/document.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** Maximum number of tags in one document: a part with one checksum has 8. */
const MAX_TAGS = 20 * MAX_PART_NUMBER;

type Input = {
  readonly uploadId: UploadId;
  readonly md5: string | undefined;
  readonly precondition: WritePrecondition;
  readonly checksum: StatedChecksum | undefined;
  readonly checksumType: string | undefined;
  readonly size: number | undefined;
  /** The URL at which the client finds the object. */
  readonly location: string;
};

export const completeMultipartUpload: Operation<"object"> = defineOperation<"object", Input>({
  name: "CompleteMultipartUpload",
  on: "object",
  method: "POST",
  query: ["uploadId"],
  slow: true,
  action: "s3:PutObject",

  parse({ headers, query, scheme, host, rawPath }) {
    refuseCustomerKeys(headers);
    return {
      uploadId: parseUploadId(query.get("uploadId")),
      md5: parseContentMD5(headers.get("content-md5")),
      precondition: parseWritePrecondition(headers),
      checksum: parseChecksumHeader(headers),
      checksumType: headers.get("x-amz-checksum-type")?.toUpperCase(),
      size: parseSize(headers.get("x-amz-mp-object-size")),
      location: `${scheme}://${host}${rawPath}`,
    };
  },

  async handle(call) {
    const { target: { bucket, key }, input, store } = call;
    const { uploadId, md5, precondition, checksum: stated, checksumType, size, location } = input;
    const text = await readDocument(call, { md5, checksum: undefined });
    const parts = parseParts(text);
    if (checksumType !== undefined) {
      await checkType(store, bucket, key, uploadId, checksumType);
    }
    const info = await store.completeUpload(bucket, key, uploadId, {
      parts,
      precondition,
      checksum: stated,
      size,
    });
    const { etag, checksum, properties } = info;

    const response = xmlResponse("CompleteMultipartUploadResult", {
      Location: location,
      Bucket: bucket,
      Key: key,
      ETag: quoteETag(etag),
      ...(checksum !== undefined && { [checksumElement(checksum.algorithm)]: checksum.value }),
      ChecksumType: checksum?.type,
    }, {
      headers: {
        ...encryptionHeader(properties),
        ...versionHeader(info),
        ...await expirationHeader(call, info),
      },
    });
    const { size: written, versionId } = info;
    return { response, outcome: { key, size: written, etag, versionId } };
  },
});

function parseSize(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new S3Error("InvalidArgument", {
    ArgumentName: "x-amz-mp-object-size",
    ArgumentValue: text,
  });
}

function parseParts(text: string): readonly CompletedPart[] {
  const root = parseXml(text, "CompleteMultipartUpload", MAX_TAGS);
  const parts = childrenOf(root, "Part").map(parsePart);
  if (parts.length === 0 || parts.length > MAX_PART_NUMBER) throw new S3Error("MalformedXML");
  let last = 0;
  for (const { number } of parts) {
    if (number <= last) throw new S3Error("InvalidPartOrder");
    last = number;
  }
  return parts;
}

function parsePart(element: XmlElement): CompletedPart {
  const checksums = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = optionalTextOf(element, checksumElement(algorithm))?.trim();
    return value === undefined || value === "" ? [] : [{ algorithm, value }];
  });
  if (checksums.length > 1) throw new S3Error("MalformedXML");
  return {
    number: parsePartNumber(textOf(element, "PartNumber").trim()),
    etag: parseETag(textOf(element, "ETag")),
    checksum: checksums[0],
  };
}

/**
 * Checks the checksum type that the client states. It accepts any for an upload that was completed before, which has
 * nothing left to compare with.
 */
async function checkType(
  store: Store,
  bucket: BucketName,
  key: ObjectKey,
  id: UploadId,
  stated: string,
): Promise<void> {
  try {
    const { checksumType } = await store.readUpload(bucket, key, id);
    if (checksumType === stated) return;
    throw new S3Error("InvalidRequest", {}, {
      message: `The upload was created using the ${
        checksumType ?? "null"
      } checksum mode. The complete request must use the same checksum mode.`,
    });
  } catch (cause) {
    if (!isS3Error(cause, "NoSuchUpload")) throw cause;
  }
}
