/**
 * GetBucketVersioning and PutBucketVersioning: whether a bucket keeps the versions of its objects.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
 *
 * A change succeeds when it is in force on every gateway, which takes seconds. MFA delete is not supported, so it is refused.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { notImplemented } from "../s3/metadata.ts";
import type { BucketName } from "../s3/names.ts";
import { xmlResponse } from "../s3/xml.ts";
import { optionalTextOf, parseXml } from "../s3/xml_reader.ts";
import type { BucketDocuments } from "../store/documents.ts";
import { readDocument } from "./bodies/document.ts";
import { defineOperation, type Operation } from "./operation.ts";

const ROOT = "VersioningConfiguration";
/** Maximum size of a document, in bytes, and of its tags: far more than a valid one has. */
const MAX_BYTES = 64 * 1024;
const MAX_TAGS = 100;

const EVERYWHERE = { everywhere: true } as const;

const getBucketVersioning = defineOperation<"bucket", void>({
  name: "GetBucketVersioning",
  action: "s3:GetBucketVersioning",
  on: "bucket",
  method: "GET",
  query: ["versioning"],
  parse: () => {},
  async handle({ target: { bucket }, store }) {
    const Status = await store.readDocument(bucket, "versioning");
    return xmlResponse(ROOT, { Status });
  },
});

const putBucketVersioning = defineOperation<"bucket", Integrity>({
  name: "PutBucketVersioning",
  action: "s3:PutBucketVersioning",
  on: "bucket",
  method: "PUT",
  query: ["versioning"],
  parse({ headers }) {
    if (headers.has("x-amz-mfa")) throw notImplemented("x-amz-mfa");
    return parseIntegrity(headers);
  },
  async handle(call) {
    const { input, store, target: { bucket } } = call;
    const status = parseStatus(await readDocument(call, input, MAX_BYTES));
    await changeVersioning(store, bucket, status);
    return new Response(null);
  },
});

type Status = "Enabled" | "Suspended";

function parseStatus(text: string): Status {
  const root = parseXml(text, ROOT, MAX_TAGS);
  const status = optionalTextOf(root, "Status") ?? "";
  const mfa = optionalTextOf(root, "MfaDelete") ?? "Disabled";
  if (mfa !== "Enabled" && mfa !== "Disabled") throw new S3Error("MalformedXML");
  if (status === "") throw new S3Error("IllegalVersioningConfigurationException");
  if (status !== "Enabled" && status !== "Suspended") throw new S3Error("MalformedXML");
  if (mfa === "Enabled") {
    throw new S3Error("NotImplemented", {}, { message: "MFA delete is not implemented" });
  }
  return status;
}

/**
 * Suspending and enabling object lock at the same time are found out afterwards: each writes its own document and then looks
 * at the other's, so that one of them at least takes back what it wrote.
 */
async function changeVersioning(
  store: BucketDocuments,
  bucket: BucketName,
  status: Status,
): Promise<void> {
  const requireUnlocked = async (): Promise<void> => {
    if (await store.readDocument(bucket, "objectLock") !== undefined) throw locked();
  };
  if (status === "Suspended") await requireUnlocked();
  if (await store.readDocument(bucket, "versioning") === status) return;
  await store.prepareVersioning(bucket);
  await store.putDocument(bucket, "versioning", status, EVERYWHERE);
  if (status === "Enabled") return;
  try {
    await requireUnlocked();
  } catch (cause) {
    await store.putDocument(bucket, "versioning", "Enabled", EVERYWHERE);
    throw cause;
  }
}

function locked(): S3Error {
  return new S3Error("InvalidBucketState", {}, {
    message:
      "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
  });
}

export const bucketVersioning: readonly Operation[] = [getBucketVersioning, putBucketVersioning];
