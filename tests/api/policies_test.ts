/**
 * Policies on requests, as tables: who asks, which policies there are, and what comes of it.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Operation } from "../../src/operations/operation.ts";
import { OPERATIONS } from "../../src/operations/table.ts";
import {
  ALL,
  allow,
  arnOf,
  createPolicyScene,
  deny,
  outcomeOf,
  type PolicyScene,
  type Statement,
  to,
  type Who,
} from "./policy_scene.ts";
import { contentMD5, type Send } from "./test_gateway.ts";

const DENIED = "403 AccessDenied";

const PATHS = { service: "/", account: "/", bucket: "/bucket", object: "/bucket/key" } as const;

const NO_TAGS = "<Tagging><TagSet></TagSet></Tagging>";

/** Bodies of operations that read them before they ask for permissions. */
const BODIES: Readonly<Record<string, string>> = {
  PutObjectLegalHold: "<LegalHold><Status>OFF</Status></LegalHold>",
  PutObjectRetention: "<Retention/>",
  PutObjectTagging: NO_TAGS,
};

/** Returns the target, the headers and the body of a request that is routed to an operation. */
function requestOf({ name, on, query = [], headers = [] }: Operation): readonly [string, Send] {
  const values: Readonly<Record<string, string>> = { uploadId: "x", partNumber: "1" };
  const pairs = query.map((text) => {
    const [name = "", value = values[name] ?? ""] = text.split("=");
    return `${name}=${value}`;
  });
  const search = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  const own = headers.map((name) => [name, name === "x-amz-copy-source" ? "bucket/other" : "x"]);
  const send = { headers: Object.fromEntries(own) };
  const body = BODIES[name];
  return [`${PATHS[on]}${search}`, body === undefined ? send : { ...send, body }];
}

/** Operations that refuse a request before anybody asks whether it is allowed, or answer key by key. */
const OTHERWISE: readonly string[] = ["DeleteObjects", "PostObject"];

async function withObjects(scene: PolicyScene): Promise<void> {
  for (const key of ["key", "other"]) {
    await scene.as("root", "PUT", `/bucket/${key}`, { body: "x" });
  }
}

Deno.test("a user without rights, another account and everybody are denied every operation", async () => {
  const scene = await createPolicyScene();
  await withObjects(scene);
  for (const operation of OPERATIONS) {
    if (OTHERWISE.includes(operation.name)) continue;
    const [target, send] = requestOf(operation);
    for (const who of ["ann", "stranger", "cat", "nobody"] as const) {
      // A root may list the buckets of its account, and create one: this one is somebody else's.
      if (who === "stranger" && ["ListBuckets", "CreateBucket"].includes(operation.name)) continue;
      const response = await scene.as(who, operation.method, target, send);
      const expected = operation.method === "HEAD" ? "403" : DENIED;
      strictEqual(await outcomeOf(response), expected, `${who} ${operation.name}`);
    }
  }
  strictEqual(
    await outcomeOf(await scene.as("stranger", "PUT", "/bucket")),
    "409 BucketAlreadyExists",
  );
});

Deno.test("a user with the action of an operation may do that, and nothing with all the others", async () => {
  const scene = await createPolicyScene();
  const more: Readonly<Record<string, string>> = {
    GetObjectAttributes: "s3:GetObject",
    CopyObject: "s3:GetObject",
    UploadPartCopy: "s3:GetObject",
    RenameObject: "s3:GetObject s3:DeleteObject",
  };
  for (const operation of OPERATIONS) {
    const { name, action, method } = operation;
    if (OTHERWISE.includes(name) || !action.startsWith("s3:")) continue;
    await scene.as("root", "PUT", "/bucket");
    await withObjects(scene);
    const [target, send] = requestOf(operation);
    const actions = `${action} ${more[name] ?? ""}`.trim();
    const resources = name === "ListBuckets" ? "*" : ALL;
    scene.give("ann", allow(actions, resources));
    const allowed = await outcomeOf(await scene.as("ann", method, target, send));
    ok(!allowed.startsWith("403"), `${name} with ${actions}: ${allowed}`);
    if (method === "DELETE" && operation.on === "bucket") await scene.as("root", "PUT", "/bucket");
    scene.give("ann", { Effect: "Allow", NotAction: action, Resource: "*" });
    const denied = await outcomeOf(await scene.as("ann", method, target, send));
    strictEqual(denied, method === "HEAD" ? "403" : DENIED, `${name} without ${action}`);
  }
});

type Row = readonly [
  /** What the row is about. */
  title: string,
  who: Who,
  policies: {
    /** The caller's own policy. */
    readonly own?: readonly Statement[];
    readonly bucket?: readonly Statement[];
  },
  request: readonly [method: string, target: string, send?: Send],
  outcome: string,
];

const READ = allow("GetObject", "/*");
const GET = ["GET", "/bucket/key"] as const;
const MISSING = ["GET", "/bucket/missing"] as const;

async function check(
  rows: readonly Row[],
  prepare: (scene: PolicyScene) => Promise<void> = withObjects,
) {
  for (const [title, who, { own = [], bucket = [] }, [method, target, send], outcome] of rows) {
    const scene = await createPolicyScene();
    await prepare(scene);
    scene.give(who, ...own);
    await scene.setBucketPolicy(...bucket);
    const found = await outcomeOf(await scene.as(who, method, target, send));
    strictEqual(found, outcome, `${title}: ${who} ${method} ${target}`);
  }
}

Deno.test("inside an account one policy suffices, and a denial wins everywhere", () =>
  check([
    ["the root needs no policy", "root", {}, GET, "200"],
    ["an administrator needs none", "admin", {}, GET, "200"],
    ["an own policy", "ann", { own: [READ] }, GET, "200"],
    ["the bucket's policy", "ann", { bucket: [{ ...READ, ...to("ann") }] }, GET, "200"],
    ["that of another user", "ben", { bucket: [{ ...READ, ...to("ann") }] }, GET, DENIED],
    [
      "an account leaves it to the policies of its users",
      "ann",
      {
        bucket: [{ ...READ, ...to("root") }],
      },
      GET,
      DENIED,
    ],
    ["another key", "ann", { own: [allow("GetObject", "/other")] }, GET, DENIED],
    ["another bucket", "ann", { own: [allow("GetObject", "s/*")] }, GET, DENIED],
    [
      "the bucket denies",
      "ann",
      { own: [READ], bucket: [deny("GetObject", "/key", to("ann"))] },
      GET,
      DENIED,
    ],
    ["the user's own denial", "ann", { own: [READ, deny("*", "/key")] }, GET, DENIED],
    [
      "a denial for the root",
      "root",
      { bucket: [deny("s3:*", ALL, to("everybody"))] },
      GET,
      DENIED,
    ],
    [
      "a denial for administrators",
      "admin",
      { bucket: [deny("s3:*", ALL, to("everybody"))] },
      GET,
      DENIED,
    ],
    [
      "the root may look at the policy that locks it out",
      "root",
      { bucket: [deny("s3:*", ALL, to("everybody"))] },
      ["GET", "/bucket?policy"],
      "200",
    ],
    [
      "and delete it",
      "root",
      { bucket: [deny("s3:*", ALL, to("everybody"))] },
      ["DELETE", "/bucket?policy"],
      "204",
    ],
  ]));

Deno.test("across accounts both sides must allow, and for a root the bucket's policy suffices", () =>
  check([
    ["no policy", "stranger", {}, GET, DENIED],
    [
      "the bucket lets the root in",
      "stranger",
      { bucket: [{ ...READ, ...to("stranger") }] },
      GET,
      "200",
    ],
    ["a user's own policy alone", "cat", { own: [READ] }, GET, DENIED],
    ["the bucket's policy alone", "cat", { bucket: [{ ...READ, ...to("cat") }] }, GET, DENIED],
    ["both", "cat", { own: [READ], bucket: [{ ...READ, ...to("cat") }] }, GET, "200"],
    [
      "both by the account",
      "cat",
      { own: [READ], bucket: [{ ...READ, ...to("stranger") }] },
      GET,
      "200",
    ],
    [
      "the policy of another account's bucket without permission",
      "stranger",
      {},
      ["GET", "/bucket?policy"],
      DENIED,
    ],
    [
      "the policy of another account's bucket with permission",
      "stranger",
      { bucket: [allow("GetBucketPolicy PutBucketPolicy DeleteBucketPolicy", "", to("stranger"))] },
      ["GET", "/bucket?policy"],
      "405 MethodNotAllowed",
    ],
    [
      "to delete it",
      "stranger",
      { bucket: [allow("DeleteBucketPolicy", "", to("stranger"))] },
      ["DELETE", "/bucket?policy"],
      "405 MethodNotAllowed",
    ],
    [
      "a user of the account with permission",
      "ann",
      { own: [allow("GetBucketPolicy", "")], bucket: [{ ...READ, ...to("ben") }] },
      ["GET", "/bucket?policy"],
      "200",
    ],
    ["an owner that is expected", "root", {}, ["GET", "/bucket/key", {
      headers: { "x-amz-expected-bucket-owner": "111122223333" },
    }], "200"],
    ["another owner that is expected", "root", {}, ["GET", "/bucket/key", {
      headers: { "x-amz-expected-bucket-owner": "444455556666" },
    }], DENIED],
  ]));

Deno.test("a caller who may not list learns nothing of keys", () => {
  const list = allow("ListBucket", "");
  const write = allow("PutObject DeleteObject", "/*");
  const copy = (source: string): Send => ({ headers: { "x-amz-copy-source": `bucket/${source}` } });
  return check([
    ["may read and list", "ann", { own: [READ, list] }, MISSING, "404 NoSuchKey"],
    ["may read", "ann", { own: [READ] }, MISSING, DENIED],
    ["may neither", "ann", {}, MISSING, DENIED],
    ["may list", "ann", { own: [list] }, MISSING, DENIED],
    ["HEAD with a list", "ann", { own: [READ, list] }, ["HEAD", "/bucket/missing"], "404"],
    ["HEAD without", "ann", { own: [READ] }, ["HEAD", "/bucket/missing"], "403"],
    [
      "everybody reads and lists",
      "nobody",
      {
        bucket: [{ ...READ, ...to("everybody") }, { ...list, ...to("everybody") }],
      },
      MISSING,
      "404 NoSuchKey",
    ],
    ["everybody reads", "nobody", { bucket: [{ ...READ, ...to("everybody") }] }, MISSING, DENIED],
    ["tags", "ann", { own: [allow("*Tagging", "/*")] }, ["GET", "/bucket/missing?tagging"], DENIED],
    ["tags with a list", "ann", { own: [allow("*Tagging", "/*"), list] }, [
      "GET",
      "/bucket/missing?tagging",
    ], "404 NoSuchKey"],
    ["deleted tags", "ann", { own: [allow("*Tagging", "/*")] }, [
      "DELETE",
      "/bucket/missing?tagging",
    ], DENIED],
    [
      "an ACL",
      "ann",
      { own: [allow("GetObjectAcl", "/*")] },
      ["GET", "/bucket/missing?acl"],
      DENIED,
    ],
    ["attributes", "ann", { own: [allow("GetObject*", "/*")] }, [
      "GET",
      "/bucket/missing?attributes",
      { headers: { "x-amz-object-attributes": "ETag" } },
    ], DENIED],
    ["a retention", "ann", { own: [allow("GetObjectRetention", "/*")] }, [
      "GET",
      "/bucket/missing?retention",
    ], DENIED],
    ["the source of a copy", "ann", { own: [READ, write] }, [
      "PUT",
      "/bucket/copy",
      copy("missing"),
    ], DENIED],
    ["the source of a copy with a list", "ann", { own: [READ, write, list] }, [
      "PUT",
      "/bucket/copy",
      copy("missing"),
    ], "404 NoSuchKey"],
    ["a deletion", "ann", { own: [write] }, ["DELETE", "/bucket/missing"], "204"],
    ["a conditional deletion of anything", "ann", { own: [write] }, [
      "DELETE",
      "/bucket/missing",
      { headers: { "if-match": "*" } },
    ], DENIED],
    ["a conditional deletion with a list", "ann", { own: [write, list] }, [
      "DELETE",
      "/bucket/missing",
      { headers: { "if-match": "*" } },
    ], "404 NoSuchKey"],
    ["an ETag in If-Match needs s3:GetObject", "ann", { own: [write] }, [
      "DELETE",
      "/bucket/key",
      { headers: { "if-match": '"0"' } },
    ], DENIED],
    ["an ETag in If-Match with s3:GetObject", "ann", { own: [write, READ] }, [
      "DELETE",
      "/bucket/key",
      { headers: { "if-match": '"0"' } },
    ], "412 PreconditionFailed"],
    ["an ETag in If-Match of a write", "ann", { own: [write] }, [
      "PUT",
      "/bucket/key",
      { headers: { "if-match": '"0"' } },
    ], DENIED],
    ["a version that is not", "ann", { own: [allow("GetObjectVersion", "/*")] }, [
      "GET",
      "/bucket/key?versionId=0123456789abcdef0123",
    ], DENIED],
    ["a rename", "ann", { own: [READ, write] }, ["PUT", "/bucket/new?renameObject", {
      headers: { "x-amz-rename-source": "missing" },
    }], DENIED],
    ["a missing bucket", "ann", {}, ["GET", "/missing/key"], "404 NoSuchBucket"],
  ]);
});

Deno.test("headers ask for further actions", () => {
  const write = allow("PutObject", "/*");
  const put = (name: string, value: string): Row[3] => ["PUT", "/bucket/key", {
    headers: { [name]: value },
    body: "x",
  }];
  return check([
    ["tags", "ann", { own: [write] }, put("x-amz-tagging", "a=1"), DENIED],
    [
      "tags",
      "ann",
      { own: [write, allow("PutObjectTagging", "/*")] },
      put("x-amz-tagging", "a=1"),
      "200",
    ],
    ["an ACL", "ann", { own: [write] }, put("x-amz-acl", "bucket-owner-full-control"), DENIED],
    [
      "an ACL",
      "ann",
      { own: [write, allow("PutObjectAcl", "/*")] },
      put("x-amz-acl", "private"),
      "200",
    ],
    ["a lock", "ann", { own: [write] }, put("x-amz-object-lock-mode", "GOVERNANCE"), DENIED],
    ["a hold", "ann", { own: [write] }, put("x-amz-object-lock-legal-hold", "ON"), DENIED],
    ["a version", "ann", { own: [READ] }, ["GET", "/bucket/key?versionId=null"], DENIED],
    ["a version", "ann", { own: [allow("GetObjectVersion", "/*")] }, [
      "GET",
      "/bucket/key?versionId=null",
    ], "200"],
    ["a copy of a version", "ann", { own: [write, READ] }, ["PUT", "/bucket/copy", {
      headers: { "x-amz-copy-source": "bucket/key?versionId=null" },
    }], DENIED],
    ["a copy", "ann", { own: [write] }, ["PUT", "/bucket/copy", {
      headers: { "x-amz-copy-source": "bucket/key" },
    }], DENIED],
    ["a copy", "ann", { own: [write, READ] }, ["PUT", "/bucket/copy", {
      headers: { "x-amz-copy-source": "bucket/key" },
    }], "200"],
    ["a copy from a bucket that is not", "ann", { own: [write, READ] }, ["PUT", "/bucket/copy", {
      headers: { "x-amz-copy-source": "missing/key" },
    }], "404 NoSuchBucket"],
    ["CreateBucket with an ACL", "ann", { own: [allow("CreateBucket", "-2")] }, [
      "PUT",
      "/bucket-2",
      {
        headers: { "x-amz-acl": "private" },
      },
    ], DENIED],
    ["CreateBucket", "ann", { own: [allow("CreateBucket", "-2")] }, ["PUT", "/bucket-2"], "200"],
    ["CreateBucket of another name", "ann", { own: [allow("CreateBucket", "-2")] }, [
      "PUT",
      "/bucket-3",
    ], DENIED],
  ]);
});

Deno.test("everybody may do what a policy allows, as far as Amazon lets unsigned requests", () => {
  const all = [allow("s3:*", ALL, to("everybody"))];
  return check([
    ["reads", "nobody", { bucket: all }, GET, "200"],
    ["lists", "nobody", { bucket: all }, ["GET", "/bucket?list-type=2"], "200"],
    ["lists versions", "nobody", { bucket: all }, ["GET", "/bucket?versions"], "200"],
    ["finds the bucket", "nobody", { bucket: all }, ["HEAD", "/bucket"], "200"],
    ["writes", "nobody", { bucket: all }, ["PUT", "/bucket/new", { body: "x" }], "200"],
    ["deletes", "nobody", { bucket: all }, ["DELETE", "/bucket/key"], "204"],
    ["tags", "nobody", { bucket: all }, ["GET", "/bucket/key?tagging"], "200"],
    ["an upload in parts", "nobody", { bucket: all }, ["POST", "/bucket/key?uploads"], DENIED],
    ["a copy", "nobody", { bucket: all }, ["PUT", "/bucket/new", {
      headers: { "x-amz-copy-source": "bucket/key" },
    }], DENIED],
    ["the policy", "nobody", { bucket: all }, ["GET", "/bucket?policy"], DENIED],
    ["to delete the bucket", "nobody", { bucket: all }, ["DELETE", "/bucket"], DENIED],
    ["a new bucket", "nobody", { bucket: all }, ["PUT", "/bucket-2"], DENIED],
    ["all buckets", "nobody", { bucket: all }, ["GET", "/"], DENIED],
    ["writes without permission", "nobody", { bucket: [{ ...READ, ...to("everybody") }] }, [
      "PUT",
      "/bucket/new",
      { body: "x" },
    ], DENIED],
  ]);
});

Deno.test("conditions see the request", () => {
  const when = (operator: string, key: string, ...values: readonly string[]): Statement => ({
    Condition: { [operator]: { [key]: values } },
  });
  const read = (operator: string, key: string, ...values: readonly string[]) => ({
    own: [allow("GetObject", "/*", when(operator, key, ...values))],
  });
  const list = (operator: string, key: string, ...values: readonly string[]) => ({
    own: [allow("ListBucket", "", when(operator, key, ...values))],
  });
  const write = (operator: string, key: string, ...values: readonly string[]) => ({
    own: [allow("PutObject PutObjectTagging", "/*", when(operator, key, ...values))],
  });
  const put = (headers: Readonly<Record<string, string>>): Row[3] => [
    "PUT",
    "/bucket/key",
    { headers, body: "x" },
  ];
  return check([
    ["username", "ann", read("StringEquals", "aws:username", "ann"), GET, "200"],
    ["username", "ann", read("StringEquals", "aws:username", "ben"), GET, DENIED],
    ["userid", "ann", read("StringEquals", "aws:userid", "AIDAANN"), GET, "200"],
    ["arn", "ann", read("ArnLike", "aws:PrincipalArn", arnOf("ann")), GET, "200"],
    ["account", "ann", read("StringEquals", "aws:PrincipalAccount", "111122223333"), GET, "200"],
    ["tag", "ann", read("StringEquals", "aws:PrincipalTag/Team", "blue"), GET, "200"],
    ["tag", "ann", read("StringEquals", "aws:PrincipalTag/team", "red"), GET, DENIED],
    [
      "resource account",
      "ann",
      read("StringEquals", "s3:ResourceAccount", "111122223333"),
      GET,
      "200",
    ],
    ["transport", "ann", read("Bool", "aws:SecureTransport", "true"), GET, DENIED],
    ["transport", "ann", read("Bool", "aws:SecureTransport", "false"), GET, "200"],
    ["time", "ann", read("DateLessThan", "aws:CurrentTime", "2024-05-01T11:00:00Z"), GET, "200"],
    [
      "time",
      "ann",
      read("DateGreaterThan", "aws:CurrentTime", "2024-05-01T11:00:00Z"),
      GET,
      DENIED,
    ],
    ["epoch", "ann", read("NumericLessThan", "aws:EpochTime", "1714557601"), GET, "200"],
    ["authType", "ann", read("StringEquals", "s3:authType", "REST-HEADER"), GET, "200"],
    [
      "signature",
      "ann",
      read("StringEquals", "s3:signatureversion", "AWS4-HMAC-SHA256"),
      GET,
      "200",
    ],
    ["age", "ann", read("NumericLessThan", "s3:signatureAge", "600000"), GET, "200"],
    ["age", "ann", read("NumericGreaterThan", "s3:signatureAge", "600000"), GET, DENIED],
    [
      "TLS is not known",
      "ann",
      read("NumericGreaterThanEquals", "s3:TlsVersion", "1.2"),
      GET,
      DENIED,
    ],
    ["referer", "ann", read("StringLike", "aws:Referer", "https://a.example/*"), [
      "GET",
      "/bucket/key",
      { headers: { referer: "https://a.example/page" } },
    ], "200"],
    ["agent", "ann", read("StringLike", "aws:UserAgent", "tool/*"), ["GET", "/bucket/key", {
      headers: { "user-agent": "tool/1" },
    }], "200"],
    ["no address", "ann", read("IpAddress", "aws:SourceIp", "192.0.2.0/24"), GET, DENIED],
    [
      "prefix",
      "ann",
      list("StringEquals", "s3:prefix", "a/"),
      ["GET", "/bucket?prefix=a%2F"],
      "200",
    ],
    [
      "prefix",
      "ann",
      list("StringEquals", "s3:prefix", "a/"),
      ["GET", "/bucket?prefix=b%2F"],
      DENIED,
    ],
    ["no prefix", "ann", list("StringEquals", "s3:prefix", "a/"), ["GET", "/bucket"], DENIED],
    [
      "delimiter",
      "ann",
      list("StringEquals", "s3:delimiter", "/"),
      ["GET", "/bucket?delimiter=%2F"],
      "200",
    ],
    ["max-keys", "ann", list("NumericLessThanEquals", "s3:max-keys", "10"), [
      "GET",
      "/bucket?list-type=2&max-keys=11",
    ], DENIED],
    ["max-keys", "ann", list("NumericLessThanEquals", "s3:max-keys", "10"), [
      "GET",
      "/bucket?list-type=2&max-keys=10",
    ], "200"],
    [
      "a prefix in a GET does not let 404 out",
      "ann",
      {
        own: [READ, allow("ListBucket", "", when("StringEquals", "s3:prefix", "a/"))],
      },
      ["GET", "/bucket/missing?prefix=a%2F"],
      DENIED,
    ],
    [
      "acl",
      "ann",
      { own: [allow("PutObject*", "/*", when("StringEquals", "s3:x-amz-acl", "private"))] },
      put({ "x-amz-acl": "private" }),
      "200",
    ],
    ["no acl", "ann", write("StringEquals", "s3:x-amz-acl", "private"), put({}), DENIED],
    [
      "storage class",
      "ann",
      write("StringEquals", "s3:x-amz-storage-class", "STANDARD"),
      put({ "x-amz-storage-class": "STANDARD" }),
      "200",
    ],
    [
      "if-none-match",
      "ann",
      write("StringEquals", "s3:if-none-match", "*"),
      put({ "if-none-match": "*" }),
      "412 PreconditionFailed",
    ],
    ["if-none-match", "ann", write("Null", "s3:if-none-match", "false"), put({}), DENIED],
    ["creation", "ann", write("Bool", "s3:ObjectCreationOperation", "true"), put({}), "200"],
    ["creation", "ann", write("Bool", "s3:ObjectCreationOperation", "true"), [
      "POST",
      "/bucket/key?uploads",
    ], DENIED],
    ["creation", "ann", write("Bool", "s3:ObjectCreationOperation", "false"), [
      "POST",
      "/bucket/key?uploads",
    ], "200"],
    [
      "request tag",
      "ann",
      write("StringEquals", "s3:RequestObjectTag/a", "1"),
      put({ "x-amz-tagging": "a=1" }),
      "200",
    ],
    [
      "request tag",
      "ann",
      write("StringEquals", "s3:RequestObjectTag/a", "1"),
      put({ "x-amz-tagging": "a=2" }),
      DENIED,
    ],
    [
      "request tag keys",
      "ann",
      write("ForAllValues:StringEquals", "s3:RequestObjectTagKeys", "a"),
      put({ "x-amz-tagging": "a=1&b=2" }),
      DENIED,
    ],
    ["tags in a body", "ann", write("StringEquals", "s3:RequestObjectTag/a", "1"), [
      "PUT",
      "/bucket/key?tagging",
      { body: "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>" },
    ], "200"],
    ["tags in a body", "ann", write("StringEquals", "s3:RequestObjectTag/a", "1"), [
      "PUT",
      "/bucket/key?tagging",
      { body: "<Tagging><TagSet><Tag><Key>a</Key><Value>2</Value></Tag></TagSet></Tagging>" },
    ], DENIED],
    [
      "version",
      "ann",
      {
        own: [allow("GetObjectVersion", "/*", when("StringEquals", "s3:VersionId", "null"))],
      },
      ["GET", "/bucket/key?versionId=null"],
      "200",
    ],
    [
      "copy source",
      "ann",
      {
        own: [
          READ,
          allow("PutObject", "/*", when("StringEquals", "s3:x-amz-copy-source", "bucket/key")),
        ],
      },
      ["PUT", "/bucket/copy", { headers: { "x-amz-copy-source": "/bucket%2Fkey" } }],
      "200",
    ],
    [
      "location",
      "ann",
      {
        own: [
          allow("CreateBucket", "-2", when("StringEquals", "s3:LocationConstraint", "eu-west-1")),
        ],
      },
      ["PUT", "/bucket-2"],
      DENIED,
    ],
    [
      "retention",
      "ann",
      {
        own: [
          allow(
            "PutObject PutObjectRetention",
            "/*",
            when("NumericLessThan", "s3:object-lock-remaining-retention-days", "10"),
          ),
        ],
      },
      put({ "x-amz-object-lock-retain-until-date": "2024-06-01T10:00:00Z" }),
      DENIED,
    ],
  ]);
});

Deno.test("s3:ExistingObjectTag decides by the tags that an object has", () => {
  const tagged = async (scene: PolicyScene): Promise<void> => {
    await withObjects(scene);
    await scene.as("root", "PUT", "/bucket/key?tagging", {
      body: "<Tagging><TagSet><Tag><Key>open</Key><Value>yes</Value></Tag></TagSet></Tagging>",
    });
  };
  const open = { Condition: { StringEquals: { "s3:ExistingObjectTag/open": "yes" } } };
  const own = [
    allow("GetObject GetObject* PutObjectTagging DeleteObjectTagging PutObjectAcl", "/*", open),
  ];
  const closed = ["GET", "/bucket/other"] as const;
  const write = allow("PutObject DeleteObject", "/*");
  const rows: Row[] = [
    ["tagged", "ann", { own }, GET, "200"],
    ["not tagged", "ann", { own }, closed, DENIED],
    ["missing", "ann", { own: [...own, allow("ListBucket", "")] }, MISSING, DENIED],
    ["a wrong condition tells nothing", "ann", { own }, ["GET", "/bucket/other", {
      headers: { "if-match": '"0"' },
    }], DENIED],
    ["a wrong range tells nothing", "ann", { own }, ["GET", "/bucket/other", {
      headers: { range: "bytes=99-" },
    }], DENIED],
    ["HEAD", "ann", { own }, ["HEAD", "/bucket/key"], "200"],
    ["HEAD", "ann", { own }, ["HEAD", "/bucket/other"], "403"],
    [
      "everybody",
      "nobody",
      { bucket: [allow("GetObject", "/*", { ...open, ...to("everybody") })] },
      GET,
      "200",
    ],
    [
      "everybody",
      "nobody",
      { bucket: [allow("GetObject", "/*", { ...open, ...to("everybody") })] },
      closed,
      DENIED,
    ],
    ["a source", "ann", { own: [...own, write] }, ["PUT", "/bucket/new", {
      headers: { "x-amz-copy-source": "bucket/other" },
    }], DENIED],
    ["a source", "ann", { own: [...own, write, allow("PutObjectTagging", "/new")] }, [
      "PUT",
      "/bucket/new",
      {
        headers: { "x-amz-copy-source": "bucket/key" },
      },
    ], "200"],
    ["a rename", "ann", { own: [...own, write] }, ["PUT", "/bucket/new?renameObject", {
      headers: { "x-amz-rename-source": "other" },
    }], DENIED],
    ["a rename", "ann", { own: [...own, write] }, ["PUT", "/bucket/new?renameObject", {
      headers: { "x-amz-rename-source": "key" },
    }], "200"],
    ["a conditional deletion", "ann", { own: [...own, write] }, ["DELETE", "/bucket/other", {
      headers: { "if-match": '"9dd4e461268c8034f5c8564e155c67a6"' },
    }], DENIED],
    ["a conditional deletion", "ann", { own: [...own, write] }, ["DELETE", "/bucket/key", {
      headers: { "if-match": '"9dd4e461268c8034f5c8564e155c67a6"' },
    }], "204"],
    ["new tags", "ann", { own }, ["PUT", "/bucket/other?tagging", { body: NO_TAGS }], DENIED],
    ["new tags", "ann", { own }, ["PUT", "/bucket/key?tagging", { body: NO_TAGS }], "200"],
    ["no tags", "ann", { own }, ["DELETE", "/bucket/other?tagging"], DENIED],
    ["no tags", "ann", { own }, ["DELETE", "/bucket/key?tagging"], "204"],
    ["an ACL", "ann", { own }, ["PUT", "/bucket/other?acl", {
      headers: { "x-amz-acl": "private" },
    }], DENIED],
    [
      "an ACL",
      "ann",
      { own },
      ["PUT", "/bucket/key?acl", { headers: { "x-amz-acl": "private" } }],
      "200",
    ],
    ["attributes", "ann", { own }, ["GET", "/bucket/other?attributes", {
      headers: { "x-amz-object-attributes": "ETag" },
    }], DENIED],
    ["attributes", "ann", { own }, ["GET", "/bucket/key?attributes", {
      headers: { "x-amz-object-attributes": "ETag" },
    }], "200"],
    [
      "a denial",
      "root",
      { bucket: [deny("GetObject", "/*", { ...open, ...to("everybody") })] },
      GET,
      DENIED,
    ],
    [
      "a denial",
      "root",
      { bucket: [deny("GetObject", "/*", { ...open, ...to("everybody") })] },
      closed,
      "200",
    ],
  ];
  return check(rows, tagged);
});

Deno.test("DeleteObjects asks for each key, and tells nothing of keys without a list", async () => {
  const scene = await createPolicyScene();
  await withObjects(scene);
  const remove = async (who: Who, objects: string): Promise<readonly string[]> => {
    const body = `<Delete>${objects}</Delete>`;
    const headers = { "content-md5": contentMD5(body) };
    const response = await scene.as(who, "POST", "/bucket?delete", { body, headers });
    const text = await response.text();
    strictEqual(response.status, 200, text);
    return [...text.matchAll(/<Deleted><Key>(\w+)|<Key>(\w+)<\/Key><Code>(\w+)/g)].map((match) =>
      match[1] ?? `${match[2]} ${match[3]}`
    );
  };
  const object = (key: string, etag?: string): string =>
    `<Object><Key>${key}</Key>${etag === undefined ? "" : `<ETag>${etag}</ETag>`}</Object>`;
  deepStrictEqual(await remove("ann", object("key")), ["key AccessDenied"]);
  scene.give("ann", allow("DeleteObject", "/k*"));
  deepStrictEqual(await remove("ann", object("other") + object("key", "0") + object("kiss", "*")), [
    "other AccessDenied",
    "key AccessDenied",
    "kiss AccessDenied",
  ]);
  scene.give("ann", allow("DeleteObject GetObject", "/k*"), allow("ListBucket", ""));
  deepStrictEqual(await remove("ann", object("key", "0") + object("kiss", "*")), [
    "key PreconditionFailed",
    "kiss NoSuchKey",
  ]);
  deepStrictEqual(await remove("ann", object("key")), ["key"]);
  const body = `<Delete>${object("other")}</Delete>`;
  const headers = { "content-md5": contentMD5(body) };
  const refused = await scene.as("nobody", "POST", "/bucket?delete", { body, headers });
  strictEqual(await outcomeOf(refused), DENIED);
  await scene.setBucketPolicy(allow("DeleteObject", "/other", to("everybody")));
  deepStrictEqual(await remove("nobody", object("other")), ["other"]);
});

Deno.test("an object shows the number of its tags, and its locks, to those who may read them", async () => {
  const scene = await createPolicyScene();
  await scene.as("root", "PUT", "/bucket/key", { body: "x", headers: { "x-amz-tagging": "a=1" } });
  const countOf = async (who: Who): Promise<string | null> => {
    const response = await scene.as(who, "HEAD", "/bucket/key");
    strictEqual(response.status, 200);
    return response.headers.get("x-amz-tagging-count");
  };
  strictEqual(await countOf("root"), "1");
  scene.give("ann", READ);
  strictEqual(await countOf("ann"), null);
  scene.give("ann", READ, allow("GetObjectTagging", "/*"));
  strictEqual(await countOf("ann"), "1");
});

Deno.test("ListBuckets shows the buckets of the caller's account, and an administrator all", async () => {
  const scene = await createPolicyScene();
  await scene.as("stranger", "PUT", "/theirs");
  const namesOf = async (who: Who): Promise<readonly string[]> =>
    [...(await (await scene.as(who, "GET", "/")).text()).matchAll(/<Name>([\w-]+)/g)].map((
      [, name],
    ) => name ?? "");
  deepStrictEqual(await namesOf("root"), ["bucket"]);
  deepStrictEqual(await namesOf("stranger"), ["theirs"]);
  deepStrictEqual(await namesOf("admin"), ["bucket", "theirs"]);
  scene.give("cat", allow("ListAllMyBuckets", "*"));
  deepStrictEqual(await namesOf("cat"), ["theirs"]);
});

Deno.test("a policy that nobody can read lets nobody in but the owner's root to replace it", async () => {
  const scene = await createPolicyScene();
  await withObjects(scene);
  scene.give("ann", allow("s3:*", ALL));
  await scene.store.putDocument("bucket" as never, "policy", "{");
  strictEqual(await outcomeOf(await scene.as("root", ...GET)), DENIED);
  strictEqual(await outcomeOf(await scene.as("ann", "DELETE", "/bucket?policy")), DENIED);
  strictEqual(await outcomeOf(await scene.as("root", "GET", "/bucket?policy")), "200");
  strictEqual(await outcomeOf(await scene.as("root", "DELETE", "/bucket?policy")), "204");
  strictEqual(await outcomeOf(await scene.as("root", ...GET)), "200");
});

Deno.test("the log tells which statement decided, and the client does not learn it", async () => {
  const decisions: string[] = [];
  const scene = await createPolicyScene({
    decided: ({ action }, { allowed, because, statement }) =>
      decisions.push(`${action} ${allowed} ${because} ${statement?.origin} ${statement?.sid}`),
  });
  await withObjects(scene);
  strictEqual(decisions.length, 0); // nothing is asked for the owner's root
  await scene.setBucketPolicy(deny("GetObject", "/*", { ...to("ann"), Sid: "NotAnn" }));
  scene.give("ann", READ);
  const response = await scene.as("ann", ...GET);
  const text = await response.text();
  strictEqual(response.status, 403);
  ok(!text.includes("NotAnn") && !text.includes("policy"), text);
  deepStrictEqual(decisions, ["s3:GetObject false explicit deny bucket policy NotAnn"]);
});
