/** Runs rclone on a bucket with versions, as docs/versions.md says and beyond. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { findDebianProgram } from "../../scripts/debian.ts";
import { run } from "./client_process.ts";
import { documentedBlock } from "./documented_block.ts";
import { startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";

const reasons: string[] = [];
const rclone = await findDebianProgram("rclone", (text) => reasons.push(text));
// deno-lint-ignore no-console
if (rclone === undefined) console.log(`Skipping rclone and versions: ${reasons.join("; ")}`);

Deno.test({
  name: "rclone lists, reads and cleans up versions",
  ignore: rclone === undefined,
  async fn() {
    if (rclone === undefined) return;
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    const setup = {
      RCLONE_CONFIG_GW_TYPE: "s3",
      RCLONE_CONFIG_GW_PROVIDER: "Other",
      RCLONE_CONFIG_GW_ENV_AUTH: "true",
      RCLONE_CONFIG_GW_ENDPOINT: gateway.url,
      // rclone does not accept a certificate bundle.
      AWS_CA_BUNDLE: "",
    };
    const tool = { command: rclone, args: [], env: setup };
    const call = async (args: readonly string[], input?: string): Promise<string> => {
      const stdin = input === undefined ? {} : { stdin: new Blob([input]).stream() };
      const outcome = await run(tool, args, { gateway, cwd: folder.path, ...stdin });
      const { code, stdout, stderr } = outcome;
      strictEqual(code, 0, `rclone ${args.join(" ")}: ${stdout}${stderr}`);
      return stdout;
    };
    const rc = (...args: readonly string[]): Promise<string> => call(args);
    const list = async (...flags: readonly string[]): Promise<readonly string[]> =>
      (await rc("lsf", "--recursive", "--files-only", ...flags, "gw:kept")).split("\n")
        .filter(Boolean).sort();
    const put = (key: string, text: string): Promise<string> =>
      call(["rcat", `gw:kept/${key}`], text);

    await rc("mkdir", "gw:kept");
    strictEqual((await rc("backend", "versioning", "gw:kept")).trim(), "Unversioned");
    strictEqual((await rc("backend", "versioning", "gw:kept", "Enabled")).trim(), "Enabled");
    await put("a/note ä.txt", "one");
    await put("b.txt", "b");
    // rclone compares whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const between = new Date(Date.now() - 1000).toISOString();
    await put("a/note ä.txt", "second");
    await rc("deletefile", "gw:kept/b.txt");

    deepStrictEqual(await list(), ["a/note ä.txt"]);
    const all = await list("--s3-versions");
    strictEqual(all.length, 3, all.join());
    const [old = ""] = all.filter((name) => /^a\/note ä-v[\d-]+\.txt$/.test(name));
    match(old, /^a\/note ä-v\d{4}-\d\d-\d\d-\d{6}-\d{3}\.txt$/);
    // rclone 1.60 does not find a version below a folder by the version's own path.
    await rc("copy", "--s3-versions", "gw:kept", "all");
    strictEqual(await Deno.readTextFile(`${folder.path}/all/${old}`), "one");
    strictEqual(await Deno.readTextFile(`${folder.path}/all/a/note ä.txt`), "second");
    deepStrictEqual(await list("--s3-version-at", between), ["a/note ä.txt", "b.txt"]);
    await rc("copy", "--s3-version-at", between, "gw:kept", "then");
    strictEqual(await Deno.readTextFile(`${folder.path}/then/b.txt`), "b");
    strictEqual(await Deno.readTextFile(`${folder.path}/then/a/note ä.txt`), "one");

    await rc("backend", "cleanup-hidden", "gw:kept");
    deepStrictEqual(await list("--s3-versions"), ["a/note ä.txt"]);
    strictEqual(await rc("cat", "gw:kept/a/note ä.txt"), "second");
    strictEqual((await rc("backend", "versioning", "gw:kept", "Suspended")).trim(), "Suspended");
    // It asks for versions before it removes a bucket with everything in it.
    await put("left", "x");
    await rc("purge", "gw:kept");
    strictEqual(await rc("lsd", "gw:"), "");
  },
});

Deno.test({
  name: "rclone runs as docs/versions.md says",
  ignore: rclone === undefined,
  async fn() {
    if (rclone === undefined) return;
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    const code = await documentedBlock("docs/versions.md", "rclone", {
      "http://127.0.0.1:5222": gateway.url,
    });
    const script = `rclone() { '${rclone}' "$@"; }\n${code}`;
    const bash = { command: "bash", args: ["-euo", "pipefail", "-c", script], env: {} };
    const { code: exit, stdout, stderr } = await run(bash, [], {
      gateway,
      cwd: folder.path,
      env: { AWS_CA_BUNDLE: "" },
    });
    strictEqual(exit, 0, stdout + stderr);
    ok(/^note-v[\d-]+\.txt$/m.test(stdout), stdout);
    ok(stdout.endsWith("note.txt\n"), stdout);
  },
});
