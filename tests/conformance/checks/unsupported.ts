/**
 * Operations that are not implemented: the gateway refuses each by name and does nothing else.
 * @module
 */

import { type Checks, shows } from "../check.ts";

/** Commands, without `--bucket`, by the operation that they request. */
const ON_BUCKET: Readonly<Record<string, readonly string[]>> = {
  PutBucketEncryption: [
    "put-bucket-encryption",
    "--server-side-encryption-configuration",
    '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}',
  ],
};

/** Commands, without `--bucket` and `--key`. */
const ON_OBJECT: Readonly<Record<string, readonly string[]>> = {
  GetObjectTorrent: ["get-object-torrent", "out"],
  RestoreObject: ["restore-object", "--restore-request", "Days=1"],
  SelectObjectContent: [
    "select-object-content",
    "--expression",
    "select * from s3object",
    "--expression-type",
    "SQL",
    "--input-serialization",
    "CSV={}",
    "--output-serialization",
    "CSV={}",
    "out",
  ],
};

/** Checks by operation. */
export const NOT_IMPLEMENTED: Checks = Object.fromEntries(
  [...Object.entries(ON_BUCKET), ...Object.entries(ON_OBJECT)].map(([operation, words]) => [
    operation,
    async ({ aws, put, refused }) => {
      await put("a");
      const [command = "", ...args] = words;
      const key = operation in ON_OBJECT ? ["--key", "a"] : [];
      await refused("NotImplemented", 501)`s3api ${command} --bucket BUCKET ${[...key, ...args]}`;
      // The command deleted, replaced and created nothing.
      shows((await aws`s3api list-objects-v2 --bucket BUCKET`).json, { Contents: [{ Key: "a" }] });
    },
  ]),
);
