/**
 * Runs tests and prints `N passed, N failed, N skipped` alone on the last line.
 *
 * Usage: `deno run -A scripts/test.ts [paths] [flags of deno test]`. Without paths it runs all tests that need neither
 * external clients nor much time. Tests start their own nats-servers, so `NATS_URL` is hidden from them.
 *
 * With `TEST_REQUIRE=all` a skipped test is a failure, unless it is on the list below.
 * @module
 */

// deno-lint-ignore-file no-console

import { resolve } from "node:path";
import { findNatsServer } from "./find_nats_server.ts";

/** Reasons why tests may be skipped under `TEST_REQUIRE=all`, by the beginning of their names. */
const MAY_BE_SKIPPED: Readonly<Record<string, string>> = {
  "aws-cli v2": "version 2 is not on PyPI; tested if it is installed",
  "nats ": "the nats command is only on Go's package registry; built if Go is installed",
  "nginx": "tested if it is installed",
  "haproxy": "tested if it is installed; for the compose file it is fetched if there is apt",
  "caddy": "tested if it is installed",
  "helm": "it is built if Go is installed",
  "compose-go": "it is built if Go is installed",
  "actionlint": "it is built if Go is installed",
  "hadolint": "it is fetched if Python is installed, on the systems that it supports",
  "systemd-analyze": "tested if it is installed",
  "promtool": "it is fetched if there is apt; otherwise tested if it is installed",
  "migration by rclone": "it is fetched if there is apt; otherwise tested if it is installed",
  "example go": "nothing else here requires Go; tested if it is installed",
  "example rclone": "it is fetched if there is apt; otherwise tested if it is installed",
  "example restic": "it is fetched if there is apt; otherwise tested if it is installed",
  "a page of another origin": "Chromium is fetched if there is apt",
  "Java SDK 1": "Maven fetches it if Java and Maven are installed",
  "minio-go": "it is built if Go is installed",
  "mc ": "it is built if Go is installed",
  "Ansible": "its version here requires Python 3.11",
  "aws-cli 2 of Debian": "it is fetched if there is apt",
  "rclone purge": "it is fetched if there is apt; otherwise tested if it is installed",
  "Ruby SDK": "it is fetched if there is apt",
  "example terraform/main.tf": "it is not in any package registry; tested if it is installed",
};

/** Flags of `deno` for code that imports test-only packages: `deno.lock` does not have these. */
export const TEST_LOCK: readonly string[] = [
  `--lock=${resolve(`${import.meta.dirname}/../tests/deno.lock`)}`,
];

/** Folders of `tests/` with tasks of their own. */
const ELSEWHERE = ["clients", "cluster", "deploy", "soak", "bench", "conformance"];
const PATHS = ["main.ts", "src", "scripts", "README.md", "docs"];

/**
 * The files that take longest. They begin first, so that none of them is left alone at the end; files that compute and
 * files that wait take turns here, so that they run beside each other.
 */
export const LONGEST: readonly string[] = [
  "tests/contract/mirrored_store_test.ts",
  "tests/simulation/more_seeds_test.ts",
  "tests/process/website_test.ts",
  "tests/simulation/simulation_test.ts",
  "tests/process/tracing_test.ts",
  "tests/api/hostile_text_test.ts",
  "tests/nats/unanswered_test.ts",
  "tests/http/fuzzed_requests_test.ts",
  "tests/process/drain_test.ts",
  "tests/http/malformed_requests_test.ts",
  "tests/nats/users_test.ts",
  "tests/contract/nats_store_test.ts",
  "tests/nats/trash_test.ts",
];

/** Files tested at the same time by default: one more than there are cores, because most tests wait more than they compute. */
const JOBS = `${navigator.hardwareConcurrency + 1}`;

/** The outcome of a run. */
export type Outcome = {
  readonly passed: number;
  readonly failed: number;
  /** Names of the tests that were skipped. */
  readonly skipped: readonly string[];
};

/**
 * Parses a report of `deno test --junit-path`. Steps count as tests.
 *
 * @example Usage
 * ```ts
 * import { parseReport } from "./test.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const xml = '<testcase name="a"></testcase><testcase name="b &amp; c"><skipped/></testcase>';
 * deepStrictEqual(parseReport(xml), { passed: 1, failed: 0, skipped: ["b & c"] });
 * ```
 */
export function parseReport(xml: string): Outcome {
  const cases = parseCases(xml);
  const named = (result: TestCase["result"]): string[] =>
    cases.filter((test) => test.result === result).map(({ name }) => name);
  return {
    passed: named("passed").length,
    failed: named("failed").length,
    skipped: named("skipped"),
  };
}

/** A test or a step of a report; a step's name is `test > step`. */
export type TestCase = {
  readonly name: string;
  readonly result: "passed" | "failed" | "skipped";
};

/** Parses the tests and steps of a report of `deno test --junit-path`. */
export function parseCases(xml: string): TestCase[] {
  return Array.from(xml.matchAll(TEST_CASE), ([, name = "", content = ""]) => ({
    name: decodeXml(name),
    result: content.includes("<skipped")
      ? "skipped"
      : /<(failure|error)[ >/]/.test(content)
      ? "failed"
      : "passed",
  }));
}

const TEST_CASE = /<testcase name="([^"]*)"[^>]*>([^]*?)<\/testcase>/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'" };

function decodeXml(text: string): string {
  return text.replaceAll(/&(lt|gt|quot|apos);/g, (_, name) => ENTITIES[name] ?? "")
    .replaceAll("&amp;", "&");
}

/** Returns the skipped tests that must not be skipped under `TEST_REQUIRE=all`. */
export function forbiddenSkips({ skipped }: Outcome): readonly string[] {
  const prefixes = Object.keys(MAY_BE_SKIPPED);
  return skipped.filter((name) => !prefixes.some((prefix) => name.startsWith(prefix)));
}

/**
 * Returns the paths to test by default, from the project's folder. They are listed one by one because a relative
 * `--ignore` of Deno 2.9.6 has no effect next to several paths.
 */
export async function defaultPaths(): Promise<string[]> {
  const existing = await Promise.all(
    PATHS.map((path) => Deno.stat(path).then(() => [path], () => [])),
  );
  const tests = await Array.fromAsync(Deno.readDir("tests"));
  const chosen = tests.filter(({ name, isDirectory }) =>
    isDirectory ? !ELSEWHERE.includes(name) : name.endsWith("_test.ts")
  );
  return [...existing.flat(), ...chosen.map(({ name }) => `tests/${name}`)];
}

async function runTests(args: readonly string[]): Promise<number> {
  const paths = args.filter((arg) => !arg.startsWith("-"));
  const flags = args.filter((arg) => arg.startsWith("-"));
  // `deno task ok` checks the types of all of them, which takes a core half a minute.
  const chosen = paths.length > 0
    ? paths
    : ["--doc", "--no-check", ...LONGEST, ...await defaultPaths()]; // Deno runs a file that is there twice once

  // Find or fetch it once here, so that concurrent tests do not.
  const { path, version, from } = await findNatsServer({ note: console.log });
  console.log(`nats-server ${version} (${from}): ${path}`);

  const { NATS_URL: _, ...env } = Deno.env.toObject();
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  // Without a configuration, Deno would remove most packages from the lock file.
  const lock = flags.includes("--no-config") ? [] : TEST_LOCK;
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...lock, "--parallel", `--junit-path=${report}`, ...flags, ...chosen],
    clearEnv: true,
    env: { ...(paths.length === 0 && { DENO_JOBS: JOBS }), ...env, NATS_SERVER_BIN: path },
    stdin: "null",
  }).spawn().status;
  const outcome = parseReport(await Deno.readTextFile(report));
  await Deno.remove(report);

  const forbidden = env["TEST_REQUIRE"] === "all" ? forbiddenSkips(outcome) : [];
  for (const name of outcome.skipped) {
    console.log(`skipped${forbidden.includes(name) ? ", but required" : ""}: ${name}`);
  }
  let failed = outcome.failed + forbidden.length;
  // A file that does not load is missing from the report.
  if (code !== 0 && failed === 0) failed = 1;
  console.log(
    `${outcome.passed} passed, ${failed} failed, ${
      outcome.skipped.length - forbidden.length
    } skipped`,
  );
  return code !== 0 ? code : failed > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await runTests(Deno.args));
