/** Buckets. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { formatPublicRead } from "../../../src/s3/policy.ts";
import { type Checks, shows, textOf } from "../check.ts";

const LONGEST = "b".repeat(63);

export const BUCKETS: Checks = {
  "s3 mb creates a bucket that s3 ls shows and s3 rb removes": async ({ aws, bucket }) => {
    strictEqual((await aws`s3 mb s3://BUCKET-two`).text, `make_bucket: ${bucket}-two\n`);
    shows(
      (await aws`s3 ls`).text,
      new RegExp(`^\\d{4}-\\d\\d-\\d\\d [\\d:]{8} ${bucket}-two$`, "m"),
    );
    strictEqual((await aws`s3 rb s3://BUCKET-two`).text, `remove_bucket: ${bucket}-two\n`);
  },
  "create-bucket returns the bucket's location": async ({ aws, bucket }) => {
    shows((await aws`s3api create-bucket --bucket BUCKET-two`).json, {
      Location: `/${bucket}-two`,
    });
    await aws`s3api delete-bucket --bucket BUCKET-two`;
  },
  "create-bucket for one's own bucket succeeds in us-east-1": async ({ aws, put }) => {
    await put("kept");
    await aws`s3api create-bucket --bucket BUCKET`;
    await aws`s3api head-object --bucket BUCKET --key kept`;
  },
  "create-bucket accepts dots and 63 characters": async ({ aws, bucket }) => {
    const longest = bucket + LONGEST.slice(bucket.length);
    for (const name of [longest, `${bucket}.with.dots`]) {
      await aws`s3api create-bucket --bucket ${name}`;
      await aws`s3api head-bucket --bucket ${name}`;
      await aws`s3api delete-bucket --bucket ${name}`;
    }
  },
  "create-bucket rejects invalid bucket names": async ({ refused }) => {
    for (
      const name of ["Upper-Case", "under_score", "ends-with-", "192.168.5.4", "xn--a", "a..b"]
    ) {
      await refused("InvalidBucketName", 400)`s3api create-bucket --bucket ${name}`;
    }
  },
  "create-bucket rejects another region's location": async ({ refused }) => {
    await refused(
      "IllegalLocationConstraintException",
      400,
    )`s3api create-bucket --bucket BUCKET-two --create-bucket-configuration LocationConstraint=eu-west-1`;
  },
  "head-bucket returns the region": async ({ aws }) => {
    shows((await aws`s3api head-bucket --bucket BUCKET`).json, { BucketRegion: "us-east-1" });
  },
  "head-bucket of a missing bucket is a 404": async ({ refused }) => {
    await refused("404", 404)`s3api head-bucket --bucket BUCKET-none`;
  },
  "get-bucket-location is null in us-east-1": async ({ aws }) => {
    const { json } = await aws`s3api get-bucket-location --bucket BUCKET`;
    shows(json, { LocationConstraint: null });
  },
  "list-buckets returns names, dates and the owner": async ({ aws, bucket }) => {
    const { json } = await aws`s3api list-buckets --prefix BUCKET`;
    shows(json, { Buckets: [{ Name: bucket, CreationDate: /^2\d{3}-/ }], Owner: { ID: /./ } });
  },
  "list-buckets returns pages": async ({ aws, bucket }) => {
    const names = ["-a", "-b", "-c"].map((end) => bucket + end);
    for (const name of names) await aws`s3api create-bucket --bucket ${name}`;
    const { json } = await aws`s3api list-buckets --prefix BUCKET- --page-size 2`;
    shows(json, { Buckets: names.map((Name) => ({ Name })) });
    const first = await aws`s3api list-buckets --prefix BUCKET- --max-buckets 2 --no-paginate`;
    shows(first.json, { Buckets: [{}, {}], ContinuationToken: /./ });
    for (const name of names) await aws`s3api delete-bucket --bucket ${name}`;
  },
  "delete-bucket rejects a bucket with objects": async ({ put, refused }) => {
    await put("a");
    await refused("BucketNotEmpty", 409)`s3api delete-bucket --bucket BUCKET`;
  },
  "delete-bucket of a missing bucket is NoSuchBucket": async ({ refused }) => {
    await refused("NoSuchBucket", 404)`s3api delete-bucket --bucket BUCKET-none`;
  },
  "s3 rb --force empties a bucket first": async ({ aws, refused }) => {
    await aws`s3 mb s3://BUCKET-two`;
    for (const key of ["a", "b/c"]) await aws`s3 cp --no-progress hello s3://BUCKET-two/${key}`;
    await aws`s3 rb --force s3://BUCKET-two`;
    await refused("404", 404)`s3api head-bucket --bucket BUCKET-two`;
  },
  "every request to a missing bucket is NoSuchBucket": async ({ refused }) => {
    const none = refused("NoSuchBucket", 404);
    await none`s3api put-object --bucket BUCKET-none --key a --body hello`;
    await none`s3api get-object --bucket BUCKET-none --key a out`;
    await none`s3api delete-object --bucket BUCKET-none --key a`;
    await none`s3api list-objects --bucket BUCKET-none`;
    await none`s3api list-objects-v2 --bucket BUCKET-none`;
    await none`s3api create-multipart-upload --bucket BUCKET-none --key a`;
    await none`s3api get-bucket-location --bucket BUCKET-none`;
  },
  "a bucket that is created again is empty": async ({ aws }) => {
    await aws`s3 mb s3://BUCKET-two`;
    await aws`s3 cp --no-progress hello s3://BUCKET-two/a`;
    await aws`s3 rb --force s3://BUCKET-two`;
    await aws`s3 mb s3://BUCKET-two`;
    strictEqual((await aws`s3 ls s3://BUCKET-two`).text, "");
    await aws`s3 rb s3://BUCKET-two`;
  },
  "a bucket is served as a web site until its configuration is deleted": async (
    { aws, refused },
  ) => {
    const none = refused("NoSuchWebsiteConfiguration", 404);
    await none`s3api get-bucket-website --bucket BUCKET`;
    await aws`s3 website s3://BUCKET --index-document index.html --error-document error.html`;
    shows((await aws`s3api get-bucket-website --bucket BUCKET`).json, {
      IndexDocument: { Suffix: "index.html" },
      ErrorDocument: { Key: "error.html" },
    });
    await aws`s3api delete-bucket-website --bucket BUCKET`;
    await none`s3api get-bucket-website --bucket BUCKET`;
  },
  "everybody may read the objects of a bucket until its policy is deleted": async (
    { aws, refused, bucket },
  ) => {
    const policy = formatPublicRead(bucket);
    const none = refused("NoSuchBucketPolicy", 404);
    await none`s3api get-bucket-policy --bucket BUCKET`;
    await aws`s3 cp --no-progress hello s3://BUCKET/a`;
    await aws`s3api put-bucket-policy --bucket BUCKET --policy ${policy}`;
    strictEqual(textOf(await aws`s3api get-bucket-policy --bucket BUCKET`, "Policy"), policy);
    shows((await aws`s3api get-bucket-policy-status --bucket BUCKET`).json, {
      PolicyStatus: { IsPublic: true },
    });
    await aws`s3api head-object --bucket BUCKET --key a --no-sign-request`;
    await aws`s3api delete-bucket-policy --bucket BUCKET`;
    await none`s3api get-bucket-policy --bucket BUCKET`;
    await refused("403", 403)`s3api head-object --bucket BUCKET --key a --no-sign-request`;
  },
  "list-buckets accepts a prefix and shows only existing buckets": async ({ aws, bucket }) => {
    const { json } = await aws`s3api list-buckets --prefix BUCKET-none`;
    shows(json, { Buckets: [] });
    strictEqual(textOf(await aws`s3api list-buckets --prefix BUCKET`, "Prefix"), bucket);
  },
  "a public access block refuses a public policy": async ({ aws, bucket, refused }) => {
    const switches = [
      "BlockPublicAcls",
      "IgnorePublicAcls",
      "BlockPublicPolicy",
      "RestrictPublicBuckets",
    ];
    const block = Object.fromEntries(switches.map((name) => [name, name === "BlockPublicPolicy"]));
    const put = ["put-public-access-block", "--public-access-block-configuration"];
    await aws`s3api ${[...put, JSON.stringify(block)]} --bucket BUCKET`;
    deepStrictEqual((await aws`s3api get-public-access-block --bucket BUCKET`).json, {
      PublicAccessBlockConfiguration: block,
    });
    const policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{
        Effect: "Allow",
        Principal: "*",
        Action: "s3:ListBucket",
        Resource: `arn:aws:s3:::${bucket}`,
      }],
    });
    await refused("AccessDenied", 403)`s3api put-bucket-policy --bucket BUCKET --policy ${policy}`;
    await aws`s3api delete-public-access-block --bucket BUCKET`;
    await refused(
      "NoSuchPublicAccessBlockConfiguration",
      404,
    )`s3api get-public-access-block --bucket BUCKET`;
  },
};
