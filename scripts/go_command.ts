/**
 * Finds a program that is published as a Go module, or builds it into the project's `.tools/` folder.
 * @module
 */

import { resolve } from "node:path";

const TOOLS = resolve(`${import.meta.dirname}/../.tools`);

/** A program that Go builds. */
export type GoCommand = {
  /** The name of the program, which is the last part of its module's path. */
  readonly name: string;
  /** The package with a pinned version, such as `example.org/a/b@v1.2.3`. */
  readonly module: string;
  /** Names the program that is used instead; it must run. */
  readonly variable: string;
  /** What `--version` prints first, so that another program of this name is not taken for it. */
  readonly says?: string;
};

/**
 * Finds a program: the one that the variable names, one on the PATH, or one that was built earlier. Otherwise it builds
 * the pinned version, which may take minutes.
 *
 * @param note Called with the reason why it cannot be built.
 * @returns its path, or undefined after telling `note` the reason
 * @throws Error if the variable names a file that does not run
 */
export async function findGoCommand(
  { name, module, variable, says = "" }: GoCommand,
  note: (text: string) => void = () => {},
): Promise<string | undefined> {
  const named = Deno.env.get(variable);
  if (named) {
    if (!await runs(named, says)) throw new Error(`Cannot run ${variable} "${named}"`);
    return named;
  }
  const kept = `${TOOLS}/bin/${name}`;
  for (const path of [name, kept]) {
    if (await runs(path, says)) return path;
  }
  await Deno.mkdir(`${TOOLS}/bin`, { recursive: true });
  // Of several concurrent processes, one builds it.
  using lock = await Deno.open(`${TOOLS}/${name}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await runs(kept, says)) return kept;
  const into = await Deno.makeTempDir({ dir: TOOLS, prefix: "go-" });
  try {
    const { success, stderr } = await new Deno.Command("go", {
      args: ["install", module],
      env: { GOBIN: into },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr).trim().split("\n").at(-1));
    await Deno.rename(`${into}/${name}`, kept);
    return kept;
  } catch (cause) {
    note(`Cannot build ${name}: ${cause instanceof Error ? cause.message : cause}`);
    return undefined;
  } finally {
    await Deno.remove(into, { recursive: true });
  }
}

async function runs(path: string, says: string): Promise<boolean> {
  try {
    const { success, stdout } = await new Deno.Command(path, {
      args: ["--version"],
      stdin: "null",
    }).output();
    return success && new TextDecoder().decode(stdout).startsWith(says);
  } catch {
    return false;
  }
}
