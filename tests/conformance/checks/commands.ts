/** The high-level `s3` commands, and the authentication of callers. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { type Checks, shows } from "../check.ts";
import { CREDENTIALS } from "../../clients/gateway_process.ts";
import { compareFiles, filesBelow } from "../../clients/real_files.ts";

export const COMMANDS: Checks = {
  "cp up and down": async ({ aws, folder }) => {
    await aws`s3 cp --no-progress digits s3://BUCKET/a/`;
    await aws`s3 cp --no-progress s3://BUCKET/a/digits back/digits`;
    await compareFiles(`${folder}/digits`, `${folder}/back/digits`);
  },
  "cp in parts, up, across and down": async ({ aws, folder }) => {
    await aws`s3 cp --no-progress twelve-mib s3://BUCKET/a`;
    await aws`s3 cp --no-progress s3://BUCKET/a s3://BUCKET/b`;
    await aws`s3 cp --no-progress s3://BUCKET/b back`;
    await compareFiles(`${folder}/twelve-mib`, `${folder}/back`);
  },
  "cp from standard input, to standard output": async ({ aws, awsFrom }) => {
    await awsFrom("digits")`s3 cp - s3://BUCKET/a`;
    strictEqual((await aws`s3 cp s3://BUCKET/a -`).text, "0123456789");
  },
  "cp from standard input in parts": async ({ aws, awsFrom, folder }) => {
    await awsFrom("twelve-mib")`s3 cp --expected-size 12582912 - s3://BUCKET/a`;
    await aws`s3 cp --no-progress s3://BUCKET/a back`;
    await compareFiles(`${folder}/twelve-mib`, `${folder}/back`);
  },
  "cp --recursive with --exclude and --include": async ({ aws, folder, tree }) => {
    await tree("a/1.txt", "a/2.log", "b/3.txt", "b/4.log");
    await aws`s3 cp --no-progress --recursive --exclude * --include *.txt --exclude b/*
      s3://BUCKET back`;
    deepStrictEqual(await filesBelow(`${folder}/back`), ["a/1.txt"]);
  },
  "cp --dryrun does nothing": async ({ aws }) => {
    shows((await aws`s3 cp --dryrun hello s3://BUCKET/a`).text, /^\(dryrun\) upload: /);
    strictEqual((await aws`s3 ls s3://BUCKET`).text, "");
  },
  "cp of a missing object": async ({ refused }) => {
    await refused("404", 404)`s3 cp --no-progress s3://BUCKET/none out`;
  },
  "cp --metadata-directive REPLACE across": async ({ aws }) => {
    await aws`s3 cp --no-progress --metadata one=1 hello s3://BUCKET/a`;
    await aws`s3 cp --no-progress --metadata two=2 --metadata-directive REPLACE s3://BUCKET/a
      s3://BUCKET/b`;
    shows((await aws`s3api head-object --bucket BUCKET --key b`).json, {
      Metadata: { one: undefined, two: "2" },
    });
  },
  "mv up, across and down": async ({ aws, folder, write, read }) => {
    await write("moved", "moved");
    await aws`s3 mv --no-progress moved s3://BUCKET/a`;
    await aws`s3 mv --no-progress s3://BUCKET/a s3://BUCKET/b/c`;
    deepStrictEqual((await filesBelow(folder)).includes("moved"), false);
    await aws`s3 mv --no-progress s3://BUCKET/b/c moved`;
    strictEqual(await read("moved"), "moved");
    strictEqual((await aws`s3 ls s3://BUCKET`).text, "");
  },
  "mv --recursive": async ({ aws, tree }) => {
    await tree("a/1", "a/b/2");
    await aws`s3 mv --no-progress --recursive s3://BUCKET/a s3://BUCKET/c`;
    match(
      (await aws`s3 ls --recursive s3://BUCKET`).text,
      /^\S+ \S+ +5 c\/1\n\S+ \S+ +5 c\/b\/2\n$/,
    );
  },
  "sync sends new and changed files once": async ({ aws, folder, write }) => {
    // Listings show whole seconds, as on Amazon: a file of the same second would count as newer than its object.
    const earlier = new Date(Date.now() - 10_000);
    for (const name of ["up/a", "up/b/c"]) {
      await write(name, name);
      await Deno.utime(`${folder}/${name}`, earlier, earlier);
    }
    shows((await aws`s3 sync --no-progress up s3://BUCKET/up`).text, /upload: .*\n.*upload: .*\n$/);
    strictEqual((await aws`s3 sync --no-progress up s3://BUCKET/up`).text, "");
    await write("up/a", "changed and longer");
    shows((await aws`s3 sync --no-progress up s3://BUCKET/up`).text, /^upload: [^\n]*up\/a\n$/);
  },
  "sync --delete, --exclude": async ({ aws, folder, write }) => {
    for (const name of ["up/a", "up/b.log", "up/c"]) await write(name, name);
    await aws`s3 sync --no-progress --exclude *.log up s3://BUCKET`;
    await Deno.remove(`${folder}/up/a`);
    await aws`s3 sync --no-progress --delete up s3://BUCKET`;
    await aws`s3 sync --no-progress s3://BUCKET down`;
    deepStrictEqual(await filesBelow(`${folder}/down`), ["b.log", "c"]);
  },
  "sync from bucket to bucket": async ({ aws, tree }) => {
    await tree("a", "b/c d");
    await aws`s3 mb s3://BUCKET-two`;
    await aws`s3 sync --no-progress s3://BUCKET s3://BUCKET-two`;
    strictEqual((await aws`s3 sync --no-progress s3://BUCKET s3://BUCKET-two`).text, "");
    shows((await aws`s3 ls --recursive s3://BUCKET-two`).text, / a\n.* b\/c d\n$/);
    await aws`s3 rb --force s3://BUCKET-two`;
  },
  "ls of a missing bucket is an error": async ({ refused }) => {
    await refused("NoSuchBucket", 404)`s3 ls s3://BUCKET-none`;
  },
};

async function fetched(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url.trim());
  return { status: response.status, text: await response.text() };
}

export const SIGNATURES: Checks = {
  "presign: a URL reads without credentials": async ({ aws, put }) => {
    await put("a b+é");
    const { text } = await aws`s3 presign ${"s3://"}BUCKET/${"a b+é"}`;
    deepStrictEqual(await fetched(text), { status: 200, text: "hello" });
  },
  "presign: also with version 4": async ({ aws, put, write }) => {
    await put("a");
    await write("config", "[default]\ns3 =\n  signature_version = s3v4\n");
    const { text } = await aws`s3 presign --region us-east-1 s3://BUCKET/a`;
    deepStrictEqual(await fetched(text), { status: 200, text: "hello" });
  },
  "presign: a URL with a changed key is SignatureDoesNotMatch": async ({ aws, put }) => {
    for (const key of ["a", "b"]) await put(key);
    const { text } = await aws`s3 presign s3://BUCKET/a`;
    const { status, text: body } = await fetched(text.replace("/a?", "/b?"));
    strictEqual(status, 403);
    match(body, /<Code>SignatureDoesNotMatch<\/Code>/);
  },
  "presign: a URL expires": async ({ aws, put }) => {
    await put("a");
    const { text } = await aws`s3 presign --expires-in 1 s3://BUCKET/a`;
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const { status, text: body } = await fetched(text);
    strictEqual(status, 403);
    match(body, /<Code>AccessDenied<\/Code>/);
  },
  "unsigned requests are AccessDenied": async ({ put, refused }) => {
    await put("a");
    await refused(
      "AccessDenied",
      403,
    )`s3api get-object --bucket BUCKET --key a --no-sign-request out`;
    await refused("403", 403)`s3api head-object --bucket BUCKET --key a --no-sign-request`;
  },
  "a wrong secret is SignatureDoesNotMatch, an unknown access key InvalidAccessKeyId": async (
    { refused, write },
  ) => {
    const { accessKeyId } = CREDENTIALS;
    await write(
      "config",
      `[profile wrong]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = wrong\n` +
        "[profile unknown]\naws_access_key_id = unknown\naws_secret_access_key = wrong\n",
    );
    await refused(
      "SignatureDoesNotMatch",
      403,
    )`s3api list-objects-v2 --bucket BUCKET --profile wrong`;
    await refused(
      "InvalidAccessKeyId",
      403,
    )`s3api list-objects-v2 --bucket BUCKET --profile unknown`;
  },
  "a client of another region learns the right one and follows": async ({ aws, put }) => {
    await put("a");
    await aws`s3api list-objects-v2 --bucket BUCKET --region eu-west-1`;
  },
};
