/**
 * Rules of this project that no linter knows: who may import whom, what a file may be called, what it may not use.
 *
 * They are no lint plugin, because `deno lint` of Deno 2.9.6 crashes with one in 3 runs of 100.
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";

const ROOT = `${import.meta.dirname}/..`;
const SMALL_PIECES = ["crypto/", "streams/", "collections/", "telemetry/"];
const PURE = [...SMALL_PIECES, "s3/"];
const PIPELINE = [...PURE, "auth/", "access/", "operations/", "store/store.ts"];

/** Folders and files of `src/` by what they may import of ours beside themselves; the first that fits counts. */
const MAY_IMPORT: readonly (readonly [from: string, of: readonly string[]])[] = [
  ["telemetry/metrics/store.ts", [...PURE, "store/store.ts"]],
  ...SMALL_PIECES.map((piece) => [piece, []] as const),
  ["s3/", SMALL_PIECES],
  ["auth/", PURE],
  ["store/memory/", [...PURE, "store/store.ts"]],
  ["store/store.ts", PURE],
  ["access/", [...PURE, "store/store.ts"]],
  ["operations/", [...PURE, "store/store.ts"]],
  ["workers/", [...PURE, "store/store.ts"]],
  ["nats/", [...PURE, "store/store.ts"]],
  ["gateway.ts", [...PIPELINE, "http/"]],
  ["http/", PIPELINE],
  [
    "config/",
    [
      ...PURE,
      "auth/credentials.ts",
      "auth/sigv2.ts",
      "nats/buckets/storage.ts",
      "nats/buckets/streams.ts",
      "nats/connection/connection.ts",
      "nats/uploads/native_layout.ts",
    ],
  ],
  ["commands/", [""]],
  ["compose.ts", [""]],
];

/** Specifiers of outside packages by who alone may import them. */
const OUTSIDE: readonly (readonly [package_: RegExp, alone: RegExp])[] = [
  [/^@nats-io\//, /^nats\//],
  [/^fast-xml-parser$/, /^s3\/xml\.ts$/],
];

type Source = { readonly path: string; readonly text: string };

async function readSources(folder: string, prefix = ""): Promise<Source[]> {
  const sources: Source[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = prefix + name;
    if (isDirectory) sources.push(...await readSources(`${folder}/${name}`, `${path}/`));
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) {
      sources.push({ path, text: withoutComments(await Deno.readTextFile(`${folder}/${name}`)) });
    }
  }
  return sources;
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

function specifiersOf(text: string): string[] {
  const found = text.matchAll(/^(?:import|export)\s[^;"'(=]*\bfrom\s*["']([^"']+)["']/gm);
  const bare = text.matchAll(/^import\s*["']([^"']+)["']/gm);
  const dynamic = text.matchAll(/\bimport\(\s*["']([^"']+)["']/g);
  return [...found, ...bare, ...dynamic].map(([, specifier = ""]) => specifier);
}

/** Path of a relative import, within `src/`; undefined for one that leaves it. */
function resolve(from: string, specifier: string): string | undefined {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** What is wrong with the imports of these files. */
function violations(sources: readonly Source[]): string[] {
  const operations = new Set(
    sources.filter(({ path, text }) =>
      path.startsWith("operations/") && /\bdefineOperation</.test(text) &&
      path !== "operations/operation.ts"
    ).map(({ path }) => path),
  );
  return sources.flatMap(({ path, text }) =>
    specifiersOf(text).flatMap((specifier) => {
      const problem = `${path} imports ${specifier}`;
      if (!specifier.startsWith(".")) {
        const rule = OUTSIDE.find(([package_]) => package_.test(specifier));
        return rule === undefined || rule[1].test(path) ? [] : [problem];
      }
      const target = resolve(path, specifier);
      if (target === undefined) return path === "config/command_line.ts" ? [] : [problem];
      const [own, allowed] = MAY_IMPORT.find(([from]) => path.startsWith(from)) ?? [path, []];
      if (operations.has(path) && operations.has(target)) return [problem];
      return [own, ...allowed].some((prefix) => target.startsWith(prefix)) ? [] : [problem];
    })
  );
}

Deno.test("src/ keeps to the table of who may import whom", async () => {
  deepStrictEqual(violations(await readSources(`${ROOT}/src`)), []);
});

Deno.test("violations() finds what the table forbids", () => {
  const imports = (path: string, specifier: string): Source => ({
    path,
    text: `import {\n  type A,\n} from "${specifier}";\n`,
  });
  const operation = (path: string): Source => ({ path, text: "defineOperation<'object'>({})" });
  for (
    const source of [
      imports("s3/names.ts", "../auth/sigv4.ts"),
      imports("streams/a.ts", "../s3/names.ts"),
      imports("telemetry/log.ts", "../crypto/a.ts"),
      imports("operations/a.ts", "../nats/store.ts"),
      imports("operations/a.ts", "@nats-io/nats-core"),
      imports("operations/a.ts", "../store/memory/store.ts"),
      imports("nats/a.ts", "../auth/credentials.ts"),
      imports("gateway.ts", "./nats/store.ts"),
      imports("s3/range.ts", "fast-xml-parser"),
      imports("s3/range.ts", "../../main.ts"),
      { path: "s3/range.ts", text: 'await import("../nats/store.ts")' },
      { path: "s3/range.ts", text: 'export * from "../nats/store.ts";' },
    ]
  ) deepStrictEqual(violations([source]).length, 1, JSON.stringify(source));
  deepStrictEqual(
    violations([
      { path: "operations/a.ts", text: 'import "./b.ts";\ndefineOperation<"object">({})' },
      operation("operations/b.ts"),
    ]),
    ["operations/a.ts imports ./b.ts"],
  );
  for (
    const source of [
      imports("nats/a.ts", "@nats-io/nats-core"),
      imports("s3/a.ts", "./names.ts"),
      imports("s3/a.ts", "node:crypto"),
      imports("commands/serve.ts", "../nats/store.ts"),
      { path: "s3/a.ts", text: withoutComments('/** import "../nats/a.ts" */') },
    ]
  ) deepStrictEqual(violations([source]), [], JSON.stringify(source));
});

Deno.test("only main.ts and commands/ use Deno.serve, Deno.env and Deno.exit", async () => {
  const users = (await readSources(`${ROOT}/src`))
    .filter(({ text }) => /\bDeno\.(serve|env|exit)\b/.test(text))
    .map(({ path }) => path)
    .filter((path) => !path.startsWith("commands/"));
  deepStrictEqual(users, []);
});

Deno.test("no file takes a URL apart with new URL()", async () => {
  // It folds .. and %2e%2e, which changes keys and breaks signatures: src/s3/request.ts cuts the text.
  const users = (await readSources(`${ROOT}/src`))
    .filter(({ text }) => /\bnew URL\(|\bURL\.parse\(/.test(text))
    .map(({ path }) => path);
  deepStrictEqual(users, []);
});

Deno.test("no file is a drawer for everything", async () => {
  const drawers = (await readSources(`${ROOT}/src`))
    .map(({ path }) => path)
    .filter((path) => /(^|\/)(utils?|helpers?|common|types|misc)\.ts$/.test(path));
  deepStrictEqual(drawers, []);
});
