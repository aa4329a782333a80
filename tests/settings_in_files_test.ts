/**
 * Checks that every variable and every flag of the gateway exists in the settings table, wherever a file outside the
 * code names one: in `deploy/`, `.github/`, `docs/` and `examples/`, in the README and in the other documents.
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { FLAGS, VARIABLES } from "../scripts/setting_names.ts";
import { COMMAND_FLAGS, COMMANDS } from "../src/config/commands.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const PLACES = ["deploy", ".github", "docs", "examples"];
const TEXT =
  /\.(md|ya?ml|json|env|example|service|conf|cfg|tpl|txt|py|js|mjs|ts|go|sh)$|Dockerfile$/;

/** Variables that look like settings but belong to other programs. */
const OTHERS_VARIABLES = [
  "TEST_REQUIRE",
  "OTEL_DENO",
  "OTEL_EXPORTER_OTLP_CERTIFICATE",
];

/** Flags that documents show alone in backticks, by the program they belong to. */
const OTHERS_FLAGS: Readonly<Record<string, readonly string[]>> = {
  "deno": ["allow-net", "allow-env", "allow-read", "v8-flags", "frozen", "dry-run", "no-prompt"],
  "v8": ["max-old-space-size"],
  "the benchmarks": ["keep"],
  "rclone": ["transfers"],
  "nats-s3": ["help", "version", ...Object.keys(COMMAND_FLAGS)],
};
const KNOWN_ALONE = new Set([...FLAGS, ...Object.values(OTHERS_FLAGS).flat()]);

/** Returns the names of settings that a text uses although they do not exist. */
export function unknownIn(text: string): readonly string[] {
  const unknown: string[] = [];
  // `NATS_S3_…` and `OTEL_*` stand for several names.
  for (
    const [, name = ""] of text.matchAll(/\b((?:NATS_S3|OTEL)_[A-Z0-9_]*[A-Z0-9])\b(?![_*…])/g)
  ) {
    if (!VARIABLES.has(name) && !OTHERS_VARIABLES.includes(name)) unknown.push(name);
  }
  // Helm's values have names like ours, but its flags are different.
  const lines = text.replaceAll(/\\\n\s*/g, " ").replaceAll(/^\s*helm .*$/gm, "");
  for (const [, flag = ""] of lines.matchAll(FLAG_OF_OURS)) {
    if (!FLAGS.has(flag)) unknown.push(`--${flag}`);
  }
  for (const [, flag = ""] of lines.matchAll(FLAG_ALONE)) {
    if (!KNOWN_ALONE.has(flag)) unknown.push(`--${flag}`);
  }
  for (const [, args = ""] of lines.matchAll(CALL)) {
    const command = /^ ([a-z]+)(?= |$)/.exec(args)?.[1];
    for (const [, flag = ""] of args.matchAll(/(?:^|\s)--?([A-Za-z][\w.-]*)/g)) {
      const isOwn = command !== undefined && ownFlag(command, flag);
      if (!FLAGS.has(flag) && !["help", "version", "h", "v"].includes(flag) && !isOwn) {
        unknown.push(`--${flag}`);
      }
    }
    if (command !== undefined && !Object.hasOwn(COMMANDS, command)) unknown.push(command);
  }
  return [...new Set(unknown)];
}

function ownFlag(command: string, flag: string): boolean {
  return Object.entries(COMMAND_FLAGS).some(([name, own]) =>
    name === flag && (own.commands as readonly string[]).includes(command)
  );
}

/** A flag with a dot, or one that begins with `nats` and a capital: no other program has such flags. */
const FLAG_OF_OURS = /(?<![\w-])--?((?:nats[A-Z]\w*|[a-z][\w-]*(?:\.[a-z][\w-]*)+))\b(?!\()/g;
/** A flag alone in backticks, perhaps with a value. */
const FLAG_ALONE = /`--([A-Za-z][\w.-]*)(?:[ =][^`]*)?`/g;
/** The arguments after the command in a line of code: `main.ts …`, `nats-s3 --…`, `nats-s3 sweep …`. */
const CALL =
  /(?:\bmain\.ts|(?<=^|[\s`]|bin\/|\.\/)nats-s3(?:\.js)?)((?: (?:[a-z]+|--?[A-Za-z][\w.-]*(?:[ =][^\s`]+)?))*? --[^`\n|&;#]*)/gm;

async function* filesIn(path: string): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(`${ROOT}/${path}`)).catch(() => []);
  for (const { name, isDirectory } of entries) {
    if (isDirectory && name !== "node_modules") yield* filesIn(`${path}/${name}`);
    else if (TEXT.test(name)) yield `${path}/${name}`;
  }
}

Deno.test("unknownIn() finds variables and flags that do not exist", () => {
  for (
    const [text, expected] of [
      ["NATS_S3_REPLICA=3", ["NATS_S3_REPLICA"]],
      ["`NATS_S3_REPLICAS=3`, NATS_S3_…, NATS_S3_NATS_* and TEST_REQUIRE", []],
      ["deno run --allow-net main.ts --replica 3", ["--replica"]],
      ["deno run --allow-net main.ts --replicas 3 \\\n  --listens :1", ["--listens"]],
      ["nats-s3 sweep --dry-run\nnats-s3 sweeps --dry-run", ["sweeps"]],
      ["the flag `--bucket.quotas 1GiB` of --trash.graces", ["--bucket.quotas", "--trash.graces"]],
      ["`--replica`", ["--replica"]],
      ["set -natsUsers x", ["--natsUsers"]],
      ["docker run --rm nats-s3 --version", []],
      ["helm install nats-s3 deploy/helm/nats-s3 --values a.yaml", []],
      ["nats-s3 buckets list --json\nnats-s3 sweep --json", ["--json"]],
      ["`--listen :1`, --natsUser=a --otel.service-name b", []],
    ] as const
  ) deepStrictEqual([...unknownIn(text)].sort(), [...expected].sort(), text);
});

Deno.test("every variable and flag in documents, examples and deployment is in the settings table", async () => {
  const documents = await Array.fromAsync(Deno.readDir(ROOT), ({ name }) => name);
  const files = documents.filter((name) => name.endsWith(".md"));
  for (const place of PLACES) files.push(...await Array.fromAsync(filesIn(place)));
  ok(files.length > 10, files.join());
  const problems = await Promise.all(files.map(async (file) => {
    return unknownIn(await Deno.readTextFile(`${ROOT}/${file}`)).map((name) => `${file}: ${name}`);
  }));
  deepStrictEqual(problems.flat(), []);
});
