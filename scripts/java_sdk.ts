/**
 * Finds Java with the SDK 1 of Amazon, which Maven fetches in pinned versions into the project's ignored `.tools/`.
 *
 * `tests/clients/java/pom.xml` names the versions. Each archive is compared with `tests/clients/java/sha256sums.txt`.
 * @module
 */

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { findProgram, type Tool } from "./client_tools.ts";

const PROJECT = resolve(`${import.meta.dirname}/../tests/clients/java`);
const TOOLS = resolve(`${import.meta.dirname}/../.tools`);

/**
 * Returns a Java that runs a source file with the SDK on its class path. Arguments begin with the source file.
 *
 * @param note Called with the reason of a failure.
 * @returns undefined where there is no Maven or no Java with a compiler
 * @throws Error if an archive is not the expected one
 */
export async function findJavaSdk(note: (text: string) => void): Promise<Tool | undefined> {
  for (const program of ["java", "javac", "mvn"]) {
    if (await findProgram(program) !== undefined) continue;
    note(`There is no ${program}`);
    return undefined;
  }
  const sums = await Deno.readTextFile(`${PROJECT}/sha256sums.txt`);
  const digest = createHash("sha256").update(sums).digest("hex").slice(0, 12);
  const folder = `${TOOLS}/java-${digest}`;
  if (!await Deno.stat(folder).then(() => true, () => false)) await fetchArchives(sums, folder);
  return { command: "java", args: ["-cp", `${folder}/*`], env: {} };
}

async function fetchArchives(sums: string, folder: string): Promise<void> {
  await Deno.mkdir(TOOLS, { recursive: true });
  const into = await Deno.makeTempDir({ dir: TOOLS, prefix: "java-" });
  try {
    const { success, stdout } = await new Deno.Command("mvn", {
      args: [
        ...["--quiet", "--batch-mode", "--file", `${PROJECT}/pom.xml`],
        ...["dependency:copy-dependencies", `-DoutputDirectory=${into}`],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).output();
    if (!success) {
      throw new Error(`Maven failed: ${new TextDecoder().decode(stdout).slice(0, 500)}`);
    }
    const found: string[] = [];
    for await (const { name } of Deno.readDir(into)) {
      const bytes = await Deno.readFile(`${into}/${name}`);
      found.push(`${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`);
    }
    // They are in the order of their names.
    const all = found.sort((one, other) => one.slice(64) < other.slice(64) ? -1 : 1).join("");
    if (all !== sums) throw new Error(`Maven fetched other archives than expected:\n${all}`);
    // Renaming is atomic, and a faster process has made the same folder.
    await Deno.rename(into, folder).catch(async (cause) => {
      await Deno.stat(folder).catch(() => Promise.reject(cause));
    });
  } finally {
    await Deno.remove(into, { recursive: true }).catch(() => {});
  }
}
