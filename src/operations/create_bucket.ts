/**
 * CreateBucket: creates a bucket and records its owner.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 *
 * The gateway accepts a request without a location constraint in every region; AWS requires one outside `us-east-1`. If
 * requests may be signed for any region, it accepts every location constraint except those that Ceph understands. A bucket
 * belongs to the location that the request names or is signed for, if one of that name is configured.
 *
 * The tags of the new bucket become its document of tags, which is stored together with its owner; so are the public access
 * block, if new buckets have one, and object lock with versioning, if the request enables it.
 *
 * As on AWS, a bucket that the caller already owns is a success in `us-east-1`, for the sake of old programs, and an error
 * elsewhere. It is an error there, too, if the request enables object lock and the bucket has none. There is no `x-amz-bucket-arn`, which AWS documents for directory buckets only.
 * @module
 */

import { recordedAccount } from "../iam/principal.ts";
import { checkAclHeaders, namesPublicAcl } from "../s3/acl.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { notImplemented } from "../s3/metadata.ts";
import { formatKeptLock } from "../s3/stated_lock.ts";
import { BLOCKS_EVERYTHING, formatPublicAccessBlock } from "../s3/public_access_block.ts";
import { ANY_REGION, FIRST_REGION } from "../s3/region.ts";
import type { RequestHeaders } from "../s3/request_headers.ts";
import { formatTagging, NEW_BUCKET_TAGS, parseTags, type TagSet } from "../s3/tags.ts";
import { childrenOf, optionalTextOf, parseXml } from "../s3/xml_reader.ts";
import type { DocumentKind } from "../store/documents.ts";
import { readDocument } from "./bodies/document.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** Maximum size of a configuration, in bytes: the longest tags, and a few hundred for the rest. */
const MAX_BYTES = 64 * 1024;
/** Maximum number of XML tags in a configuration: the smallest tags that fill it. */
const MAX_XML_TAGS = 20_000;

type Input = {
  readonly integrity: Integrity;
  readonly anyRegion: boolean;
  /** The region that the request was signed for. */
  readonly signed: string;
  readonly locations: readonly string[];
  /** The bucket begins with a public access block. */
  readonly isBlocked: boolean;
  /** The bucket begins with object lock. */
  readonly isLocked: boolean;
};

const LOCK_ENABLED = "x-amz-bucket-object-lock-enabled";

export const createBucket: Operation<"bucket"> = defineOperation<"bucket", Input>({
  name: "CreateBucket",
  on: "bucket",
  method: "PUT",
  action: "s3:CreateBucket",
  asksItself: true,

  parse(request, { region, dropAcl, blocksNewBuckets: isBlocked = false, locations = [] }) {
    const { headers, region: signed } = request;
    if (dropAcl !== undefined && isBlocked && namesPublicAcl(headers)) {
      throw new S3Error("AccessDenied");
    }
    checkAclHeaders(request, dropAcl);
    refuseUnlessDefault(headers, "x-amz-object-ownership", "BucketOwnerEnforced");
    refuseUnlessDefault(headers, "x-amz-bucket-namespace", "global");
    const integrity = parseIntegrity(headers);
    const isLocked = parseLockEnabled(headers.get(LOCK_ENABLED));
    return { integrity, anyRegion: region === ANY_REGION, signed, locations, isBlocked, isLocked };
  },

  async handle(call) {
    const { target: { bucket }, input, caller, region, access, store } = call;
    const text = await readDocument(call, input.integrity, MAX_BYTES);
    const { constraint, tags } = text === "" ? NOTHING : parseConfiguration(text);
    const stated = constraint === "" ? {} : { location: constraint };
    const facts = tags.size === 0 ? stated : { ...stated, bucketTags: tags };
    access.allow({ action: "s3:CreateBucket", resource: call.target, facts });
    const location = chooseLocation(constraint, region, input);
    const documents = new Map<DocumentKind, string>();
    if (tags.size > 0) {
      access.allow({ action: "s3:TagResource", resource: call.target, facts });
      documents.set("tagging", formatTagging(tags));
    }
    if (input.isBlocked) {
      documents.set("publicAccessBlock", formatPublicAccessBlock(BLOCKS_EVERYTHING));
    }
    if (input.isLocked) {
      documents.set("versioning", "Enabled");
      documents.set("objectLock", formatKeptLock({}));
    }
    try {
      const account = recordedAccount(caller.principal);
      await store.createBucket(bucket, caller.accessKeyId, { account, documents, location });
    } catch (cause) {
      if (region !== FIRST_REGION || !isS3Error(cause, "BucketAlreadyOwnedByYou")) throw cause;
      if (input.isLocked && await store.readDocument(bucket, "objectLock") === undefined) {
        throw cause;
      }
    }
    return new Response(null, { headers: { "location": `/${bucket}` } });
  },
});

/** Parses whether a bucket is to have object lock; the Python SDK of AWS writes `True`. */
function parseLockEnabled(text: string | null): boolean {
  const enabled = text?.toLowerCase() ?? "false";
  if (enabled === "true" || enabled === "false") return enabled === "true";
  throw new S3Error("InvalidArgument", { ArgumentName: LOCK_ENABLED, ArgumentValue: text ?? "" });
}

function refuseUnlessDefault(headers: RequestHeaders, name: string, fallback: string): void {
  const value = headers.get(name);
  if (value !== null && value.toLowerCase() !== fallback.toLowerCase()) throw notImplemented(name);
}

/** A configuration: the location constraint, "" for none, and the tags of the bucket. */
type Configuration = { readonly constraint: string; readonly tags: TagSet };

const NOTHING: Configuration = { constraint: "", tags: new Map() };

function parseConfiguration(text: string): Configuration {
  const root = parseXml(text, "CreateBucketConfiguration", MAX_XML_TAGS);
  for (const name of ["Location", "Bucket"]) {
    if (childrenOf(root, name).length > 0) {
      throw new S3Error("NotImplemented", {}, {
        message: `${name} of a bucket is not implemented`,
      });
    }
  }
  const [list, ...others] = childrenOf(root, "Tags");
  if (others.length > 0) throw new S3Error("MalformedXML");
  const tags = list === undefined ? NOTHING.tags : parseTags(list, NEW_BUCKET_TAGS);
  return { constraint: optionalTextOf(root, "LocationConstraint")?.trim() ?? "", tags };
}

/**
 * Returns the location of a new bucket; undefined if none of that name is configured.
 *
 * @throws S3Error `InvalidLocationConstraint`, or `IllegalLocationConstraintException` for a region of AWS
 */
function chooseLocation(
  constraint: string,
  region: string,
  { anyRegion, signed, locations }: Input,
): string | undefined {
  const wanted = constraint === "" ? signed : constraint;
  // AWS accepts the old name of its first region in Europe.
  const names = wanted === "EU" ? [wanted, "eu-west-1"] : [wanted];
  const location = names.find((name) => locations.includes(name));
  if (location !== undefined || constraint === "" || names.includes(region)) return location;
  // Ceph puts the placement of data behind a colon.
  if (anyRegion && !constraint.includes(":")) return undefined;
  // With locations, the endpoint does not belong to one region.
  const isOneRegion = !anyRegion && locations.length === 0;
  if (isOneRegion && /^(?:EU|[a-z]{2}(?:-[a-z]+)+-\d)$/.test(constraint)) {
    throw new S3Error("IllegalLocationConstraintException", {}, {
      message:
        `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    });
  }
  throw new S3Error("InvalidLocationConstraint", { LocationConstraint: constraint });
}
