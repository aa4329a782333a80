/**
 * Finds the `nats` command, or builds it into the project's `.tools/` folder.
 *
 * It tries, in order: `NATS_BIN`, the PATH, one that was built earlier, and `go install` of a pinned version.
 * @module
 */

import { resolve } from "node:path";

const MODULE = "github.com/nats-io/natscli/nats@v0.5.1";
const TOOLS = resolve(`${import.meta.dirname}/../.tools`);

/**
 * Finds the command, or builds it.
 *
 * @returns its path, or undefined after telling `note` the reason
 * @throws Error if `NATS_BIN` names a file that does not run
 */
export async function findNatsCli(
  note: (text: string) => void = () => {},
): Promise<string | undefined> {
  const named = Deno.env.get("NATS_BIN");
  if (named) {
    if (!await runs(named)) throw new Error(`Cannot run NATS_BIN "${named}"`);
    return named;
  }
  const kept = `${TOOLS}/bin/nats`;
  for (const path of ["nats", kept]) {
    if (await runs(path)) return path;
  }
  await Deno.mkdir(`${TOOLS}/bin`, { recursive: true });
  // Of several concurrent processes, one builds it.
  using lock = await Deno.open(`${TOOLS}/nats.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await runs(kept)) return kept;
  const into = await Deno.makeTempDir({ dir: TOOLS, prefix: "go-" });
  try {
    const { success, stderr } = await new Deno.Command("go", {
      args: ["install", MODULE],
      env: { GOBIN: into },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr).trim().split("\n").at(-1));
    await Deno.rename(`${into}/nats`, kept);
    return kept;
  } catch (cause) {
    note(`Cannot build the nats command: ${cause instanceof Error ? cause.message : cause}`);
    return undefined;
  } finally {
    await Deno.remove(into, { recursive: true });
  }
}

async function runs(path: string): Promise<boolean> {
  try {
    return (await new Deno.Command(path, { args: ["--version"], stdin: "null" }).output()).success;
  } catch {
    return false;
  }
}
