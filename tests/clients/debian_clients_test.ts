/**
 * Runs clients that Debian packs: aws-cli 2, which asks for tags before it copies in parts, the SDK for Ruby, which asks
 * for versions before it empties a bucket, and rclone, which asks for versioning before it deletes one.
 */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { type DebianTree, findDebianProgram, findDebianTree } from "../../scripts/debian.ts";
import { run } from "./client_process.ts";
import { startGateway } from "./gateway_process.ts";
import { compareFiles, temporaryFolder, writeRandomFile } from "./real_files.ts";

const RUBY_CHECKS = `${import.meta.dirname}/ruby_checks.rb`;

// deno-lint-ignore no-console
const note = (reason: string): void => console.log(`Skipping a client: ${reason}`);
const cli = await findDebianTree("awscli", "/usr/bin/aws", note);
const rclone = await findDebianProgram("rclone", note);
const ruby = await findDebianTree("ruby-aws-sdk-s3", "/usr/bin/ruby", note);

Deno.test({
  name: "aws-cli 2 of Debian copies between buckets in parts, with tags",
  ignore: cli === undefined,
  async fn() {
    if (cli === undefined) return;
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    const aws = async (...args: readonly string[]): Promise<string> => {
      // It is older than AWS_ENDPOINT_URL.
      const tool = { ...cli, args: ["--endpoint-url", gateway.url] };
      const { code, stdout, stderr } = await run(tool, args, { gateway, cwd: folder.path });
      strictEqual(code, 0, `aws ${args.join(" ")}: ${stdout}${stderr}`);
      return stdout;
    };
    await writeRandomFile(`${folder.path}/large`, 9 * 1024 * 1024);
    for (const name of ["one", "two"]) await aws("s3", "mb", `s3://${name}`);
    await aws(
      ...["s3api", "put-object", "--bucket", "one", "--key", "large", "--body", "large"],
      ...["--tagging", "c=d%20e", "--metadata", "a=b"],
    );
    await aws("s3", "cp", "--no-progress", "s3://one/large", "s3://two/copy +%");
    const copy = ["--bucket", "two", "--key", "copy +%"];
    const { TagSet } = JSON.parse(await aws("s3api", "get-object-tagging", ...copy));
    deepStrictEqual(TagSet, [{ Key: "c", Value: "d e" }]);
    const { Metadata, ETag } = JSON.parse(await aws("s3api", "head-object", ...copy));
    deepStrictEqual(Metadata, { a: "b" });
    match(ETag, /-2"$/);
    await aws("s3", "mv", "--no-progress", "s3://two/copy +%", "back");
    await compareFiles(`${folder.path}/large`, `${folder.path}/back`);
    await aws("s3", "rb", "--force", "s3://one");
  },
});

Deno.test({
  name: "Ruby SDK empties buckets, and finds tags and versions as on Amazon",
  ignore: ruby === undefined,
  async fn() {
    if (ruby === undefined) return;
    await using gateway = await startGateway();
    const tool = { ...ruby, args: [], env: { ...ruby.env, ...await rubyPaths(ruby) } };
    const { code, stdout, stderr } = await run(tool, [RUBY_CHECKS], { gateway });
    strictEqual(code, 0, stderr);
    strictEqual(stdout, "ok\n");
  },
});

Deno.test({
  name: "rclone purge deletes a bucket with objects",
  ignore: rclone === undefined,
  async fn() {
    if (rclone === undefined) return;
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    await writeRandomFile(`${folder.path}/from/a`, 5);
    await writeRandomFile(`${folder.path}/from/deep/b`, 6);
    // rclone does not accept a certificate bundle.
    const tool = {
      command: rclone,
      args: ["--s3-env-auth", "--s3-endpoint", gateway.url],
      env: { AWS_CA_BUNDLE: "" },
    };
    const call = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(tool, args, { gateway, cwd: folder.path });
      strictEqual(code, 0, `rclone ${args.join(" ")}: ${stderr}`);
      return stdout;
    };
    await call("copy", "from", ":s3,provider=Other:purged");
    const listed = await call("lsf", "--recursive", "--files-only", ":s3,provider=Other:purged");
    deepStrictEqual(listed.split("\n").sort(), ["", "a", "deep/b"]);
    await call("purge", ":s3,provider=Other:purged");
    strictEqual(await call("lsd", ":s3,provider=Other:"), "");
  },
});

/** Returns what tells Ruby where its libraries and packages are. */
async function rubyPaths({ root }: DebianTree): Promise<Readonly<Record<string, string>>> {
  const lib = `${root}/usr/lib/ruby`;
  const [version = ""] = await Array.fromAsync(Deno.readDir(`${lib}/gems`), ({ name }) => name);
  const native = `${root}/usr/lib/${Deno.build.arch}-linux-gnu/ruby`;
  return {
    RUBYLIB: [`${lib}/vendor_ruby`, `${lib}/${version}`, `${native}/${version}`].join(":"),
    GEM_PATH: [`${root}/usr/share/rubygems-integration/all`, `${lib}/gems/${version}`].join(":"),
  };
}
