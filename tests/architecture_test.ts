/**
 * Rules of this project that no linter checks: which files may import which, how long a file may be, how it may be
 * named, and which APIs it may use.
 *
 * They are not a lint plugin, because `deno lint` of Deno 2.9.6 crashes with one in 3 of 100 runs.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { backtracks, literalsOf } from "./backtracking.ts";
import {
  circlesOf,
  readSources,
  resolve,
  type Source,
  specifiersOf,
  withoutComments,
} from "./source_files.ts";

const ROOT = `${import.meta.dirname}/..`;
const SMALL_PIECES = ["world/", "crypto/", "streams/", "collections/", "telemetry/"];
const PURE = [...SMALL_PIECES, "s3/"];
/** The interface of a store, without its implementations. */
const STORE = "store/*";
const PIPELINE = [...PURE, "iam/", "auth/", "access/", "operations/", STORE];
/** The rooms of `nats/` that name buckets only in subjects and errors. */
const NATS_GROUND = [...PURE, STORE, "nats/jetstream/", "nats/layout/", "nats/s3_errors.ts"];

/**
 * The imports that a file or a folder may have from `src/`, in addition to itself. `a/` is a folder and everything in
 * it, `a/*` only the files directly in it, "" all of `src/`.
 */
type Arrow = {
  readonly from: string;
  readonly to: readonly string[];
  readonly because: string;
};

/** The arrows; the first one that matches a file applies. */
const ARROWS: readonly Arrow[] = [
  {
    from: "telemetry/metrics/",
    to: ["telemetry/", STORE],
    because: "metrics show a store's reports and the facts of requests",
  },
  { from: "world/", to: [], because: "time, timers and randomness come before everything else" },
  ...SMALL_PIECES.map((from) => ({
    from,
    to: ["world/"],
    because: "a small piece knows nothing of S3, so that any other folder may use it",
  })),
  { from: "s3/", to: SMALL_PIECES, because: "S3's vocabulary is pure: everything else speaks it" },
  {
    from: "iam/",
    to: PURE,
    because: "policies and directories are pure: they are parsed and asked without I/O",
  },
  {
    from: "auth/",
    to: [...PURE, "iam/"],
    because: "a signature is checked without a store, and its key belongs to somebody",
  },
  {
    from: "store/memory/",
    to: [...PURE, "iam/", STORE],
    because: "the reference store proves that the interface needs no NATS",
  },
  {
    from: "store/",
    to: [...PURE, "iam/"],
    because: "the interface of a store is in terms of S3 and IAM",
  },
  {
    from: "access/",
    to: [...PURE, "iam/", "auth/identity.ts", STORE],
    because: "permissions depend on the caller and on the bucket, not on how the caller signed",
  },
  {
    from: "operations/",
    to: [...PURE, "iam/", "auth/identity.ts", STORE],
    because: "an operation works for its caller on any store, behind authentication",
  },
  { from: "workers/", to: [...PURE, STORE], because: "a worker uses a store as an operation does" },
  {
    from: "nats/connection/",
    to: PURE,
    because: "a connection knows neither JetStream nor buckets",
  },
  { from: "nats/jetstream/", to: PURE, because: "JetStream's requests do not depend on buckets" },
  {
    from: "nats/layout/",
    to: [...PURE, STORE],
    because: "subjects and records are pure: they are parsed and written without I/O",
  },
  {
    from: "nats/s3_errors.ts",
    to: [...PURE, "nats/jetstream/"],
    because: "it puts errors of JetStream in S3's words",
  },
  { from: "nats/buckets/", to: NATS_GROUND, because: "a bucket exists before its objects" },
  {
    from: "nats/objects/",
    to: [...NATS_GROUND, "nats/buckets/"],
    because:
      "an object is written and read whether it is listed or not, and however it was uploaded",
  },
  {
    from: "nats/listing/",
    to: [...NATS_GROUND, "nats/buckets/", "nats/objects/"],
    because: "the index is derived from objects",
  },
  {
    from: "nats/uploads/",
    to: [...NATS_GROUND, "nats/buckets/", "nats/objects/"],
    because: "an upload ends as an object",
  },
  {
    from: "nats/cleanup/",
    to: [...NATS_GROUND, "nats/buckets/", "nats/objects/", "nats/listing/", "nats/uploads/"],
    because: "every room may name a chunk group, and nothing else may wait for its purge",
  },
  {
    from: "nats/users/",
    to: [...NATS_GROUND, "iam/", "nats/buckets/context.ts"],
    because: "users are kept beside buckets and without them",
  },
  {
    from: "nats/monitoring/",
    to: [...PURE, "nats/jetstream/"],
    because: "monitoring watches requests and needs no bucket",
  },
  {
    from: "nats/store.ts",
    to: [
      ...NATS_GROUND,
      "nats/connection/",
      "nats/buckets/",
      "nats/objects/",
      "nats/listing/",
      "nats/uploads/",
      "nats/cleanup/",
      "nats/users/",
    ],
    because: "it joins the rooms; none of them imports it",
  },
  {
    from: "http/",
    to: PIPELINE,
    because: "it serves the pipeline's steps, and the pipeline puts them in order",
  },
  {
    from: "website/",
    to: [...PIPELINE, "http/"],
    because: "a web site answers browsers instead of the pipeline, with the same exchanges",
  },
  {
    from: "gateway.ts",
    to: [...PIPELINE, "http/"],
    because: "the pipeline runs over any store: composition chooses one",
  },
  {
    from: "config/",
    to: [
      ...PURE,
      "auth/configured_keys.ts",
      "auth/credentials.ts",
      "auth/sigv2.ts",
      "nats/buckets/storage.ts",
      "nats/buckets/stream_config.ts",
      "nats/connection/connection.ts",
      "nats/uploads/native_layout.ts",
    ],
    because:
      "settings are checked before anything is created from them, in the words of their owners",
  },
  {
    from: "gateway_metrics.ts",
    to: [...PURE, "nats/jetstream/", "nats/layout/", "nats/monitoring/"],
    because: "metrics of all layers are rendered in one order",
  },
  { from: "compose.ts", to: [""], because: "composition sees everything" },
  { from: "commands/", to: [""], because: "a command composes what it runs" },
];

/** Specifiers of external packages, and the only files that may import them. */
const OUTSIDE: readonly (readonly [package_: RegExp, alone: RegExp])[] = [
  [/^@nats-io\//, /^nats\//],
  [/^fast-xml-parser$/, /^s3\/xml_reader\.ts$/],
];

/** Maximum number of lines of a file. */
const MAX_LINES = 250;

/** Number of lines of the files that are longer; the list only shrinks. */
const LONG_FILES: Readonly<Record<string, number>> = {
  "config/settings.ts": 375,
  "nats/buckets/streams.ts": 280,
  "telemetry/request_trace.ts": 267,
};

function fits(path: string, pattern: string): boolean {
  if (pattern.endsWith("/*")) {
    const folder = pattern.slice(0, -1);
    return path.startsWith(folder) && !path.slice(folder.length).includes("/");
  }
  return pattern === "" || pattern.endsWith("/") ? path.startsWith(pattern) : path === pattern;
}

/** Returns the imports that violate an arrow or the rule of external packages. */
function violations(sources: readonly Source[]): string[] {
  const operations = new Set(
    sources.filter(({ path, text }) =>
      path.startsWith("operations/") && /\bdefine(?:Public)?Operation</.test(text) &&
      path !== "operations/operation.ts"
    ).map(({ path }) => path),
  );
  return sources.flatMap(({ path, text }) =>
    specifiersOf(text).flatMap((specifier) => {
      if (!specifier.startsWith(".")) {
        const rule = OUTSIDE.find(([package_]) => package_.test(specifier));
        return rule === undefined || rule[1].test(path) ? [] : [`${path} → ${specifier}`];
      }
      const target = resolve(path, specifier);
      const problem = `${path} → ${target ?? specifier}`;
      if (target === undefined) return path === "config/command_line.ts" ? [] : [problem];
      if (operations.has(path) && operations.has(target)) return [problem];
      const { from, to } = ARROWS.find(({ from }) => fits(path, from)) ?? { from: path, to: [] };
      return [from, ...to].some((pattern) => fits(target, pattern)) ? [] : [problem];
    })
  );
}

Deno.test("src/ follows the arrows of who may import whom", async () => {
  deepStrictEqual(violations(await readSources(`${ROOT}/src`)), []);
});

Deno.test("violations() finds what the arrows forbid", () => {
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
      imports("operations/a.ts", "../auth/authenticate.ts"),
      imports("nats/a.ts", "../auth/credentials.ts"),
      imports("nats/objects/a.ts", "../uploads/uploads.ts"),
      imports("nats/objects/a.ts", "../store.ts"),
      imports("nats/uploads/a.ts", "../listing/key_index.ts"),
      imports("nats/connection/a.ts", "../jetstream/requests.ts"),
      imports("nats/monitoring/a.ts", "../buckets/buckets.ts"),
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
    ["operations/a.ts → operations/b.ts"],
  );
  for (
    const source of [
      imports("nats/a.ts", "@nats-io/nats-core"),
      imports("nats/uploads/a.ts", "../objects/objects.ts"),
      imports("nats/store.ts", "./cleanup/sweep.ts"),
      imports("s3/a.ts", "./names.ts"),
      imports("s3/a.ts", "node:crypto"),
      imports("commands/serve.ts", "../nats/store.ts"),
      { path: "s3/a.ts", text: withoutComments('/** import "../nats/a.ts" */') },
    ]
  ) deepStrictEqual(violations([source]), [], JSON.stringify(source));
});

Deno.test("no files import each other in a circle, types included", async () => {
  deepStrictEqual(circlesOf(await readSources(`${ROOT}/src`)), []);
});

Deno.test("circlesOf() finds circles, and not files that only lead into one", () => {
  const imports = (path: string, ...targets: string[]): Source => ({
    path,
    text: targets.map((target) => `import type { A } from "./${target}";`).join("\n"),
  });
  const sources = [
    imports("a.ts", "b.ts"),
    imports("b.ts", "c.ts", "d.ts"),
    imports("c.ts", "b.ts"),
    imports("d.ts"),
    imports("e.ts", "e.ts"),
  ];
  deepStrictEqual(circlesOf(sources), [["b.ts", "c.ts"], ["e.ts"]]);
});

Deno.test("a file is at most 250 lines long, or on the list and no longer than it was", async () => {
  const sources = await readSources(`${ROOT}/src`);
  const lengths = new Map(sources.map(({ path, lines = 0 }) => [path, lines]));
  const tooLong = sources.filter(({ path, lines = 0 }) => lines > (LONG_FILES[path] ?? MAX_LINES));
  deepStrictEqual(tooLong.map(({ path, lines }) => `${path}: ${lines}`), [], "Split these files");
  deepStrictEqual(
    Object.keys(LONG_FILES).filter((path) => (lengths.get(path) ?? 0) <= MAX_LINES),
    [],
    "Take these files off the list",
  );
});

Deno.test("only main.ts and commands/ use Deno.serve, Deno.env and Deno.exit", async () => {
  const users = (await readSources(`${ROOT}/src`))
    .filter(({ text }) => /\bDeno\.(serve|env|exit)\b/.test(text))
    .map(({ path }) => path)
    .filter((path) => !path.startsWith("commands/"));
  deepStrictEqual(users, []);
});

Deno.test("no file takes a URL apart with new URL()", async () => {
  // It folds .. and %2e%2e, which changes keys and breaks signatures: src/s3/request.ts splits the text instead.
  const users = (await readSources(`${ROOT}/src`))
    .filter(({ text }) => /\bnew URL\(|\bURL\.parse\(/.test(text))
    .map(({ path }) => path);
  deepStrictEqual(users, []);
});

/** The files of `src/` that parse text sent by clients. */
const READS_CLIENTS = /^(?:auth|s3|iam|operations|access|http|website)\/|^gateway\.ts$/;

Deno.test("no regular expression backtracks over what clients send", async () => {
  const sources = (await readSources(`${ROOT}/src`)).filter(({ path }) => READS_CLIENTS.test(path));
  const literals = sources.flatMap(({ path, text }) =>
    literalsOf(text).map((literal) => ({ path, ...literal }))
  );
  strictEqual(literals.length > 50, true, `only ${literals.length} were found`);
  deepStrictEqual(
    literals.filter(backtracks).map(({ path, source }) => `${path}: /${source}/`),
    [],
  );
  // This test cannot check an expression that is built from text.
  deepStrictEqual(sources.filter(({ text }) => /\bRegExp\(/.test(text)), []);
});

Deno.test("backtracks() tells expressions that backtrack from those that do not", () => {
  const bad = [
    /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i, // the gateway once used these four
    /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/,
    /<!--.*?-->|<!\[CDATA\[.*?\]\]>/gs,
    /^AWS +(.+):([^:]+)$/,
    /"[^]*?"/,
    /^(a+)+$/,
    /^(?:\w*,?)*$/,
    /^a*(?:x)?a*$/,
    /^a*(?:b|)a*$/,
    /^.*-.*-$/,
    /^\w{2,}\d+$/,
    /^\d*\b\d*$/,
  ];
  const good = [
    /^bytes=(\d+)-(\d+)$/,
    /^(.*)\/([^/]*)\/([^/]*)\/([^/]*)\/([^/]*)$/,
    /^(.*?)(?:\?versionId=([^?]*))?$/s,
    /(?:^|,)\s*aws-chunked\s*(?:,|$)/i,
    /^(?:EU|[a-z]{2}(?:-[a-z]+)+-\d)$/,
    /^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/,
    /[?#].*$/s,
    /^[\p{L}\p{Z}]*=\p{N}*$/u,
    /[ \t]+/g,
    /^\d*x?$/,
    /^[^)]*\)[)]*$/,
  ];
  deepStrictEqual(bad.filter((literal) => !backtracks(literal)), []);
  deepStrictEqual(good.filter(backtracks), []);
});

Deno.test("literalsOf() finds expressions, but not in strings, comments and divisions", () => {
  const text = [
    "const a = /x\\/[/]\"y/gi.exec(b) ?? \"/no/\" + '/no/'; // it's /no/",
    "const c = size / 2 / (3) / 4; /* /no/ */",
    "return /z/.test(`/no/ ${d.replace(/w/g, e)} don't`) ? f : /v/;",
    "  /^u/.test(g) && !/t/.test(h);",
    "list.map((i) => /s/y);",
  ].join("\n");
  deepStrictEqual(
    literalsOf(text).map(({ source, flags }) => `${source} ${flags}`),
    ['x\\/[/]"y gi', "z ", "w g", "v ", "^u ", "t ", "s y"],
  );
});

Deno.test("nats/, streams/ and workers/ take time, timers and randomness from world/ alone", async () => {
  // A simulation can then own all three.
  const users = (await readSources(`${ROOT}/src`))
    .filter(({ path }) => /^(nats|streams|workers)\//.test(path))
    .filter(({ text }) => WORLD.test(text))
    .map(({ path }) => path);
  deepStrictEqual(users, []);
  for (const text of ["setTimeout(f, 1)", "Date.now()", "new Date()", "nuid.next()", "delay(20)"]) {
    strictEqual(WORLD.test(text), text !== "delay(20)", text);
  }
});

/** The runtime's and the library's own clocks, timers and sources of randomness. */
const WORLD =
  /\b(?:set|clear)(?:Timeout|Interval)\b|\bperformance\.|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bgetRandomValues\b|\brandomUUID\b|\bnuid\.next\b|\bcreateInbox\b|\btimers\/promises|AbortSignal\.timeout/;

Deno.test("only nats/layout/ writes and reads subjects", async () => {
  const users = (await readSources(`${ROOT}/src`))
    .filter(({ path }) => !path.startsWith("nats/layout/"))
    .filter(({ path, text }) =>
      text.includes("$O.") || text.includes("OBJ_") ||
      (path.startsWith("nats/") && text.includes('.split(".")'))
    )
    .map(({ path }) => path);
  deepStrictEqual(users, []);
});

Deno.test("no file is a drawer for everything", async () => {
  const drawers = (await readSources(`${ROOT}/src`))
    .map(({ path }) => path)
    .filter((path) => /(^|\/)(utils?|helpers?|common|types|misc)\.ts$/.test(path));
  deepStrictEqual(drawers, []);
});

Deno.test("only nats/store.ts and the context.ts files see a whole context", async () => {
  const users = (await readSources(`${ROOT}/src/nats`, "nats/"))
    .filter(({ path }) => path !== "nats/store.ts" && !path.endsWith("/context.ts"))
    .filter(({ text }) => WHOLE_CONTEXT.test(text.replaceAll(/^import [^;]*;/gm, "")))
    .map(({ path }) => path);
  deepStrictEqual(users, []);
  for (
    const [text, isWhole] of [
      ["function f(context: BucketsContext) {", true],
      ["function f(\n  { requests }: ObjectsContext,\n) {", true],
      ["function f(context: UploadsContext & { x: 1 }) {", true],
      ["type Needs = UploadsContext;", true],
      ['function f(context: Pick<BucketsContext, "log">) {', false],
      ['function f(context: Pick<\n  BucketsContext,\n  "log"\n>) {', false],
      ["function f(doubt: ObjectsContext['doubt']) {", false],
      ['import type { BucketsContext } from "./context.ts";', false],
    ] as const
  ) strictEqual(WHOLE_CONTEXT.test(text), isWhole, text);
});

/** A room's context used as a type, except for fields that are picked from it. */
const WHOLE_CONTEXT =
  /(?<!\bPick<\s*)(?<=[:&|=<,]\s*)\b(?:Buckets|Objects|Uploads)Context\b(?!\s*\[)/;
