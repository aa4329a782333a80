/**
 * `deno task conformance`: tests a gateway with aws-cli and the SDKs, and writes docs/CONFORMANCE.md. The exit code is 1
 * if a check failed; the document lists the failed checks.
 *
 * With `--check` it writes nothing and fails if the document differs, except in versions. With `--only=PATTERN` it runs
 * the checks whose area and name match, and prints the results.
 * @module
 */

// deno-lint-ignore-file no-console

import manifest from "../deno.json" with { type: "json" };
import { OPERATIONS } from "../src/operations/table.ts";
import { startGateway } from "../tests/clients/gateway_process.ts";
import { type AwsCli, createAwsCli2, startAwsCli1 } from "../tests/conformance/aws_cli.ts";
import { type CheckResult, runChecks } from "../tests/conformance/run_checks.ts";
import { readVersion } from "../tests/packages/versions.ts";
import { ensurePython, findAwsCli2, type Tool } from "./client_tools.ts";
import { formatConformance, type Suite, withoutVersions } from "./conformance_report.ts";
import { findNatsServer } from "./find_nats_server.ts";
import { parseCases, TEST_LOCK } from "./test.ts";

const ROOT = `${import.meta.dirname}/..`;
const DOCUMENT = `${ROOT}/docs/CONFORMANCE.md`;
const REQUIREMENTS = `${ROOT}/tests/clients/requirements.txt`;

/** Number of clients that run at the same time. */
const CONCURRENT_CLIENTS = 3;

/** Tests whose steps are the checks of the SDKs. */
const SUITES = ["tests/clients/boto3_test.ts", "tests/clients/aws_sdk_test.ts"];

async function runAwsCli(start: () => AwsCli, only?: RegExp): Promise<CheckResult[]> {
  await using stack = new AsyncDisposableStack();
  const gateway = stack.use(await startGateway());
  const clients = Array.from({ length: CONCURRENT_CLIENTS }, () => stack.use(start()));
  return await runChecks(gateway, clients, only);
}

async function runSuites(): Promise<Suite[]> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "-A",
        ...TEST_LOCK,
        "--quiet",
        "--parallel",
        `--junit-path=${report}`,
        ...SUITES,
      ],
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
    }).spawn().status;
    const cases = parseCases(await Deno.readTextFile(report));
    if (code !== 0 && cases.every(({ result }) => result === "passed")) {
      throw new Error(`The SDKs' tests did not run: deno test ${SUITES.join(" ")}`);
    }
    // Only steps are checks; the test around them is not.
    const steps = cases.map(({ name, result }) => ({ suite: name.split(" > "), result }))
      .filter(({ suite }) => suite.length > 1);
    return Array.from(Map.groupBy(steps, ({ suite: [name = ""] }) => name), ([name, of]) => ({
      name,
      passed: of.filter(({ result }) => result === "passed").length,
      failed: of.filter(({ result }) => result === "failed").length,
    })).toSorted((a, b) => a.name < b.name ? -1 : 1);
  } finally {
    await Deno.remove(report);
  }
}

async function readVersions(): Promise<Record<string, string>> {
  const requirements = await Deno.readTextFile(REQUIREMENTS);
  const ofPython = (name: string): string =>
    new RegExp(`^${name}==(.*)$`, "m").exec(requirements)?.[1] ?? "unknown";
  return {
    "nats-s3": manifest.version,
    Deno: Deno.version.deno,
    "nats-server": (await findNatsServer()).version,
    "aws-cli": ofPython("awscli"),
    boto3: ofPython("boto3"),
    "@aws-sdk/client-s3": await readVersion("@aws-sdk/client-s3"),
  };
}

function printFailures(checks: readonly CheckResult[]): number {
  const failed = checks.filter(({ error }) => error !== undefined);
  for (const { area, name, error } of failed) console.log(`FAILED ${area}: ${name}\n${error}\n`);
  return failed.length;
}

/** Returns whether everything passed and, with `isCheck`, the document is up to date. */
async function conformance(python: Tool, isCheck: boolean): Promise<boolean> {
  const checks = await runAwsCli(() => startAwsCli1(python));
  const failures = printFailures(checks);
  console.log(`aws-cli 1: ${checks.length - failures} of ${checks.length} checks passed`);
  const suites = await runSuites();
  for (const { name, passed, failed } of suites) {
    console.log(`${name}: ${passed} of ${passed + failed} checks passed`);
  }
  const isFine = failures === 0 && suites.every(({ failed }) => failed === 0);
  const document = formatConformance({
    versions: await readVersions(),
    checks,
    suites,
    operations: OPERATIONS.toSorted((a, b) => a.name < b.name ? -1 : 1),
  });
  if (!isCheck) {
    await Deno.writeTextFile(DOCUMENT, document);
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", DOCUMENT] }).output();
    return isFine;
  }
  // The document is formatted, so compare formatted text.
  const written = await Deno.makeTempFile({ suffix: ".md" });
  await Deno.writeTextFile(written, document);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", written] }).output();
  const isSame = withoutVersions(await Deno.readTextFile(written)) ===
    withoutVersions(await Deno.readTextFile(DOCUMENT));
  await Deno.remove(written);
  if (!isSame) console.log("docs/CONFORMANCE.md is out of date: run `deno task conformance`");
  return isFine && isSame;
}

/** Runs the checks with aws-cli 2, if installed. It is not on PyPI, so it affects neither the document nor the exit code. */
async function tryAwsCli2(only?: RegExp): Promise<void> {
  const tool = await findAwsCli2();
  if (tool === undefined) {
    console.log("Skipping aws-cli 2: it is not on the PATH");
    return;
  }
  const checks = await runAwsCli(() => createAwsCli2(tool), only);
  const failures = printFailures(checks);
  console.log(`aws-cli 2: ${checks.length - failures} of ${checks.length} checks passed`);
}

if (import.meta.main) {
  const only = Deno.args.find((arg) => arg.startsWith("--only="))?.slice("--only=".length);
  const python = await ensurePython();
  let isFine: boolean;
  if (only !== undefined) {
    const pattern = new RegExp(only);
    const checks = await runAwsCli(() => startAwsCli1(python), pattern);
    const failures = printFailures(checks);
    console.log(`${checks.length - failures} passed, ${failures} failed`);
    isFine = failures === 0;
    await tryAwsCli2(pattern);
  } else {
    isFine = await conformance(python, Deno.args.includes("--check"));
    await tryAwsCli2();
  }
  Deno.exit(isFine ? 0 : 1);
}
