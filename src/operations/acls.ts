/**
 * GetBucketAcl, PutBucketAcl, GetObjectAcl and PutObjectAcl: ACLs are disabled, as on AWS under `BucketOwnerEnforced`. The
 * owner of the bucket owns its objects and has full control; a PUT of anything else is refused.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
 *
 * `--bucket.acl-headers ignore` does not change these operations: a request about nothing but an ACL is told that there is
 * none.
 * @module
 */

import { hasGrants, isOwnersAlone, isWidening, parseAcl } from "../s3/acl.ts";
import { S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { versionIdParam } from "../s3/params.ts";
import type { VerifiedRequest } from "../s3/verified_request.ts";
import type { VersionId } from "../s3/version_id.ts";
import { aclResponse } from "./answers/acl.ts";
import { readDocument } from "./bodies/document.ts";
import {
  type Call,
  defineOperation,
  definePublicOperation,
  type On,
  type Operation,
} from "./operation.ts";

/** Maximum size of an ACL, in bytes: 100 grants need less. */
const MAX_BYTES = 64 * 1024;

type Input = {
  readonly versionId: VersionId | undefined;
  readonly integrity: Integrity;
  /** As sent. */
  readonly canned: string | null;
  readonly hasGrants: boolean;
};

function parsePut(request: VerifiedRequest): Input {
  const { headers } = request;
  return {
    versionId: versionIdParam(request),
    integrity: parseIntegrity(headers),
    canned: headers.get("x-amz-acl"),
    hasGrants: hasGrants(headers),
  };
}

/**
 * Checks the ACL that a request puts.
 *
 * @throws S3Error `AccessControlListNotSupported` for an ACL that says something else than is so, and AWS's errors for one
 * that says nothing, or says it twice
 */
async function checkPut(call: Call<On, Input>, owner: string | undefined): Promise<void> {
  const { canned, hasGrants, integrity } = call.input;
  const text = await readDocument(call, integrity, MAX_BYTES);
  if (canned !== null) {
    if (hasGrants) {
      throw new S3Error("InvalidRequest", {}, {
        message: "Specifying both Canned ACLs and Header Grants is not allowed",
      });
    }
    if (text !== "") throw new S3Error("UnexpectedContent");
    if (!isWidening(canned)) return;
  } else if (!hasGrants) {
    if (text === "") throw new S3Error("MissingSecurityHeader", { MissingHeaderName: "x-amz-acl" });
    if (isOwnersAlone(parseAcl(text), owner)) return;
  }
  throw new S3Error("AccessControlListNotSupported");
}

const getBucketAcl = defineOperation<"bucket", void>({
  name: "GetBucketAcl",
  action: "s3:GetBucketAcl",
  on: "bucket",
  method: "GET",
  query: ["acl"],
  parse: () => {},
  async handle({ target: { bucket }, store }) {
    return aclResponse((await store.readBucket(bucket)).owner);
  },
});

const putBucketAcl = defineOperation<"bucket", Input>({
  name: "PutBucketAcl",
  action: "s3:PutBucketAcl",
  on: "bucket",
  method: "PUT",
  query: ["acl"],
  parse: parsePut,
  async handle(call) {
    const { owner } = await call.store.readBucket(call.target.bucket);
    await checkPut(call, owner);
    return new Response(null);
  },
});

const getObjectAcl = definePublicOperation<"object", VersionId | undefined>({
  name: "GetObjectAcl",
  action: "s3:GetObjectAcl",
  seesObject: true,
  on: "object",
  method: "GET",
  query: ["acl"],
  optionalQuery: ["versionId"],
  parse: versionIdParam,
  async handle({ target: { bucket, key }, input: versionId, access, store }) {
    access.seen(await store.readObject(bucket, key, { versionId }));
    return aclResponse((await store.readBucket(bucket)).owner);
  },
});

const putObjectAcl = defineOperation<"object", Input>({
  name: "PutObjectAcl",
  action: "s3:PutObjectAcl",
  seesObject: true,
  on: "object",
  method: "PUT",
  query: ["acl"],
  optionalQuery: ["versionId"],
  parse: parsePut,
  async handle(call) {
    const { access, store, target: { bucket, key }, input: { versionId } } = call;
    access.seen(await store.readObject(bucket, key, { versionId }));
    const { owner } = await store.readBucket(bucket);
    await checkPut(call, owner);
    return new Response(null);
  },
});

export const acls: readonly Operation[] = [getBucketAcl, putBucketAcl, getObjectAcl, putObjectAcl];
