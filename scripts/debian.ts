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
    await run("apt-get", ["download", "-q", packageName], { cwd: into });
    const [archive] = await Array.fromAsync(Deno.readDir(into));
    if (archive === undefined) throw new Error("apt-get downloaded nothing");
    await run("dpkg-deb", ["-x", archive.name, "."], { cwd: into });
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

/** A program with the environment that it needs. */
export type DebianTree = {
  readonly command: string;
  /** The folder into which the packages were extracted, in place of the root of the file system. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
};

/**
 * Fetches a package with all packages that it needs and that are not installed, extracted beside each other.
 *
 * @param program Path of the program below the root of the file system.
 * @returns the program, or undefined after telling `note` the reason
 */
export async function findDebianTree(
  packageName: string,
  program: string,
  note: (text: string) => void = () => {},
): Promise<DebianTree | undefined> {
  const root = `${TOOLS}/${packageName}`;
  const libraries = `${root}/usr/lib/${Deno.build.arch}-linux-gnu`;
  try {
    await Deno.stat(root).catch(() => extractTree(packageName, root));
    const env = {
      LD_LIBRARY_PATH: `${libraries}:${libraries}/pulseaudio`,
      PYTHONPATH: `${root}/usr/lib/python3/dist-packages`,
    };
    await run(`${root}${program}`, ["--version"], { env });
    return { command: `${root}${program}`, root, env };
  } catch (cause) {
    note(`Cannot fetch ${packageName}: ${cause instanceof Error ? cause.message : cause}`);
    return undefined;
  }
}

async function extractTree(packageName: string, root: string): Promise<void> {
  await Deno.mkdir(TOOLS, { recursive: true });
  const into = await Deno.makeTempDir({ dir: TOOLS, prefix: "fetch-" });
  try {
    const options = ["install", "--print-uris", "-qq", "--no-install-recommends"];
    const list = await run("apt-get", [...options, packageName]);
    const names = list.split("\n").flatMap((line) => line.split(" ")[1]?.split("_")[0] ?? []);
    if (names.length === 0) names.push(packageName); // it is installed, and so is what it needs
    await run("apt-get", ["download", "-q", ...names], { cwd: into });
    const archives = (await Array.fromAsync(Deno.readDir(into))).map(({ name }) => name);
    for (const name of archives) await run("dpkg-deb", ["-x", name, "tree"], { cwd: into });
    await Deno.rename(`${into}/tree`, root).catch(async (cause) => {
      await Deno.stat(root).catch(() => Promise.reject(cause)); // another test was faster
    });
  } finally {
    await Deno.remove(into, { recursive: true });
  }
}

async function runs(path: string): Promise<boolean> {
  return await run(path, ["version"]).then(() => true, () => false);
}

type RunOptions = { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> };

/** Runs a program and returns its output. */
async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`${command} failed: ${new TextDecoder().decode(stderr).trim()}`);
}
