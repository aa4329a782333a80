/**
 * The requests of Terraform's resources of versioning, object lock and lifecycle, as `tool_requests.ts` has others.
 *
 * They are from `bucket_versioning.go`, `bucket_object_lock_configuration.go` and `bucket_lifecycle_configuration.go`
 * of its AWS provider 6. The resources poll until an answer comes several times in a row: GetBucketVersioning 3 times,
 * GetBucketLifecycleConfiguration 10 times, compared element by element with what was put. The SDK for Go sends a
 * checksum in place of Content-MD5, and `?versioning=` with an equals sign.
 * @module
 */

import { crc32 } from "node:zlib";
import { ACCOUNT } from "./test_gateway.ts";
import { type Step, step } from "./tool_requests.ts";
import { element, xml } from "./xml_text.ts";

const OWNER = { "x-amz-expected-bucket-owner": ACCOUNT };
const STRANGER = { "x-amz-expected-bucket-owner": "999999999999" };
const LOCKED = { "x-amz-bucket-object-lock-enabled": "true" };
const TOMORROW = "2024-05-02T10:00:00Z";
const SIZE = "x-amz-transition-default-minimum-object-size";
const ALL = { [SIZE]: "all_storage_classes_128K" };

/** Returns a body with what the Go SDK sends beside it. */
function fromGo(body: string, more: Readonly<Record<string, string>> = {}) {
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, crc32(body));
  return {
    body,
    headers: {
      "content-type": "application/xml",
      "x-amz-sdk-checksum-algorithm": "CRC32",
      "x-amz-checksum-crc32": sum.toBase64(),
      ...more,
    },
  };
}

function times(count: number, ...steps: readonly Step[]): readonly Step[] {
  return Array.from({ length: count }, () => steps).flat();
}

function versioned(status: string): string {
  return xml("VersioningConfiguration", element("Status", status));
}

/** The rules of `aws_s3_bucket_lifecycle_configuration`, in the SDK's order of elements. */
const RULES: readonly string[] = [
  // expiration { days }, without a filter
  element(
    "Rule",
    element("Expiration", element("Days", "365")),
    element("Filter"),
    element("ID", "whole"),
    element("Status", "Enabled"),
  ),
  // filter {} is sent as an empty prefix, expiration {} as a marker that stays
  element(
    "Rule",
    element("AbortIncompleteMultipartUpload", element("DaysAfterInitiation", "7")),
    element("Expiration", element("ExpiredObjectDeleteMarker", "false")),
    element("Filter", element("Prefix", "")),
    element("ID", "uploads"),
    element("Status", "Disabled"),
  ),
  element(
    "Rule",
    element("Expiration", element("ExpiredObjectDeleteMarker", "true")),
    element("Filter", element("Prefix", "logs/")),
    element("ID", "markers"),
    element(
      "NoncurrentVersionExpiration",
      element("NewerNoncurrentVersions", "2"),
      element("NoncurrentDays", "30"),
    ),
    element("Status", "Enabled"),
  ),
  element(
    "Rule",
    element("Expiration", element("Date", "2031-01-01T00:00:00Z")),
    element(
      "Filter",
      element(
        "And",
        element("ObjectSizeGreaterThan", "0"),
        element("ObjectSizeLessThan", "500"),
        element("Prefix", "tmp/"),
        element("Tag", element("Key", "a"), element("Value", "1")),
        element("Tag", element("Key", "b"), element("Value", "")),
      ),
    ),
    element("ID", "both"),
    element("Status", "Enabled"),
  ),
  // The deprecated prefix of a rule
  element(
    "Rule",
    element("Expiration", element("Days", "1")),
    element("ID", "old"),
    element("Prefix", "old/"),
    element("Status", "Enabled"),
  ),
];

/** What ten answers show of the rules: an empty element stays an empty element, and what is not there is not added. */
const POLLED: readonly string[] = [
  "<ID>whole</ID><Filter></Filter><Status>Enabled</Status><Expiration><Days>365</Days></Expiration>",
  "<ID>uploads</ID><Filter><Prefix></Prefix></Filter><Status>Disabled</Status>",
  "<Expiration><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration>",
  "<DaysAfterInitiation>7</DaysAfterInitiation>",
  "<ID>markers</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>",
  "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
  "<NoncurrentDays>30</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions>",
  "<And><Prefix>tmp/</Prefix><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value></Value></Tag>" +
  "<ObjectSizeGreaterThan>0</ObjectSizeGreaterThan><ObjectSizeLessThan>500</ObjectSizeLessThan></And>",
  "<Expiration><Date>2031-01-01T00:00:00.000Z</Date></Expiration>",
  "<ID>old</ID><Prefix>old/</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>",
];

function lifecycle(...rules: readonly string[]): string {
  return xml("LifecycleConfiguration", ...rules);
}

const TIERING = element(
  "Rule",
  element("Filter", element("Prefix", "")),
  element("ID", "cold"),
  element("Status", "Enabled"),
  element("Transition", element("Days", "30"), element("StorageClass", "GLACIER")),
);

/** The requests by the names of their tools. Each begins without the bucket `tool`. */
export const TERRAFORM_VERSIONS: Readonly<Record<string, readonly Step[]>> = {
  "Terraform's aws_s3_bucket_versioning": [
    step("PUT /tool", 200),
    step("PUT /tool?versioning=", 200, undefined, fromGo(versioned("Enabled"), OWNER)),
    ...times(
      3,
      step("GET /tool?versioning=", 200, "VersioningConfiguration", {
        headers: OWNER,
        shows: "<Status>Enabled</Status>",
      }),
    ),
    step("GET /tool?versioning=", 403, "AccessDenied", { headers: STRANGER }),
    // versioning_configuration { mfa_delete } with mfa
    step("PUT /tool?versioning=", 501, "NotImplemented", {
      ...fromGo(
        xml(
          "VersioningConfiguration",
          element("MfaDelete", "Enabled"),
          element("Status", "Enabled"),
        ),
        { "x-amz-mfa": "arn:aws:iam::111122223333:mfa/ann 123456" },
      ),
    }),
    // Destroying it suspends versioning.
    step("PUT /tool?versioning=", 200, undefined, fromGo(versioned("Suspended"))),
    step("GET /tool?versioning=", 200, "VersioningConfiguration", {
      shows: "<Status>Suspended</Status>",
    }),
    step("DELETE /tool", 204),
    step("GET /tool?versioning=", 404, "NoSuchBucket"),
  ],
  "Terraform's aws_s3_bucket with object_lock_enabled, and its configuration": [
    step("PUT /tool", 200, undefined, { headers: LOCKED }),
    step("GET /tool?versioning=", 200, "VersioningConfiguration", { shows: "Enabled" }),
    step("GET /tool?object-lock=", 200, "ObjectLockConfiguration", {
      shows: "<ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
    }),
    step("PUT /tool?object-lock=", 200, undefined, {
      ...fromGo(
        xml(
          "ObjectLockConfiguration",
          element("ObjectLockEnabled", "Enabled"),
          element(
            "Rule",
            element("DefaultRetention", element("Days", "3"), element("Mode", "COMPLIANCE")),
          ),
        ),
        { ...OWNER, "x-amz-bucket-object-lock-token": "token" },
      ),
    }),
    step("GET /tool?object-lock=", 200, "ObjectLockConfiguration", {
      headers: OWNER,
      shows: "<Days>3</Days>",
    }),
    // Destroying the configuration takes its rule away.
    step("PUT /tool?object-lock=", 200, undefined, {
      ...fromGo(xml("ObjectLockConfiguration", element("ObjectLockEnabled", "Enabled"))),
    }),
    step("GET /tool?object-lock=", 200, "ObjectLockConfiguration", {
      shows: "<ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
    }),
    // Destroying aws_s3_bucket_versioning is a success for this message alone.
    step("PUT /tool?versioning=", 409, "InvalidBucketState", {
      ...fromGo(versioned("Suspended")),
      shows:
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed",
    }),
    // aws_s3_object with force_destroy removes its versions, past governance.
    step("PUT /tool/object?x-id=PutObject", 200, undefined, {
      ...fromGo("content", {
        "content-type": "application/octet-stream",
        "x-amz-object-lock-mode": "GOVERNANCE",
        "x-amz-object-lock-retain-until-date": TOMORROW,
        "x-amz-object-lock-legal-hold": "ON",
      }),
      keeps: "version",
    }),
    step("HEAD /tool/object", 200, undefined, {
      has: { "x-amz-version-id": "{version}", "x-amz-object-lock-legal-hold": "ON" },
    }),
    step("GET /tool?prefix=object&versions=", 200, "ListVersionsResult", { shows: "{version}" }),
    step("DELETE /tool/object?versionId={version}&x-id=DeleteObject", 403, "AccessDenied", {
      headers: { "x-amz-bypass-governance-retention": "true" },
    }),
    step("HEAD /tool/object?versionId={version}", 200, undefined, {
      has: { "x-amz-object-lock-legal-hold": "ON" },
    }),
    step("PUT /tool/object?legal-hold=&versionId={version}", 200, undefined, {
      ...fromGo(xml("LegalHold", element("Status", "OFF"))),
    }),
    step("DELETE /tool/object?versionId={version}&x-id=DeleteObject", 204, undefined, {
      headers: { "x-amz-bypass-governance-retention": "true" },
    }),
    step("DELETE /tool", 204),
  ],
  "Terraform's aws_s3_bucket_lifecycle_configuration": [
    step("PUT /tool", 200),
    step("PUT /tool?lifecycle=", 200, undefined, {
      ...fromGo(lifecycle(...RULES), { ...OWNER, ...ALL }),
      has: ALL,
    }),
    ...POLLED.map((shows) =>
      step("GET /tool?lifecycle=", 200, "LifecycleConfiguration", {
        headers: OWNER,
        shows,
        has: ALL,
      })
    ),
    // What the bucket cannot do leaves the rules before.
    step("PUT /tool?lifecycle=", 501, "NotImplemented", fromGo(lifecycle(TIERING), ALL)),
    step("PUT /tool?lifecycle=", 200, undefined, {
      ...fromGo(lifecycle(...RULES.slice(1)), { [SIZE]: "varies_by_storage_class" }),
      has: { [SIZE]: "varies_by_storage_class" },
    }),
    step("GET /tool?lifecycle=", 200, "LifecycleConfiguration", {
      has: { [SIZE]: "varies_by_storage_class" },
    }),
    step("DELETE /tool?lifecycle=", 204, undefined, { headers: OWNER }),
    step("GET /tool?lifecycle=", 404, "NoSuchLifecycleConfiguration"),
    step("DELETE /tool", 204),
    step("DELETE /tool?lifecycle=", 404, "NoSuchBucket"),
  ],
};
