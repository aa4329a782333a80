/**
 * CreateBucket: creates a bucket and records its owner.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 *
 * The gateway accepts a request without a location constraint in every region; AWS requires one outside `us-east-1`. If
 * requests may be signed for any region, it accepts every location constraint except placements.
 *
 * As on AWS, a bucket that the caller already owns is a success in `us-east-1`, for the sake of old programs, and an error
 * elsewhere. There is no `x-amz-bucket-arn`, which AWS documents for directory buckets only.
 * @module
 */

import { isS3Error, S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { notImplemented, refuseWideningAcl } from "../s3/metadata.ts";
import { ANY_REGION, FIRST_REGION } from "../s3/region.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";
import { childrenOf, optionalTextOf, parseXml } from "../s3/xml_reader.ts";
import { readDocument } from "./bodies/document.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** Maximum size of a configuration, in bytes: the part that we support needs a few hundred. */
const MAX_BYTES = 64 * 1024;

type Input = { readonly integrity: Integrity; readonly anyRegion: boolean };

export const createBucket: Operation<"bucket"> = defineOperation<"bucket", Input>({
  name: "CreateBucket",
  on: "bucket",
  method: "PUT",
  action: "s3:CreateBucket",

  parse({ headers }, { region }) {
    refuseWideningAcl(headers);
    refuseUnlessDefault(headers, "x-amz-bucket-object-lock-enabled", "false");
    refuseUnlessDefault(headers, "x-amz-object-ownership", "BucketOwnerEnforced");
    refuseUnlessDefault(headers, "x-amz-bucket-namespace", "global");
    return { integrity: parseIntegrity(headers), anyRegion: region === ANY_REGION };
  },

  async handle(call) {
    const { target: { bucket }, input, caller, region, store } = call;
    const text = await readDocument(call, input.integrity, MAX_BYTES);
    if (text !== "") checkConfiguration(text, region, input);
    try {
      await store.createBucket(bucket, caller.accessKeyId);
    } catch (cause) {
      if (region !== FIRST_REGION || !isS3Error(cause, "BucketAlreadyOwnedByYou")) throw cause;
    }
    return new Response(null, { headers: { "location": `/${bucket}` } });
  },
});

function refuseUnlessDefault(headers: RequestHeaders, name: string, fallback: string): void {
  const value = headers.get(name);
  if (value !== null && value.toLowerCase() !== fallback.toLowerCase()) throw notImplemented(name);
}

function checkConfiguration(text: string, region: string, { anyRegion }: Input): void {
  const root = parseXml(text, "CreateBucketConfiguration");
  for (const name of ["Location", "Bucket", "Tags"]) {
    if (childrenOf(root, name).length > 0) {
      throw new S3Error("NotImplemented", {}, {
        message: `${name} of a bucket is not implemented`,
      });
    }
  }
  const constraint = optionalTextOf(root, "LocationConstraint")?.trim() ?? "";
  if (constraint === "" || (constraint === "EU" ? "eu-west-1" : constraint) === region) return;
  // Ceph puts the placement of data behind a colon.
  if (anyRegion && !constraint.includes(":")) return;
  if (!anyRegion && /^(?:EU|[a-z]{2}(?:-[a-z]+)+-\d)$/.test(constraint)) {
    throw new S3Error("IllegalLocationConstraintException", {}, {
      message:
        `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    });
  }
  throw new S3Error("InvalidLocationConstraint", { LocationConstraint: constraint });
}
