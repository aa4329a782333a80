/**
 * Finds blocks of documents that have a test of their own, after `<!-- run: name -->`.
 * @module
 */

import { ok } from "node:assert/strict";
import { blocksOf, ROOT } from "../documents.ts";

/**
 * Returns a block of commands, adapted to this machine.
 *
 * @param path The document's path relative to the project's folder.
 * @param replaced Texts with those that replace them; each must occur.
 * @throws Error if the document has no such block
 */
export async function documentedBlock(
  path: string,
  name: string,
  replaced: Readonly<Record<string, string>> = {},
): Promise<string> {
  const blocks = blocksOf(await Deno.readTextFile(`${ROOT}/${path}`));
  const code = blocks.find((block) => block.name === name)?.code;
  if (code === undefined) throw new Error(`${path} has no block named "${name}"`);
  return Object.entries(replaced).reduce((text, [from, to]) => {
    ok(text.includes(from), `block "${name}" lacks ${from}`);
    return text.replaceAll(from, to);
  }, code);
}
