/** Questions about what was never set, ACLs, and versions of a bucket without versioning. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Checks, shows } from "../check.ts";

/** Commands whose responses are empty, without `--bucket`. */
const EMPTY: readonly (readonly string[])[] = [
  ["get-bucket-notification-configuration"],
  ["get-bucket-versioning"],
];

/** Commands that fail with 404, by the code. */
const MISSING: readonly (readonly [code: string, ...command: string[]])[] = [
  ["NoSuchBucketPolicy", "get-bucket-policy"],
  ["NoSuchBucketPolicy", "get-bucket-policy-status"],
  ["NoSuchLifecycleConfiguration", "get-bucket-lifecycle-configuration"],
  ["NoSuchPublicAccessBlockConfiguration", "get-public-access-block"],
  ["ObjectLockConfigurationNotFoundError", "get-object-lock-configuration"],
  ["ReplicationConfigurationNotFoundError", "get-bucket-replication"],
  ["ServerSideEncryptionConfigurationNotFoundError", "get-bucket-encryption"],
];

const DELETIONS = [
  "delete-bucket-encryption",
  "delete-bucket-lifecycle",
  "delete-bucket-policy",
  "delete-bucket-replication",
  "delete-public-access-block",
];

/** Configurations of which a bucket may have several. */
const SEVERAL = ["analytics", "intelligent-tiering", "inventory", "metrics"];

const OWNERS = {
  Grants: [{ Grantee: { Type: "CanonicalUser" }, Permission: "FULL_CONTROL" }],
};

export const NEVER_SET: Checks = {
  "reads of configurations that are empty or missing": async ({ aws, refused }) => {
    for (const command of EMPTY) {
      strictEqual((await aws`s3api ${command} --bucket BUCKET`).text, "");
    }
    for (const [code, ...command] of MISSING) {
      await refused(code, 404)`s3api ${command} --bucket BUCKET`;
    }
  },
  "deletions of configurations that are not there": async ({ aws, put }) => {
    await put("a");
    for (const command of DELETIONS) await aws`s3api ${command} --bucket BUCKET`;
    shows((await aws`s3api list-objects-v2 --bucket BUCKET`).json, { Contents: [{ Key: "a" }] });
  },
  "configurations with an id": async ({ aws, refused }) => {
    for (const kind of SEVERAL) {
      const list = `list-bucket-${kind}-configurations`;
      shows((await aws`s3api ${list} --bucket BUCKET`).json, { IsTruncated: false });
      for (const verb of ["get", "delete"]) {
        const command = `${verb}-bucket-${kind}-configuration`;
        await refused("NoSuchConfiguration", 404)`s3api ${command} --bucket BUCKET --id a`;
      }
    }
  },
  "an empty notification configuration may be put": async ({ aws }) => {
    await aws`s3api put-bucket-notification-configuration --bucket BUCKET
      --notification-configuration ${"{}"}`;
  },
  "object ownership is BucketOwnerEnforced": async ({ aws, refused }) => {
    const rules = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] };
    const put = ["put-bucket-ownership-controls", "--ownership-controls"];
    await aws`s3api ${[...put, JSON.stringify(rules)]} --bucket BUCKET`;
    deepStrictEqual((await aws`s3api get-bucket-ownership-controls --bucket BUCKET`).json, {
      OwnershipControls: rules,
    });
    const other = JSON.stringify({ Rules: [{ ObjectOwnership: "ObjectWriter" }] });
    await refused("NotImplemented", 501)`s3api ${[...put, other]} --bucket BUCKET`;
    await refused(
      "OwnershipControlsNotFoundError",
      404,
    )`s3api delete-bucket-ownership-controls --bucket BUCKET`;
  },
  "ACLs give the owner full control, and accept only that": async (
    { aws, put, refused, write },
  ) => {
    await put("a");
    for (
      const [kind, target] of [["bucket", []], ["object", ["--key", "a"]]] as const
    ) {
      const name = (verb: string): string => `${verb}-${kind}-acl`;
      const acl = await aws`s3api ${name("get")} --bucket BUCKET ${target}`;
      shows(acl.json, OWNERS);
      await write("acl.json", acl.text);
      const same = ["--access-control-policy", "file://acl.json"];
      await aws`s3api ${name("put")} --bucket BUCKET ${[...target, ...same]}`;
      await aws`s3api ${name("put")} --bucket BUCKET ${target} --acl private`;
      await refused(
        "AccessControlListNotSupported",
        400,
      )`s3api ${name("put")} --bucket BUCKET ${target} --acl public-read`;
    }
  },
  "the locks of an object in a bucket without object lock": async ({ put, refused }) => {
    await put("a");
    for (const command of ["get-object-retention", "get-object-legal-hold"]) {
      await refused("InvalidRequest", 400)`s3api ${command} --bucket BUCKET --key a`;
    }
  },
  "list-object-versions shows every object once, as the version null": async ({ aws, put }) => {
    for (const key of ["a/1", "a/2", "b"]) await put(key);
    for (const size of [1, 1000]) {
      const { json } = await aws`s3api list-object-versions --bucket BUCKET --page-size ${size}`;
      shows(json, {
        Versions: ["a/1", "a/2", "b"].map((Key) => ({ Key, VersionId: "null", IsLatest: true })),
        DeleteMarkers: undefined,
      });
    }
    shows((await aws`s3api list-object-versions --bucket BUCKET --delimiter / --prefix a`).json, {
      CommonPrefixes: [{ Prefix: "a/" }],
      Versions: undefined,
    });
    const marker = ["--key-marker", "a/1", "--version-id-marker", "null", "--max-keys", "1"];
    shows((await aws`s3api list-object-versions --bucket BUCKET ${marker}`).json, {
      Versions: [{ Key: "a/2" }],
    });
  },
};
