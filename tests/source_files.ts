/**
 * Reads the files of `src/` and follows their imports, for tests of the architecture.
 * @module
 */

/** A file without its comments, or a stand-in for one. */
export type Source = { readonly path: string; readonly text: string; readonly lines?: number };

/** Reads the TypeScript files of a folder, except tests; paths begin within the folder. */
export async function readSources(folder: string, prefix = ""): Promise<Source[]> {
  const sources: Source[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = prefix + name;
    if (isDirectory) sources.push(...await readSources(`${folder}/${name}`, `${path}/`));
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) {
      const text = await Deno.readTextFile(`${folder}/${name}`);
      sources.push({ path, text: withoutComments(text), lines: text.split("\n").length - 1 });
    }
  }
  return sources;
}

/** Removes comments, whose examples import files also. */
export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

/** Returns the specifiers that a file imports or exports from, types included. */
export function specifiersOf(text: string): string[] {
  const found = text.matchAll(/^(?:import|export)\s[^;"'(=]*\bfrom\s*["']([^"']+)["']/gm);
  const bare = text.matchAll(/^import\s*["']([^"']+)["']/gm);
  const dynamic = text.matchAll(/\bimport\(\s*["']([^"']+)["']/g);
  return [...found, ...bare, ...dynamic].map(([, specifier = ""]) => specifier);
}

/** Returns the path of a relative import within the folder; undefined for one that leaves it. */
export function resolve(from: string, specifier: string): string | undefined {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** Returns the groups of files that import each other in a circle, types included; each is sorted. */
export function circlesOf(sources: readonly Source[]): readonly (readonly string[])[] {
  const imports = new Map(
    sources.map(({ path, text }) => [
      path,
      specifiersOf(text).filter((specifier) => specifier.startsWith("."))
        .flatMap((specifier) => resolve(path, specifier) ?? []),
    ]),
  );
  const reached = (from: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const waiting = [from];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      for (const next of imports.get(path) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        waiting.push(next);
      }
    }
    return seen;
  };
  const reachable = new Map([...imports.keys()].map((path) => [path, reached(path)]));
  const circles = new Map<string, readonly string[]>();
  for (const [path, targets] of reachable) {
    if (!targets.has(path)) continue;
    const circle = [...targets].filter((other) => reachable.get(other)?.has(path)).sort();
    circles.set(circle.join(" "), circle);
  }
  return [...circles.values()];
}
