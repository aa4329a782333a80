/**
 * Formats docs/CONFORMANCE.md from the results of the checks and the table of operations.
 * @module
 */

import type { Operation } from "../src/operations/operation.ts";
import { UNSUPPORTED_AREA } from "../tests/conformance/areas.ts";
import type { CheckResult } from "../tests/conformance/run_checks.ts";

/** Results of an SDK's checks. */
export type Suite = { readonly name: string; readonly passed: number; readonly failed: number };

/** Contents of the document. */
export type Conformance = {
  /** By program. */
  readonly versions: Readonly<Record<string, string>>;
  readonly checks: readonly CheckResult[];
  readonly suites: readonly Suite[];
  readonly operations: readonly Pick<Operation, "name" | "unsupported">[];
};

/** Returns the document, not yet formatted. */
export function formatConformance(
  { versions, checks, suites, operations }: Conformance,
): string {
  const areas = Map.groupBy(checks, ({ area }) => area);
  const failed = checks.filter(({ error }) => error !== undefined);
  return [
    "# Conformance",
    "",
    "<!-- Written by `deno task conformance`. -->",
    "",
    "How a gateway responds to aws-cli and the SDKs. `deno task conformance` runs every check and writes",
    "this page; `deno task conformance --check` verifies that the page still holds.",
    "",
    `Versions: ${Object.entries(versions).map(([name, at]) => `${name} ${at}`).join(", ")}.`,
    "",
    "## Checks of aws-cli",
    "",
    "A check passes if every response and every byte, and the code and status of every error, match AWS's",
    "documentation. A request for an operation that is not implemented must be rejected as such and have",
    "no effect.",
    "",
    "| area | passed | failed | rejected as not implemented |",
    "| --- | --- | --- | --- |",
    ...Array.from(areas, ([area, results]) => formatArea(area, results)),
    formatArea("all", checks),
    "",
    ...failed.length === 0 ? [] : ["Failed:", ""],
    ...failed.map(({ area, name, error = "" }) =>
      `- ${area}: ${plain(name)}: ${plain(error.split("\n")[0] ?? "")}`
    ),
    "",
    "## Checks of the SDKs",
    "",
    "| suite | passed | failed |",
    "| --- | --- | --- |",
    ...suites.map(({ name, passed, failed }) => `| ${name} | ${passed} | ${failed} |`),
    "",
    "## Operations",
    "",
    "Every operation that AWS documents, and how many checks of aws-cli use it.",
    "",
    "| operation | status | checks |",
    "| --- | --- | --- |",
    ...operations.map(({ name, unsupported }) => {
      const asked = checks.filter(({ operations }) => operations.includes(name)).length;
      return `| \`${name}\` | ${unsupported ? NOT_IMPLEMENTED : SUPPORTED} | ${asked || "–"} |`;
    }),
    "",
    "## List of checks",
    "",
    ...Array.from(areas, ([area, results]) =>
      area === UNSUPPORTED_AREA ? [] : [
        `### ${area}`,
        "",
        ...results.map(({ name }) => `- ${plain(name)}`),
        "",
      ]).flat(),
  ].join("\n");
}

const SUPPORTED = "supported";
const NOT_IMPLEMENTED = "`NotImplemented`";

function formatArea(area: string, results: readonly CheckResult[]): string {
  const failed = results.filter(({ error }) => error !== undefined).length;
  const refused =
    results.filter(({ area, error }) => area === UNSUPPORTED_AREA && error === undefined).length;
  return `| ${area} | ${results.length - failed - refused} | ${failed} | ${refused} |`;
}

/** Escapes a text for Markdown. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_<>[\]|~#]/g, "\\$&");
}

/** The claims of the document. */
export type Claims = {
  /** Numbers in the last row of the table of areas. */
  readonly totals: readonly number[];
  /** Status by operation. */
  readonly operations: ReadonlyMap<string, "supported" | "not implemented">;
  /** Operations that at least one check uses. */
  readonly asked: ReadonlySet<string>;
};

/** Parses the claims of the document. */
export function readConformance(document: string): Claims {
  const operations = new Map<string, "supported" | "not implemented">();
  const asked = new Set<string>();
  for (
    const [, name = "", status, checks] of document.matchAll(
      /^\| `(\w+)` +\| (supported|`NotImplemented`) +\| (\d+|–) +\|$/gm,
    )
  ) {
    operations.set(name, status === SUPPORTED ? "supported" : "not implemented");
    if (checks !== "–") asked.add(name);
  }
  const row = /^\| all +\| (\d+) +\| (\d+) +\| (\d+) +\|$/m.exec(document);
  return { totals: (row ?? []).slice(1).map(Number), operations, asked };
}

/** Returns the document without its versions and padding, which differ between machines. */
export function withoutVersions(document: string): string {
  return document.replace(/^Versions: [^]*?\n\n/m, "").replaceAll(/\s+/g, " ")
    .replaceAll(/-{3,}/g, "---");
}
