/**
 * The project's Markdown: which documents there are, and their blocks of code.
 * @module
 */

import { resolve } from "node:path";

/** The project's folder. */
export const ROOT: string = resolve(`${import.meta.dirname}/..`);

/** A document: its path from the project's folder, and its text. */
export type Document = { readonly path: string; readonly text: string };

/** A fenced block of code. */
export type Block = {
  /** The first word behind the fence. */
  readonly language: string;
  /** What follows it. */
  readonly remark: string;
  /** Line of the fence, from 1. */
  readonly line: number;
  /** Of `<!-- run: name -->` before it: a test of its own runs it. */
  readonly name: string | undefined;
  readonly code: string;
};

/** Folders of others' documents, and of what is fetched. */
const FOREIGN = ["node_modules", ".tools", ".nats", ".git", "tests/fixtures", "cov", "dist"];

/** Every document of the project, by path. */
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

/** The fenced blocks of a document, in order. */
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
 * Whether `tests/clients/docs_test.ts` runs a block: `sh` alone behind the fence, or a program that needs a server, which
 * `deno test --doc` is told to ignore.
 */
export function isRun({ name, language, remark }: Block): boolean {
  if (name !== undefined) return false;
  return (language === "sh" && remark === "") || (language === "ts" && remark === "ignore");
}
