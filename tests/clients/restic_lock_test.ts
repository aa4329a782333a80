/** Runs restic on a bucket with a default retention, as docs/versions.md says: pruning hides, and removes nothing. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { ensureAwsCli } from "../../scripts/client_tools.ts";
import { findDebianProgram } from "../../scripts/debian.ts";
import { run } from "./client_process.ts";
import { documentedBlock } from "./documented_block.ts";
import { type GatewayProcess, startGateway } from "./gateway_process.ts";
import { temporaryFolder, writeRandomFile } from "./real_files.ts";
import { ask, demand } from "./signed_request.ts";

const reasons: string[] = [];
const restic = await findDebianProgram("restic", (text) => reasons.push(text));
// deno-lint-ignore no-console
if (restic === undefined) console.log(`Skipping restic and locks: ${reasons.join("; ")}`);

/** A version or a delete marker, by its key and id. */
type Version = { readonly key: string; readonly id: string; readonly isMarker: boolean };

async function versionsOf(gateway: GatewayProcess): Promise<readonly Version[]> {
  const page = await demand(gateway, 200, { path: "/restic", query: "versions=" });
  match(page, /<IsTruncated>false</);
  const entries = page.matchAll(
    /<(Version|DeleteMarker)><Key>([^<]+)<\/Key><VersionId>([^<]+)</g,
  );
  return [...entries].map(([, kind = "", key = "", id = ""]) => ({
    key,
    id,
    isMarker: kind === "DeleteMarker",
  }));
}

Deno.test({
  name: "restic on a bucket with a default retention keeps what it prunes",
  ignore: restic === undefined,
  async fn() {
    if (restic === undefined) return;
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    const { command, args, env } = await ensureAwsCli();
    const aws = [command, ...args].map((word) => `'${word}'`).join(" ");
    const call = async (code: string): Promise<string> => {
      const script = `aws() { ${aws} "$@"; }\nrestic() { '${restic}' "$@"; }\n${code}`;
      const bash = { command: "bash", args: ["-euo", "pipefail", "-c", script], env };
      const { code: exit, stdout, stderr } = await run(bash, [], { gateway, cwd: folder.path });
      strictEqual(exit, 0, stdout + stderr);
      return stdout + stderr;
    };
    await writeRandomFile(`${folder.path}/pictures/holiday.raw`, 3_000_000);
    const block = await documentedBlock("docs/versions.md", "restic", {
      "http://127.0.0.1:5222": gateway.url,
    });
    match(await call(block), /no errors were found/);
    const setup = block.split("\n").filter((line) => line.startsWith("export ")).join("\n");
    const callAgain = (line: string): Promise<string> =>
      call(`${setup}\nrestic() { '${restic}' -o s3.bucket-lookup=path "$@"; }\n${line}`);

    const first = await versionsOf(gateway);
    await Deno.remove(`${folder.path}/pictures/holiday.raw`);
    await writeRandomFile(`${folder.path}/pictures/other.raw`, 2_000_000);
    await callAgain(
      "restic backup pictures; restic forget --keep-last 1 --prune; restic check --read-data",
    );
    const second = await versionsOf(gateway);
    // Every version from before is still there; pruning added markers.
    const ids = new Set(second.map(({ id }) => id));
    deepStrictEqual(first.filter(({ id }) => !ids.has(id)), []);
    const pruned = second.filter(({ key, isMarker }) => isMarker && key.startsWith("data/"));
    ok(pruned.length > 0, "pruning added no delete marker");

    // Nobody without bypass removes a version, and what was pruned comes back without its marker.
    for (const { key, id } of second.filter(({ isMarker }) => !isMarker)) {
      const path = `/restic/${key}`;
      const { status, body } = await ask(gateway, {
        method: "DELETE",
        path,
        query: `versionId=${id}`,
      });
      await body?.cancel();
      strictEqual(status, 403, `${key} ${id}`);
    }
    for (const { key, id } of second.filter(({ isMarker }) => isMarker)) {
      if (key.startsWith("locks/")) continue;
      await demand(gateway, 204, {
        method: "DELETE",
        path: `/restic/${key}`,
        query: `versionId=${id}`,
      });
    }
    match(await callAgain("restic check --read-data; restic snapshots"), /2 snapshots/);
  },
});
