/**
 * Finds the project's Markdown documents and their blocks of code.
 * @module
 */

import { resolve } from "node:path";

/** The project's folder. */
export const ROOT: string = resolve(`${import.meta.dirname}/..`);

/** A document: its path relative to the project's folder, and its text. */
export type Document = { readonly path: string; readonly text: string };

/** A fenced block of code. */
export type Block = {
  /** The first word after the fence. */
  readonly language: string;
  /** The rest of the line. */
  readonly remark: string;
  /** Line of the fence, from 1. */
  readonly line: number;
  /** Name in a preceding `<!-- run: name -->`: a separate test runs the block. */
  readonly name: string | undefined;
  readonly code: string;
};

/** Folders of other people's documents, and of downloads. */
const FOREIGN = ["node_modules", ".tools", ".nats", ".git", "tests/fixtures", "cov", "dist"];

/** Returns every document of the project, sorted by path. */
export async function readDocuments(): Promise<readonly Document[]> {
  const found: Document[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(`${ROOT}/${folder}`)) {
      const path = `${folder}${name}`;
      if (FOREIGN.includes(path)) continue;
      if (isDirectory) await walk(`${path}/`);
      else if (name.endsWith(".md")) {
        found.push({ path, text: await Deno.readTextFile(`${ROOT}/${path}`) });
      }
    }
  };
  await walk("");
  return found.sort((a, b) => a.path < b.path ? -1 : 1);
}

const FENCE = /(?:^<!-- run: (\S+) -->\n+)?^( *)```(\S*) *(.*)\n([^]*?)^\2```$/gm;

/** Returns the fenced blocks of a document, in order. */
export function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(FENCE)].map((match) => {
    const [, name, indent = "", language = "", remark = "", code = ""] = match;
    return {
      language,
      remark,
      line: text.slice(0, match.index + match[0].indexOf("```")).split("\n").length,
      name,
      code: indent === "" ? code : code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    };
  });
}

/**
 * Returns whether `tests/clients/docs_test.ts` runs a block: one fenced as `sh` alone, or a program that needs a server
 * and that `deno test --doc` is told to ignore.
 */
export function isRun({ name, language, remark }: Block): boolean {
  if (name !== undefined) return false;
  return (language === "sh" && remark === "") || (language === "ts" && remark === "ignore");
}
