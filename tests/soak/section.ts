/**
 * The sections of `docs/soak.md`.
 * @module
 */

import { replaceBetween } from "../../scripts/docs.ts";

const DOCUMENT = new URL("../../docs/soak.md", import.meta.url);

/** Replaces a section, or adds one at the end. */
export async function writeSection(name: string, lines: readonly string[]): Promise<void> {
  const text = await Deno.readTextFile(DOCUMENT);
  const section = text.includes(`<!-- begin ${name} -->`)
    ? text
    : `${text.trimEnd()}\n\n<!-- begin ${name} -->\n<!-- end ${name} -->\n`;
  await Deno.writeTextFile(DOCUMENT, replaceBetween(section, name, lines.join("\n")));
}
