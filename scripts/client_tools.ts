/**
 * Installs the external clients that `test:clients` runs, in pinned versions, into the project's ignored `.tools/`.
 *
 * The npm packages (`@aws-sdk/*`) are in `tests/packages/`; this file has those from PyPI: aws-cli 1 and boto3.
 * @module
 */

import { createHash } from "node:crypto";
import { resolve } from "node:path";

/** A program with the arguments and the environment to run it. */
export type Tool = {
  readonly command: string;
  /** Placed before the arguments of a call. */
  readonly args: readonly string[];
  /** Added to the environment of a call. */
  readonly env: Readonly<Record<string, string>>;
};

const TOOLS = resolve(`${import.meta.dirname}/../.tools`);
const REQUIREMENTS = `${import.meta.dirname}/../tests/clients/requirements.txt`;

/** Returns the path of an installed program, or undefined. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"];
  for (const folder of folders) {
    const path = `${folder}/${name}`;
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return undefined;
}

/**
 * Returns a Python with the packages of a requirements file, which are installed on first use. The default file is
 * `tests/clients/requirements.txt`, which contains boto3.
 *
 * @throws Error if there is no Python 3 with pip
 */
export async function ensurePython(list = REQUIREMENTS): Promise<Tool> {
  const requirements = await Deno.readTextFile(list);
  const failures: string[] = [];
  for (const command of ["python3", "python"]) {
    const version = await run(command, ["-c", PRINT_VERSION]).catch((cause: Error) => {
      failures.push(`${command}: ${cause.message}`);
    });
    if (version === undefined) continue;
    // The folder is specific to these versions and this Python.
    const digest = createHash("sha256").update(requirements).digest("hex").slice(0, 12);
    const folder = `${TOOLS}/python-${version.trim()}-${digest}`;
    try {
      if (!await exists(folder)) await install(command, list, folder);
      return { command, args: [], env: { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: "1" } };
    } catch (cause) {
      failures.push(`${command}: ${cause instanceof Error ? cause.message : cause}`);
    }
  }
  throw new Error(
    `Cannot install the Python clients: ${
      failures.join("; ")
    }. Install Python 3.10 or newer with pip`,
  );
}

/**
 * Returns aws-cli version 1.
 *
 * @throws Error if there is no Python 3 with pip
 */
export async function ensureAwsCli(): Promise<Tool> {
  const python = await ensurePython();
  return { ...python, args: ["-m", "awscli"] };
}

/** Returns aws-cli version 2 from the PATH, or undefined. It is not on PyPI. */
export async function findAwsCli2(): Promise<Tool | undefined> {
  const version = await run("aws", ["--version"]).catch(() => "");
  return version.startsWith("aws-cli/2.") ? { command: "aws", args: [], env: {} } : undefined;
}

const PRINT_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])";

async function install(python: string, list: string, folder: string): Promise<void> {
  await Deno.mkdir(TOOLS, { recursive: true });
  const into = await Deno.makeTempDir({ dir: TOOLS, prefix: "install-" });
  try {
    await run(python, [
      ...["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"],
      ...["--target", into, "--requirement", list],
    ]);
    // Renaming is atomic, and a faster process has made the same folder.
    await Deno.rename(into, folder).catch(async (cause) => {
      if (!await exists(folder)) throw cause;
    });
  } finally {
    await Deno.remove(into, { recursive: true }).catch(() => {});
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "it failed");
  }
  return new TextDecoder().decode(stdout);
}
