/**
 * Builds the programs of `tests/clients/` that are written in Go into the project's ignored `.tools/`. Their `go.mod` and
 * `go.sum` pin what they use.
 * @module
 */

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { findProgram, type Tool } from "./client_tools.ts";

const CLIENTS = resolve(`${import.meta.dirname}/../tests/clients`);
const BIN = resolve(`${import.meta.dirname}/../.tools/bin`);

/**
 * Returns a program, which is built unless its files have not changed. The first build compiles a hundred packages.
 *
 * @param name Its folder in `tests/clients/`.
 * @param note Called with the reason of a failure.
 * @returns undefined where there is no Go, or an older one than `go.mod` requires
 * @throws Error if it does not compile
 */
export async function buildGoClient(
  name: string,
  note: (text: string) => void,
): Promise<Tool | undefined> {
  const cwd = `${CLIENTS}/${name}`;
  if (await findProgram("go") === undefined) return void note("There is no go");
  const listed = await go(["list", "-f", "{{.Name}}"], cwd);
  if (!listed.success && /requires go >= /.test(listed.stderr)) return void note(listed.stderr);

  const digest = createHash("sha256");
  const files = await Array.fromAsync(Deno.readDir(cwd), (file) => file.name);
  for (const file of files.sort()) digest.update(await Deno.readFile(`${cwd}/${file}`));
  const kept = `${BIN}/${name}-${digest.digest("hex").slice(0, 12)}`;
  if (!await Deno.stat(kept).then(() => true, () => false)) {
    await Deno.mkdir(BIN, { recursive: true });
    const into = await Deno.makeTempFile({ dir: BIN, prefix: "build-" });
    try {
      const flags = ["-trimpath", "-ldflags=-s -w", "-o", into];
      const { success, stderr } = await go(["build", ...flags, "."], cwd);
      if (!success) throw new Error(`Cannot build ${name}: ${stderr.slice(-1000)}`);
      await Deno.rename(into, kept); // atomic, so that concurrent builds leave one complete file
    } finally {
      await Deno.remove(into).catch(() => {});
    }
  }
  return { command: kept, args: [], env: {} };
}

async function go(args: readonly string[], cwd: string) {
  // With another Go than the installed one, the test would not run where there is no network.
  const env = { GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local" };
  const { success, stderr } = await new Deno.Command("go", {
    args: [...args],
    cwd,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { success, stderr: new TextDecoder().decode(stderr).trim() };
}
