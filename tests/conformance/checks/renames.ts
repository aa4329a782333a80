/** RenameObject. */

import { strictEqual } from "node:assert/strict";
import { type Checks, shows } from "../check.ts";

const ETAG = '"5d41402abc4b2a76b9719d911017c592"';

export const RENAMES: Checks = {
  "rename-object keeps bytes, metadata and ETag": async ({ aws, read, refused }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body hello --content-type text/x
      --metadata one=1 --tagging k=v`;
    await aws`s3api rename-object --bucket BUCKET --key ${"b/c d"} --rename-source a`;
    shows((await aws`s3api get-object --bucket BUCKET --key ${"b/c d"} out`).json, {
      ContentType: "text/x",
      ETag: ETAG,
      Metadata: { one: "1" },
      TagCount: 1,
    });
    strictEqual(await read("out"), "hello");
    await refused("404", 404)`s3api head-object --bucket BUCKET --key a`;
  },
  "rename-object names the source with the bucket, or percent-encoded": async ({ aws, put }) => {
    await put("a b");
    await aws`s3api rename-object --bucket BUCKET --key b --rename-source BUCKET/a%20b`;
    await aws`s3api rename-object --bucket BUCKET --key c --rename-source /BUCKET/b`;
    await aws`s3api rename-object --bucket BUCKET --key d --rename-source /c`;
    shows((await aws`s3 ls s3://BUCKET`).text, /^[^\n]* d\n$/);
  },
  "rename-object of an object in parts": async ({ aws }) => {
    await aws`s3 cp --no-progress twelve-mib s3://BUCKET/a`;
    const before = await aws`s3api head-object --bucket BUCKET --key a --query ETag`;
    await aws`s3api rename-object --bucket BUCKET --key b --rename-source a`;
    const after = await aws`s3api head-object --bucket BUCKET --key b --query ETag`;
    strictEqual(after.text, before.text);
  },
  "rename-object replaces an object only under its conditions": async ({ aws, put, refused }) => {
    await put("a");
    await put("b");
    await refused("PreconditionFailed", 412)`s3api rename-object --bucket BUCKET --key b
      --rename-source a --destination-if-none-match *`;
    await refused("PreconditionFailed", 412)`s3api rename-object --bucket BUCKET --key b
      --rename-source a --source-if-none-match ${ETAG}`;
    await refused("PreconditionFailed", 412)`s3api rename-object --bucket BUCKET --key new
      --rename-source a --destination-if-match ${ETAG}`;
    await aws`s3api rename-object --bucket BUCKET --key b --rename-source a
      --destination-if-match ${ETAG} --source-if-match ${ETAG}`;
    shows((await aws`s3 ls s3://BUCKET`).text, /^[^\n]* b\n$/);
  },
  "rename-object with a client token is made once": async ({ aws, put, refused }) => {
    await put("a");
    await aws`s3api rename-object --bucket BUCKET --key b --rename-source a --client-token t1`;
    await put("a");
    await aws`s3api rename-object --bucket BUCKET --key b --rename-source a --client-token t1`;
    await refused("IdempotencyParameterMismatch", 400)`s3api rename-object --bucket BUCKET --key c
      --rename-source a --client-token t1`;
    shows((await aws`s3 ls s3://BUCKET`).text, /^[^\n]* a\n[^\n]* b\n$/);
  },
  "rename-object of a missing object, or of a key that ends with a slash": async (check) => {
    await check.put("folder/");
    await check.refused("NoSuchKey", 404)`s3api rename-object --bucket BUCKET --key b
      --rename-source none`;
    await check.refused("InvalidRequest", 400)`s3api rename-object --bucket BUCKET --key b
      --rename-source folder/`;
  },
};
