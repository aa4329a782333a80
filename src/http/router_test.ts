import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import type { Operation } from "../operations/operation.ts";
import { OPERATIONS } from "../operations/table.ts";
import { parseRequest } from "../s3/request.ts";
import { SUB_RESOURCES } from "../s3/subresources.ts";
import { createRouter } from "./router.ts";

/** Required query names that are not sub-resources. */
const PARAMETERS = ["id", "annotationName", "list-type=2", "select-type=2"];

const router = createRouter(OPERATIONS);

/** Returns the operation that a request routes to; the URL is rooted at the target's own path. */
function route(
  method: string,
  url: string,
  headers: Record<string, string> = {},
): Operation {
  const request = new Request(url, { method, headers });
  return router.match(parseRequest(request, ["s3.test"]));
}

type Row = readonly [name: string, method: string, query?: string, header?: string];

const SERVICE: readonly Row[] = [["ListBuckets", "GET"], [
  "ListBuckets",
  "GET",
  "x-id=ListBuckets",
]];

const BUCKET: readonly Row[] = [
  ["CreateBucket", "PUT"],
  ["CreateBucketMetadataConfiguration", "POST", "metadataConfiguration"],
  ["CreateBucketMetadataTableConfiguration", "POST", "metadataTable"],
  ["CreateSession", "GET", "session"],
  ["DeleteBucket", "DELETE"],
  ["DeleteBucketAnalyticsConfiguration", "DELETE", "analytics&id=1"],
  ["DeleteBucketCors", "DELETE", "cors"],
  ["DeleteBucketEncryption", "DELETE", "encryption"],
  ["DeleteBucketIntelligentTieringConfiguration", "DELETE", "intelligent-tiering&id=1"],
  ["DeleteBucketInventoryConfiguration", "DELETE", "inventory&id=1"],
  ["DeleteBucketLifecycle", "DELETE", "lifecycle"],
  ["DeleteBucketMetadataConfiguration", "DELETE", "metadataConfiguration"],
  ["DeleteBucketMetadataTableConfiguration", "DELETE", "metadataTable"],
  ["DeleteBucketMetricsConfiguration", "DELETE", "metrics&id=1"],
  ["DeleteBucketOwnershipControls", "DELETE", "ownershipControls"],
  ["DeleteBucketPolicy", "DELETE", "policy"],
  ["DeleteBucketReplication", "DELETE", "replication"],
  ["DeleteBucketTagging", "DELETE", "tagging"],
  ["DeleteBucketWebsite", "DELETE", "website"],
  ["DeleteObjects", "POST", "delete"],
  ["DeleteObjects", "POST", "delete="],
  ["DeletePublicAccessBlock", "DELETE", "publicAccessBlock"],
  ["GetBucketAbac", "GET", "abac"],
  ["GetBucketAccelerateConfiguration", "GET", "accelerate"],
  ["GetBucketAcl", "GET", "acl"],
  ["GetBucketAnalyticsConfiguration", "GET", "analytics&id=1"],
  ["GetBucketCors", "GET", "cors"],
  ["GetBucketEncryption", "GET", "encryption"],
  ["GetBucketIntelligentTieringConfiguration", "GET", "intelligent-tiering&id=1"],
  ["GetBucketInventoryConfiguration", "GET", "inventory&id=1"],
  ["GetBucketLifecycleConfiguration", "GET", "lifecycle"],
  ["GetBucketLocation", "GET", "location"],
  ["GetBucketLogging", "GET", "logging"],
  ["GetBucketMetadataConfiguration", "GET", "metadataConfiguration"],
  ["GetBucketMetadataTableConfiguration", "GET", "metadataTable"],
  ["GetBucketMetricsConfiguration", "GET", "metrics&id=1"],
  ["GetBucketNotificationConfiguration", "GET", "notification"],
  ["GetBucketOwnershipControls", "GET", "ownershipControls"],
  ["GetBucketPolicy", "GET", "policy"],
  ["GetBucketPolicyStatus", "GET", "policyStatus"],
  ["GetBucketReplication", "GET", "replication"],
  ["GetBucketRequestPayment", "GET", "requestPayment"],
  ["GetBucketTagging", "GET", "tagging"],
  ["GetBucketVersioning", "GET", "versioning"],
  ["GetBucketWebsite", "GET", "website"],
  ["GetObjectLockConfiguration", "GET", "object-lock"],
  ["GetPublicAccessBlock", "GET", "publicAccessBlock"],
  ["HeadBucket", "HEAD"],
  ["ListBucketAnalyticsConfigurations", "GET", "analytics"],
  ["ListBucketIntelligentTieringConfigurations", "GET", "intelligent-tiering"],
  ["ListBucketInventoryConfigurations", "GET", "inventory"],
  ["ListBucketMetricsConfigurations", "GET", "metrics"],
  ["ListMultipartUploads", "GET", "uploads&prefix=a"],
  ["ListObjectVersions", "GET", "versions"],
  ["ListObjects", "GET"],
  ["ListObjects", "GET", "prefix=a&delimiter=%2F&marker=b"],
  ["ListObjects", "GET", "id=1&unknown&x-id=ListObjects"],
  ["ListObjectsV2", "GET", "list-type=2&prefix=acl"],
  ["PostObject", "POST"],
  ["PutBucketAbac", "PUT", "abac"],
  ["PutBucketAccelerateConfiguration", "PUT", "accelerate"],
  ["PutBucketAcl", "PUT", "acl"],
  ["PutBucketAnalyticsConfiguration", "PUT", "analytics&id=1"],
  ["PutBucketCors", "PUT", "cors"],
  ["PutBucketEncryption", "PUT", "encryption"],
  ["PutBucketIntelligentTieringConfiguration", "PUT", "intelligent-tiering&id=1"],
  ["PutBucketInventoryConfiguration", "PUT", "inventory&id=1"],
  ["PutBucketLifecycleConfiguration", "PUT", "lifecycle"],
  ["PutBucketLogging", "PUT", "logging"],
  ["PutBucketMetricsConfiguration", "PUT", "metrics&id=1"],
  ["PutBucketNotificationConfiguration", "PUT", "notification"],
  ["PutBucketOwnershipControls", "PUT", "ownershipControls"],
  ["PutBucketPolicy", "PUT", "policy"],
  ["PutBucketReplication", "PUT", "replication"],
  ["PutBucketRequestPayment", "PUT", "requestPayment"],
  ["PutBucketTagging", "PUT", "tagging"],
  ["PutBucketVersioning", "PUT", "versioning"],
  ["PutBucketWebsite", "PUT", "website"],
  ["PutObjectLockConfiguration", "PUT", "object-lock"],
  ["PutPublicAccessBlock", "PUT", "publicAccessBlock"],
  ["UpdateBucketMetadataAnnotationTableConfiguration", "PUT", "metadataAnnotationTable"],
  ["UpdateBucketMetadataInventoryTableConfiguration", "PUT", "metadataInventoryTable"],
  ["UpdateBucketMetadataJournalTableConfiguration", "PUT", "metadataJournalTable"],
  ["WriteGetObjectResponse", "POST", "", "x-amz-request-route"],
];

const COPY = "x-amz-copy-source";
const OBJECT: readonly Row[] = [
  ["AbortMultipartUpload", "DELETE", "uploadId=1"],
  ["CompleteMultipartUpload", "POST", "uploadId=1"],
  ["CopyObject", "PUT", "", COPY],
  ["CreateMultipartUpload", "POST", "uploads"],
  ["DeleteObject", "DELETE"],
  ["DeleteObject", "DELETE", "versionId=null&x-id=DeleteObject"],
  ["DeleteObjectAnnotation", "DELETE", "annotation&annotationName=a"],
  ["DeleteObjectTagging", "DELETE", "tagging"],
  ["GetObject", "GET"],
  ["GetObject", "GET", "versionId=null&partNumber=1&response-expires=x"],
  ["GetObjectAcl", "GET", "acl&versionId=null"],
  ["GetObjectAnnotation", "GET", "annotation&annotationName=a"],
  ["GetObjectAttributes", "GET", "attributes"],
  ["GetObjectLegalHold", "GET", "legal-hold"],
  ["GetObjectRetention", "GET", "retention"],
  ["GetObjectTagging", "GET", "tagging"],
  ["GetObjectTorrent", "GET", "torrent"],
  ["HeadObject", "HEAD"],
  ["HeadObject", "HEAD", "partNumber=1"],
  ["ListObjectAnnotations", "GET", "annotation"],
  ["ListParts", "GET", "uploadId=1&max-parts=2"],
  ["PutObject", "PUT"],
  ["PutObject", "PUT", "x-id=PutObject"],
  ["PutObjectAcl", "PUT", "acl"],
  ["PutObjectAnnotation", "PUT", "annotation&annotationName=a"],
  ["PutObjectLegalHold", "PUT", "legal-hold"],
  ["PutObjectRetention", "PUT", "retention"],
  ["PutObjectTagging", "PUT", "tagging"],
  ["RenameObject", "PUT", "renameObject", "x-amz-rename-source"],
  ["RestoreObject", "POST", "restore"],
  ["SelectObjectContent", "POST", "select&select-type=2"],
  ["UpdateObjectEncryption", "PUT", "encryption"],
  ["UploadPart", "PUT", "partNumber=1&uploadId=1"],
  ["UploadPartCopy", "PUT", "partNumber=1&uploadId=1", COPY],
];

Deno.test("match() finds every operation in both address styles", () => {
  const seen = new Set<string>();
  const check = ([name, method, query = "", header]: Row, ...urls: string[]): void => {
    seen.add(name);
    const headers: Record<string, string> = header === undefined ? {} : { [header]: "x" };
    for (const url of urls) {
      strictEqual(
        route(method, `${url}?${query}`, headers).name,
        name,
        `${method} ${url}?${query}`,
      );
    }
  };
  for (const row of SERVICE) check(row, "http://s3.test/", "http://127.0.0.1:5222/");
  for (const row of BUCKET) check(row, "http://s3.test/bucket", "http://bucket.s3.test/");
  for (const row of OBJECT) check(row, "http://s3.test/bucket/a/b", "http://bucket.s3.test/a/b");
  deepStrictEqual(OPERATIONS.map(({ name }) => name).filter((name) => !seen.has(name)), []);
  strictEqual(new Set(OPERATIONS.map(({ name }) => name)).size, OPERATIONS.length);
});

Deno.test("match() has no ties", () => {
  const size = ({ query = [], headers = [] }: Operation): number => query.length + headers.length;
  /** Returns whether a request with everything that `a` requires can also match `b`. */
  const lets = (a: Operation, b: Operation): boolean => {
    const { query = [], optionalQuery = [] } = b;
    return (a.query ?? []).every((name) =>
      PARAMETERS.includes(name) || query.includes(name) ||
      optionalQuery.some((optional) => optional === name)
    );
  };
  for (const a of OPERATIONS) {
    for (const b of OPERATIONS) {
      if (a === b || a.on !== b.on || a.method !== b.method || size(a) !== size(b)) continue;
      ok(!(lets(a, b) && lets(b, a)), `${a.name} ties with ${b.name}`);
    }
  }
});

Deno.test("match() never falls through to a plain operation", () => {
  const plain = [
    "GetObject",
    "PutObject",
    "DeleteObject",
    "ListObjects",
    "CreateBucket",
    "DeleteBucket",
    "PostObject",
  ];
  const names = new Set(OPERATIONS.flatMap(({ query = [] }) => query));
  for (const name of names) {
    if (PARAMETERS.includes(name)) continue;
    for (const method of ["GET", "PUT", "POST", "DELETE", "HEAD"]) {
      for (const path of ["bucket", "bucket/key"]) {
        let found = "none";
        try {
          found = route(method, `http://s3.test/${path}?${name}`).name;
        } catch { /* refused */ }
        if (name === "partNumber" && found === "GetObject") continue;
        ok(!plain.includes(found), `${method} /${path}?${name} is ${found}`);
      }
    }
  }
});

Deno.test("every sub-resource of AWS has a route, so that match() knows exactly these", () => {
  const routed = OPERATIONS.flatMap(({ query = [], optionalQuery = [] }) => [
    ...query,
    ...optionalQuery,
  ]);
  const names = new Set(routed.filter((name) => !PARAMETERS.includes(name)));
  deepStrictEqual([...names].sort(), [...SUB_RESOURCES].sort());
});

Deno.test("match() refuses a method and sub-resources that no operation has", () => {
  const notAllowed = { code: "MethodNotAllowed" };
  throws(() => route("PATCH", "http://s3.test/bucket/key"), notAllowed);
  throws(() => route("PUT", "http://s3.test/"), notAllowed);
  throws(() => route("POST", "http://s3.test/bucket/key"), notAllowed);
  throws(() => route("PUT", "http://s3.test/bucket/key?versionId=null"), notAllowed);
  throws(() => route("DELETE", "http://s3.test/bucket?versioning"), {
    code: "MethodNotAllowed",
    headers: { allow: "GET, PUT" },
  });
  throws(() => route("GET", "http://s3.test/bucket?acl&policy"), { code: "InvalidRequest" });
  throws(() => route("PUT", "http://s3.test/bucket/key?partNumber=1"), {
    code: "InvalidArgument",
    message: "This operation does not accept partNumber without uploadId",
  });
  throws(() => route("PUT", "http://s3.test/bucket/key?uploadId=1"), {
    code: "MethodNotAllowed",
    headers: { allow: "DELETE, POST, GET" },
  });
});
