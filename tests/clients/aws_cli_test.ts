/** Exercises aws-cli on real files, with its default integrity settings. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ensureAwsCli, findAwsCli2, type Tool } from "../../scripts/client_tools.ts";
import { run } from "./client_process.ts";
import { type GatewayProcess, startGateway } from "./gateway_process.ts";
import { compareFiles, filesBelow, temporaryFolder, writeRandomFile } from "./real_files.ts";
import { beyondAscii, SpoilingProxy } from "./spoiling_proxy.ts";

const MIB = 1024 * 1024;

/** Sizes around the 8 MiB from which aws-cli uploads in parts, and one of many parts. */
const SIZES = {
  "empty": 0,
  "one-byte": 1,
  "below-parts": 8 * MIB - 1,
  "two-parts": 8 * MIB + 1,
  "some-parts": 21 * MIB + 17,
  "200-mib": 200 * MIB,
} as const;

const PIPED = "s3://walk/piped";

/** File names that some program on the way may encode, fold or misread. */
const ODD_NAMES = [
  "plain.txt",
  "with space.txt",
  " leading and trailing ",
  "plus+plus.txt",
  "100%.txt",
  "percent%20encoded%2Fslash.txt",
  "a&b=c?d#e;f,g:h@i!$'().txt",
  'quotes"and<angles>`back`.txt',
  "[brackets]{braces}|^~.txt",
  "*star*.txt",
  "nfc/\u00e9.txt",
  "nfd/e\u0301.txt",
  "日本語/ファイル.txt",
  "emoji \u{1f600}/\u{1f468}\u200d\u{1f469}\u200d\u{1f467}.txt",
  "deep/er/and/deep/er/still.txt",
  "...dots.../..hidden",
  "-starts-with-a-dash",
  "back\\slash.txt",
  "new\nline.txt",
  "tab\tand\u0001control.txt",
];

/** A client with its own gateway, folder and bucket. */
type Walk = {
  readonly gateway: GatewayProcess;
  readonly folder: string;
  /** Runs `aws`, which must succeed; returns its output. */
  readonly aws: (...args: readonly string[]) => Promise<string>;
  /** Runs `aws` as {@linkcode aws} does, with standard input. */
  readonly awsFrom: (
    stdin: ReadableStream<Uint8Array<ArrayBuffer>>,
    ...args: readonly string[]
  ) => Promise<string>;
  /** Runs `aws`, which must fail; returns its error message. */
  readonly awsFails: (...args: readonly string[]) => Promise<string>;
};

async function startWalk(tool: Tool): Promise<Walk & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const gateway = stack.use(await startGateway());
  const folder = stack.use(await temporaryFolder()).path;
  const done = stack.move();
  async function succeed(
    args: readonly string[],
    stdin?: ReadableStream<Uint8Array<ArrayBuffer>>,
  ): Promise<string> {
    const { code, stdout, stderr } = await run(tool, args, {
      gateway,
      cwd: folder,
      ...stdin !== undefined && { stdin },
    });
    strictEqual(code, 0, `aws ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    // A warning about a bad checksum or a retried request is also a failure.
    strictEqual(stderr, "", `aws ${args.join(" ")} complained`);
    return stdout;
  }
  return {
    gateway,
    folder,
    aws: (...args) => succeed(args),
    awsFrom: (stdin, ...args) => succeed(args, stdin),
    async awsFails(...args) {
      const { code, stderr } = await run(tool, args, { gateway, cwd: folder });
      strictEqual(code === 0, false, `aws ${args.join(" ")} did not fail`);
      return stderr;
    },
    [Symbol.asyncDispose]: () => done[Symbol.asyncDispose](),
  };
}

async function walkOnFiles(
  { gateway, folder, aws, awsFrom, awsFails }: Walk,
  t: Deno.TestContext,
): Promise<void> {
  for (const [name, size] of Object.entries(SIZES)) {
    await writeRandomFile(`${folder}/${name}`, size);
  }

  await t.step("mb, ls", async () => {
    strictEqual(await aws("s3", "mb", "s3://walk"), "make_bucket: walk\n");
    match(await aws("s3", "ls"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d walk\n$/);
    strictEqual(await aws("s3", "ls", "s3://walk"), "");
    match(await awsFails("s3", "ls", "s3://no-such-bucket"), /NoSuchBucket/);
  });

  for (const [name, size] of Object.entries(SIZES)) {
    await t.step(`cp up, ls, cp down, cmp: ${name}`, async () => {
      await aws("s3", "cp", "--no-progress", name, `s3://walk/files/${name}`);
      match(await aws("s3", "ls", `s3://walk/files/${name}`), new RegExp(` ${size} ${name}\n$`));
      await aws("s3", "cp", "--no-progress", `s3://walk/files/${name}`, `${name}.back`);
      await compareFiles(`${folder}/${name}`, `${folder}/${name}.back`);
      await Deno.remove(`${folder}/${name}.back`);
    });
  }

  await t.step("cp from stdin, of unknown length; cp to stdout", async () => {
    await awsFrom((await Deno.open(`${folder}/some-parts`)).readable, "s3", "cp", "-", PIPED);
    await aws("s3", "cp", "--no-progress", PIPED, "piped");
    await compareFiles(`${folder}/some-parts`, `${folder}/piped`);
    const text = "to a pipe\n".repeat(1000);
    await Deno.writeTextFile(`${folder}/text`, text);
    await aws("s3", "mv", "--no-progress", PIPED, "piped");
    await aws("s3", "cp", "--no-progress", "text", "s3://walk/text");
    strictEqual(await aws("s3", "cp", "s3://walk/text", "-"), text);
  });

  await t.step("ls shows prefixes, and with --recursive everything", async () => {
    const top = await aws("s3", "ls", "s3://walk");
    match(top, /^ +PRE files\/\n.* text\n$/);
    const all = await aws("s3", "ls", "--recursive", "--summarize", "s3://walk");
    match(all, /Total Objects: 7\n/);
  });

  await t.step("cp from bucket to bucket copies in parts", async () => {
    await aws("s3", "mb", "s3://walk.two");
    await aws("s3", "cp", "--no-progress", "s3://walk/files/some-parts", "s3://walk.two/copy");
    await aws("s3", "cp", "--no-progress", "s3://walk.two/copy", "copy.back");
    await compareFiles(`${folder}/some-parts`, `${folder}/copy.back`);
  });

  await t.step("mv: up, from bucket to bucket in parts, down", async () => {
    const moved = `${folder}/moved`;
    await Deno.copyFile(`${folder}/some-parts`, moved);
    await aws("s3", "mv", "--no-progress", "moved", "s3://walk/moved/one");
    strictEqual(await Deno.stat(moved).then(() => true, () => false), false, "it is still there");
    await aws("s3", "mv", "--no-progress", "s3://walk/moved/one", "s3://walk/moved/two +%");
    await aws("s3", "mv", "--no-progress", "s3://walk/moved/two +%", "s3://walk.two/moved");
    await awsFails("s3", "ls", "s3://walk/moved/");
    await aws("s3", "mv", "--no-progress", "s3://walk.two/moved", "moved");
    await awsFails("s3", "ls", "s3://walk.two/moved");
    await compareFiles(`${folder}/some-parts`, moved);
  });

  await t.step("presign, then curl", async () => {
    for (const name of ["below-parts", "some-parts"]) {
      const url = (await aws("s3", "presign", `s3://walk/files/${name}`)).trim();
      const response = await fetch(url);
      strictEqual(response.status, 200);
      await Deno.writeFile(`${folder}/fetched`, response.body ?? new Uint8Array());
      await compareFiles(`${folder}/${name}`, `${folder}/fetched`);
      const spoilt = await fetch(url.replace(name, "empty"));
      strictEqual(spoilt.status, 403);
      match(await spoilt.text(), /<Code>SignatureDoesNotMatch<\/Code>/);
    }
  });

  await t.step("s3api: properties, ranges, checksums, what does not exist", async () => {
    await aws(
      ...["s3", "cp", "--no-progress", "text", "s3://walk/described"],
      ...["--content-type", "text/x-odd", "--cache-control", "max-age=60"],
      ...["--content-disposition", 'attachment; filename="a b"', "--metadata", "one=1,two=zwei"],
    );
    const head = JSON.parse(
      await aws("s3api", "head-object", "--bucket", "walk", "--key", "described"),
    );
    strictEqual(head.ContentType, "text/x-odd");
    strictEqual(head.CacheControl, "max-age=60");
    strictEqual(head.ContentDisposition, 'attachment; filename="a b"');
    deepStrictEqual(head.Metadata, { one: "1", two: "zwei" });
    await aws(
      ...["s3api", "get-object", "--bucket", "walk", "--key", "text", "--range", "bytes=5-8"],
      "part",
    );
    strictEqual(await Deno.readTextFile(`${folder}/part`), "pipe");
    for (const algorithm of ["CRC32", "SHA1", "SHA256"]) {
      const put = JSON.parse(
        await aws(
          ...["s3api", "put-object", "--bucket", "walk", "--key", algorithm, "--body", "text"],
          ...["--checksum-algorithm", algorithm],
        ),
      );
      const got = JSON.parse(
        await aws(
          ...["s3api", "get-object", "--bucket", "walk", "--key", algorithm],
          ...["--checksum-mode", "ENABLED", "part"],
        ),
      );
      const field = `Checksum${algorithm}`;
      strictEqual(got[field], put[field]);
      strictEqual(typeof got[field], "string");
    }
    const complaint = await awsFails("s3api", "head-object", "--bucket", "walk", "--key", "none");
    match(complaint, /\(404\)/);
    match(
      await awsFails("s3api", "get-object-torrent", "--bucket", "walk", "--key", "text", "torrent"),
      /NotImplemented/,
    );
  });

  await t.step("rm, rm --recursive, rb, rb --force", async () => {
    await aws("s3", "rm", "s3://walk/text");
    await awsFails("s3", "ls", "s3://walk/text");
    match(await awsFails("s3", "rb", "s3://walk"), /BucketNotEmpty/);
    await aws("s3", "rm", "--recursive", "s3://walk/files/");
    await awsFails("s3", "ls", "s3://walk/files/");
    match(await aws("s3", "ls", "s3://walk"), / described\n/);
    await aws("s3", "rb", "--force", "s3://walk");
    await aws("s3", "rm", "--recursive", "s3://walk.two");
    await aws("s3", "rb", "s3://walk.two");
    strictEqual(await aws("s3", "ls"), "");
  });

  strictEqual(gateway.isRunning, true);
}

async function walkOnTree({ folder, aws }: Walk, t: Deno.TestContext): Promise<void> {
  const up = `${folder}/up`;
  for (const name of ODD_NAMES) await writeRandomFile(`${up}/${name}`, 100 + name.length);
  await writeRandomFile(`${up}/big one.bin`, 9 * MIB);
  const names = [...ODD_NAMES, "big one.bin"].sort();
  await aws("s3", "mb", "s3://tree");

  await t.step("sync up, list, sync down, cmp", async () => {
    await aws("s3", "sync", "--no-progress", "up", "s3://tree/a prefix+/");
    const listed = JSON.parse(
      await aws(
        ...["s3api", "list-objects-v2", "--bucket", "tree", "--page-size", "7"],
        ...["--query", "Contents[].Key"],
      ),
    );
    deepStrictEqual(listed.sort(), names.map((name) => `a prefix+/${name}`).sort());
    await aws("s3", "sync", "--no-progress", "s3://tree/a prefix+/", "down");
    deepStrictEqual(await filesBelow(`${folder}/down`), names);
    for (const name of names) await compareFiles(`${up}/${name}`, `${folder}/down/${name}`);
  });

  await t.step("sync again sends nothing; what changed, is gone or is new is sent", async () => {
    strictEqual(await aws("s3", "sync", "--no-progress", "up", "s3://tree/a prefix+/"), "");
    await writeRandomFile(`${up}/plain.txt`, 50);
    await writeRandomFile(`${up}/new one`, 60);
    await Deno.remove(`${up}/with space.txt`);
    const sent = await aws("s3", "sync", "--no-progress", "--delete", "up", "s3://tree/a prefix+/");
    deepStrictEqual(sent.trim().split("\n").map((line) => line.split(" ")[0]).sort(), [
      "delete:",
      "upload:",
      "upload:",
    ]);
    await aws("s3", "sync", "--no-progress", "--delete", "s3://tree/a prefix+/", "down");
    deepStrictEqual(await filesBelow(`${folder}/down`), await filesBelow(up));
    await compareFiles(`${up}/plain.txt`, `${folder}/down/plain.txt`);
  });

  await t.step("sync from bucket to bucket, mv --recursive", async () => {
    await aws("s3", "mb", "s3://tree-two");
    await aws("s3", "sync", "--no-progress", "s3://tree/a prefix+/", "s3://tree-two");
    await aws("s3", "mv", "--no-progress", "--recursive", "s3://tree-two", "third");
    deepStrictEqual(await filesBelow(`${folder}/third`), await filesBelow(up));
    for (const name of await filesBelow(up)) {
      await compareFiles(`${up}/${name}`, `${folder}/third/${name}`);
    }
    strictEqual(await aws("s3", "ls", "s3://tree-two"), "");
    await aws("s3", "rb", "s3://tree-two");
    await aws("s3", "rb", "--force", "s3://tree");
  });
}

/** Checks that a checksum sent by default is stored, and verified in both directions. */
async function checkIntegrity({ gateway, folder, aws, awsFails }: Walk): Promise<void> {
  await using uploads = new SpoilingProxy(gateway.port, "uploads");
  await using downloads = new SpoilingProxy(gateway.port, "downloads");
  await aws("s3", "mb", "s3://checked");
  for (const [name, size] of [["small", 300_000], ["large", 17 * MIB]] as const) {
    await writeRandomFile(`${folder}/${name}`, size);
    const bytes = await Deno.readFile(`${folder}/${name}`);
    await Deno.writeFile(`${folder}/${name}`, beyondAscii(bytes));
    await aws("s3", "cp", "--no-progress", name, `s3://checked/${name}`);
    const head = JSON.parse(
      await aws(
        ...["s3api", "head-object", "--bucket", "checked", "--key", name],
        ...["--checksum-mode", "ENABLED"],
      ),
    );
    // Version 1 sends CRC32; version 2 sends CRC64NVME, which always covers the whole object.
    const isComposite = head.ChecksumCRC32 !== undefined && size > 8 * MIB;
    match(head.ChecksumCRC32 ?? head.ChecksumCRC64NVME, isComposite ? /=-3$/ : /=$/);
    strictEqual(head.ChecksumType, isComposite ? "COMPOSITE" : "FULL_OBJECT");

    const cp = ["s3", "cp", "--no-progress", "--endpoint-url"];
    match(await awsFails(...cp, downloads.url, `s3://checked/${name}`, "spoilt"), /checksum/i);
    strictEqual(await Deno.stat(`${folder}/spoilt`).catch(() => undefined), undefined);
    await awsFails(...cp, uploads.url, name, "s3://checked/spoilt");
    await awsFails("s3", "ls", "s3://checked/spoilt");
  }
  await aws("s3", "rb", "--force", "s3://checked");
}

for (
  const [name, findTool] of [
    ["aws-cli v1", ensureAwsCli],
    ["aws-cli v2", findAwsCli2],
  ] as const
) {
  const tool = await findTool();
  Deno.test({
    name: `${name} walks on files up to 200 MiB`,
    ignore: tool === undefined,
    async fn(t) {
      if (tool === undefined) return;
      await using walk = await startWalk(tool);
      await walkOnFiles(walk, t);
    },
  });
  Deno.test({
    name: `${name} syncs and moves a tree with odd names`,
    ignore: tool === undefined,
    async fn(t) {
      if (tool === undefined) return;
      await using walk = await startWalk(tool);
      await walkOnTree(walk, t);
    },
  });
  Deno.test({
    name: `${name} keeps and verifies a checksum by default`,
    ignore: tool === undefined,
    async fn() {
      if (tool === undefined) return;
      await using walk = await startWalk(tool);
      await checkIntegrity(walk);
    },
  });
}
