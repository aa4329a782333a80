/**
 * Applies patches strictly: what a patch takes away or leaves must be in the file exactly once. Line numbers do not count, so
 * a patch stays good while other lines of its file change.
 * @module
 */

/** What one patch does to one file. */
export type FilePatch = { readonly path: string; readonly hunks: readonly Hunk[] };

/** A place of a file before and after. */
type Hunk = { readonly before: string; readonly after: string };

/** Reads a patch as `git diff` writes it. What comes before the first file is a comment. */
export function parsePatch(text: string): readonly FilePatch[] {
  const files: { path: string; hunks: { before: string; after: string }[] }[] = [];
  for (const line of text.split("\n")) {
    const file = files.at(-1);
    if (line.startsWith("+++ b/")) files.push({ path: line.slice("+++ b/".length), hunks: [] });
    else if (line.startsWith("diff ") || line.startsWith("--- a/") || line.startsWith("index ")) {
      continue;
    } else if (line.startsWith("@@ ")) file?.hunks.push({ before: "", after: "" });
    else {
      const hunk = file?.hunks.at(-1);
      const rest = `${line.slice(1)}\n`;
      if (hunk === undefined) continue;
      if (line.startsWith(" ") || line.startsWith("-")) hunk.before += rest;
      if (line.startsWith(" ") || line.startsWith("+")) hunk.after += rest;
    }
  }
  return files;
}

/**
 * Returns a file's text with a patch.
 *
 * @throws Error if a place is not in the text, or more than once
 */
export function patched(text: string, { path, hunks }: FilePatch): string {
  for (const { before, after } of hunks) {
    const parts = text.split(before);
    if (parts.length !== 2) {
      throw new Error(`${path} has ${parts.length - 1} places of the patch:\n${before}`);
    }
    text = parts.join(after);
  }
  return text;
}
