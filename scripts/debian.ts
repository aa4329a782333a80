/**
 * Extracts programs from Debian packages into the project's `.tools/bin/`. This requires no root, because apt checks the
 * signature of a package and nothing is installed.
 * @module
 */

import { resolve } from "node:path";

const TOOLS = resolve(`${import.meta.dirname}/../.tools`);

/** The folder in which {@linkcode fetchFromDebian} keeps programs. */
export const KEPT_PROGRAMS: string = `${TOOLS}/bin`;

/**
 * Extracts programs from a package. They may not run on this machine.
 *
 * @throws Error if there is no apt or no such package
 */
export async function fetchFromDebian(
  packageName: string,
  programs: readonly string[],
): Promise<void> {
  await Deno.mkdir(KEPT_PROGRAMS, { recursive: true });
  const into = await Deno.makeTempDir({ dir: TOOLS, prefix: "fetch-" });
  try {
    await run("apt-get", ["download", "-q", packageName], into);
    const [archive] = await Array.fromAsync(Deno.readDir(into));
    if (archive === undefined) throw new Error("apt-get downloaded nothing");
    await run("dpkg-deb", ["-x", archive.name, "."], into);
    // Renaming is atomic, so that concurrent fetches leave one complete file.
    for (const program of programs) {
      await Deno.rename(`${into}/usr/bin/${program}`, `${KEPT_PROGRAMS}/${program}`);
    }
  } finally {
    await Deno.remove(into, { recursive: true });
  }
}

/**
 * Finds a program that has the name of its Debian package: on the PATH, fetched earlier, or fetched now.
 *
 * @returns its path, or undefined after telling `note` the reason
 */
export async function findDebianProgram(
  name: string,
  note: (text: string) => void = () => {},
): Promise<string | undefined> {
  const kept = `${KEPT_PROGRAMS}/${name}`;
  for (const path of [name, kept]) {
    if (await runs(path)) return path;
  }
  try {
    await fetchFromDebian(name, [name]);
    if (await runs(kept)) return kept;
    note(`Debian's ${name} does not run here: install ${name}`);
  } catch (cause) {
    note(`Cannot fetch ${name}: ${cause instanceof Error ? cause.message : cause}: install it`);
  }
  return undefined;
}

async function runs(path: string): Promise<boolean> {
  return await run(path, ["version"]).then(() => true, () => false);
}

async function run(command: string, args: readonly string[], cwd?: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args],
    ...cwd !== undefined && { cwd },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(`${command} failed: ${new TextDecoder().decode(stderr).trim()}`);
}
