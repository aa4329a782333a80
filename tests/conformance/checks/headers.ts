/** Headers with additional requests: the gateway stores or refuses them, but never ignores them. */

import { type Checks, shows } from "../check.ts";

export const HEADERS: Checks = {
  "tags can be sent with an object and are counted": async ({ aws }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body hello --tagging a=b&c=d`;
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, { TagCount: 2 });
    await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a --tagging x=y
      --tagging-directive REPLACE`;
    shows((await aws`s3api get-object --bucket BUCKET --key b out`).json, { TagCount: 1 });
  },
  "the same tag twice is InvalidArgument": async ({ refused }) => {
    await refused(
      "InvalidArgument",
      400,
    )`s3api put-object --bucket BUCKET --key a --body hello --tagging a=b&a=c`;
  },
  "a storage class is stored; an invalid one is InvalidStorageClass": async ({ aws, refused }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body hello --storage-class STANDARD_IA`;
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, {
      StorageClass: "STANDARD_IA",
    });
    shows((await aws`s3api list-objects-v2 --bucket BUCKET`).json, {
      Contents: [{ StorageClass: "STANDARD_IA" }],
    });
    await refused(
      "InvalidStorageClass",
      400,
    )`s3api put-object --bucket BUCKET --key a --body hello --storage-class NONE`;
  },
  "a website's redirect is stored": async ({ aws }) => {
    await aws`s3api put-object --bucket BUCKET --key a --website-redirect-location /b`;
    shows((await aws`s3api head-object --bucket BUCKET --key a`).json, {
      WebsiteRedirectLocation: "/b",
    });
  },
  "only the private ACL is accepted; a wider one is rejected": async ({ aws, refused }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body hello --acl private`;
    await refused(
      "AccessControlListNotSupported",
      400,
    )`s3api put-object --bucket BUCKET --key a --body hello --acl public-read`;
    await refused(
      "AccessControlListNotSupported",
      400,
    )`s3api create-bucket --bucket BUCKET-two --acl public-read`;
  },
  "encryption with a key is rejected": async ({ refused }) => {
    const no = refused("NotImplemented", 501);
    await no`s3api put-object --bucket BUCKET --key a --body hello --server-side-encryption aws:kms`;
    await no`s3api put-object --bucket BUCKET --key a --body hello --sse-customer-algorithm AES256
      --sse-customer-key ${"k".repeat(32)}`;
    await no`s3api create-multipart-upload --bucket BUCKET --key a --server-side-encryption aws:kms`;
    await refused("404", 404)`s3api head-object --bucket BUCKET --key a`;
  },
  "the only version is null without versioning": async ({ aws, put, refused }) => {
    await put("a");
    await aws`s3api get-object --bucket BUCKET --key a --version-id null out`;
    await refused(
      "InvalidArgument",
      400,
    )`s3api get-object --bucket BUCKET --key a --version-id none out`;
  },
  "an unexpected owner is AccessDenied": async ({ refused }) => {
    await refused("AccessDenied", 403)`s3api put-object --bucket BUCKET --key a --body hello
      --expected-bucket-owner 111122223333`;
  },
};
