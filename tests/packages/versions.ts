/**
 * The versions of the packages that only tests and examples use.
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };

const IMPORTS: Readonly<Record<string, string>> = manifest.imports;

/**
 * Returns the version of a test-only package.
 *
 * @throws TypeError for a package that `deno.json` does not map to a file of this folder
 */
export async function readVersion(name: string): Promise<string> {
  const file = IMPORTS[name];
  if (!file?.startsWith("./tests/packages/")) throw new TypeError(`No test-only package "${name}"`);
  const text = await Deno.readTextFile(`${import.meta.dirname}/../../${file}`);
  const [, version] = /^export \* from "npm:@?[^@"]+@([^"]+)";$/m.exec(text) ?? [];
  if (version === undefined) throw new TypeError(`${file} exports no package in a pinned version`);
  return version;
}
