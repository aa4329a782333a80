/** Runs MinIO's client mc on versions, locks and lifecycles, and its commands in docs/versions.md. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { findMc } from "../../scripts/mc.ts";
import { run } from "./client_process.ts";
import { documentedBlock } from "./documented_block.ts";
import { CREDENTIALS, type GatewayProcess, startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";

/** A line of `mc --json`. */
type Line = Readonly<Record<string, unknown>>;

/** A folder with a gateway, in which mc runs. */
type Mc = {
  /** Runs mc, which must succeed, and returns the lines that it prints. */
  readonly mc: (...args: readonly string[]) => Promise<readonly Line[]>;
  /** Runs mc, which must succeed, and returns its text. */
  readonly text: (...args: readonly string[]) => Promise<string>;
  /** Runs mc on an input; it must succeed. */
  readonly feed: (input: string, ...args: readonly string[]) => Promise<void>;
  /** Runs mc, which must fail, and returns its output. */
  readonly fails: (...args: readonly string[]) => Promise<string>;
  /** Writes an object and returns the id of its version. */
  readonly put: (target: string, content: string) => Promise<string>;
};

const reasons: string[] = [];
const found = await findMc((text) => reasons.push(text));
// deno-lint-ignore no-console
if (found === undefined) console.log(`Skipping mc: ${reasons.join("; ")}`);

function environmentOf(gateway: GatewayProcess): Readonly<Record<string, string>> {
  const { accessKeyId, secretAccessKey } = CREDENTIALS;
  return { MC_HOST_gw: `http://${accessKeyId}:${secretAccessKey}@${gateway.host}` };
}

function clientOf(command: string, gateway: GatewayProcess, cwd: string): Mc {
  const call = async (args: readonly string[], input?: string) => {
    const tool = { command, args: ["--no-color"], env: environmentOf(gateway) };
    const stdin = input === undefined ? {} : { stdin: new Blob([input]).stream() };
    return await run(tool, args, { gateway, cwd, ...stdin });
  };
  const text = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await call(args, input);
    strictEqual(code, 0, `mc ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  const mc: Mc["mc"] = async (...args) =>
    (await text(["--json", ...args])).split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return {
    mc,
    text: (...args) => text(args),
    async feed(input, ...args) {
      await text(args, input);
    },
    async fails(...args) {
      const { code, stdout, stderr } = await call(args);
      strictEqual(code, 1, `mc ${args.join(" ")}: ${stdout}${stderr}`);
      return stdout + stderr;
    },
    async put(target, content) {
      await text(["pipe", target], content);
      const [newest] = await mc("ls", "--versions", target);
      return String(newest?.["versionId"]);
    },
  };
}

async function useVersions({ mc, text, put }: Mc): Promise<void> {
  const target = "gw/locked/deep/key +ä";
  const ids = (lines: readonly Line[]) => lines.map((line) => line["versionId"]);
  const one = await put(target, "one");
  // mc rewinds to whole seconds.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const between = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const two = await put(target, "two");
  deepStrictEqual(ids(await mc("ls", "--versions", "gw/locked/deep/")), [two, one]);
  const [stat] = await mc("stat", "--version-id", one, target);
  strictEqual(stat?.["versionID"], one);
  strictEqual(stat["size"], 3);
  strictEqual(await text("cat", "--version-id", one, target), "one");
  strictEqual(await text("cat", "--rewind", between, target), "one");
  strictEqual(await text("cat", target), "two");
  await mc("cp", "--version-id", one, target, "gw/locked/copy");
  strictEqual(await text("cat", "gw/locked/copy"), "one");

  const [removed] = await mc("rm", target);
  strictEqual(removed?.["deleteMarker"], true);
  const [marker] = await mc("ls", "--versions", target);
  strictEqual(marker?.["isDeleteMarker"], true);
  strictEqual(marker["versionId"], removed["versionID"]);
  deepStrictEqual(ids(await mc("undo", target)), [marker["versionId"]]);
  strictEqual(await text("cat", target), "two");
  deepStrictEqual(ids(await mc("undo", "--force", target)), [two]);
  strictEqual(await text("cat", target), "one");
  await mc("rm", "--recursive", "--force", "gw/locked");
  strictEqual((await mc("ls", "--recursive", "gw/locked")).length, 0);
  strictEqual((await mc("undo", "--recursive", "--force", "gw/locked/")).length, 2);
  strictEqual((await mc("ls", "--recursive", "gw/locked")).length, 2);
  strictEqual((await mc("rm", "--versions", "--force", target)).length, 1);
}

async function lock({ mc, put, fails }: Mc): Promise<void> {
  const target = "gw/locked/kept";
  const free = await put(target, "free");
  const [none] = await mc("retention", "info", target);
  strictEqual(none?.["mode"], "");
  await mc("retention", "set", "--default", "GOVERNANCE", "1d", "gw/locked");
  const [shown] = await mc("retention", "info", "--default", "gw/locked");
  deepStrictEqual([shown?.["mode"], shown?.["validity"]], ["GOVERNANCE", "1DAYS"]);
  const kept = await put(target, "kept");
  await mc("retention", "clear", "--default", "gw/locked");
  match(await fails("rm", "--version-id", kept, target), /Access Denied/);
  await mc("retention", "set", "governance", "2d", target);
  const infos = await mc("retention", "info", "--versions", target);
  deepStrictEqual(infos.map((line) => [line["versionID"], line["mode"]]), [
    [kept, "GOVERNANCE"],
    [free, ""],
  ]);
  await mc("retention", "clear", target);
  strictEqual((await mc("retention", "info", target))[0]?.["mode"], "");
  await mc("legalhold", "set", target);
  strictEqual((await mc("legalhold", "info", target))[0]?.["legalhold"], "ON");
  match(await fails("rm", "--version-id", kept, target), /Access Denied/);
  await mc("legalhold", "clear", target);
  await mc("rm", "--version-id", kept, target);
  await mc("retention", "set", "--version-id", free, "compliance", "1d", target);
  match(await fails("retention", "clear", "--version-id", free, target), /Access Denied/);
}

async function letExpire({ mc, text, feed, fails }: Mc): Promise<void> {
  const rule = async (...args: readonly string[]) =>
    String((await mc("ilm", "rule", "add", ...args, "gw/plain"))[0]?.["id"]);
  const ids = [
    await rule("--expire-days", "30", "--prefix", "logs/"),
    await rule("--noncurrent-expire-days", "7", "--noncurrent-expire-newer", "2"),
    await rule("--expire-days", "3", "--tags", "a=1&b=2", "--size-lt", "1MiB"),
    await rule("--expire-delete-marker"),
  ];
  const [listed] = await mc("ilm", "rule", "ls", "gw/plain");
  const { Rules } = listed?.["config"] as { readonly Rules: readonly Line[] };
  deepStrictEqual(Rules.map((rule) => rule["ID"]), ids);
  deepStrictEqual(Rules[2]?.["Filter"], {
    And: {
      Tags: [{ Key: "a", Value: "1" }, { Key: "b", Value: "2" }],
      ObjectSizeLessThan: 1048576,
    },
  });
  const exported = await text("ilm", "rule", "export", "gw/plain");
  await mc("ilm", "rule", "edit", "--id", ids[0] ?? "", "--expire-days", "60", "gw/plain");
  await mc("ilm", "rule", "rm", "--id", ids[3] ?? "", "gw/plain");
  await mc("ilm", "rule", "rm", "--all", "--force", "gw/plain");
  match(await fails("ilm", "rule", "ls", "gw/plain"), /lifecycle configuration does not exist/);
  await feed(exported, "ilm", "rule", "import", "gw/plain");
  strictEqual(await text("ilm", "rule", "export", "gw/plain"), exported);
  const tier = ["--transition-days", "3", "--transition-tier", "COLD"];
  match(await fails("ilm", "rule", "add", ...tier, "gw/plain"), /there is one storage class/);
}

Deno.test({
  name: "mc keeps versions, undoes, locks and lets expire",
  ignore: found === undefined,
  async fn(t) {
    if (found === undefined) return;
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    const client = clientOf(found, gateway, folder.path);
    const { mc, fails } = client;
    await mc("mb", "--with-lock", "gw/locked");
    await mc("mb", "gw/plain");
    await t.step("mb --with-lock, version", async () => {
      const status = async (bucket: string) =>
        (await mc("version", "info", bucket))[0]?.["versioning"] as Line;
      strictEqual((await status("gw/plain"))["status"], "");
      strictEqual((await status("gw/locked"))["status"], "Enabled");
      await mc("version", "enable", "gw/plain");
      strictEqual((await status("gw/plain"))["status"], "Enabled");
      await mc("version", "suspend", "gw/plain");
      strictEqual((await status("gw/plain"))["status"], "Suspended");
      match(await fails("version", "suspend", "gw/locked"), /Object Lock configuration is present/);
    });
    await t.step("ls, stat, cat, cp, rm, undo", () => useVersions(client));
    await t.step("retention, legalhold", () => lock(client));
    await t.step("ilm rule", () => letExpire(client));
    await t.step("rb", async () => {
      await mc("rb", "gw/plain");
      match(await fails("rb", "--force", "gw/locked"), /Access Denied/);
    });
  },
});

Deno.test({
  name: "mc runs as docs/versions.md says",
  ignore: found === undefined,
  async fn() {
    if (found === undefined) return;
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    const code = await documentedBlock("docs/versions.md", "mc", {
      "http://127.0.0.1:5222": gateway.url,
    });
    const script = `mc() { '${found}' --no-color "$@"; }\n${code}`;
    const bash = { command: "bash", args: ["-euo", "pipefail", "-c", script], env: {} };
    const { code: exit, stdout, stderr } = await run(bash, [], { gateway, cwd: folder.path });
    strictEqual(exit, 0, stdout + stderr);
    ok(stdout.endsWith("\none\n"), stdout);
  },
});
