/**
 * `deno task docs`: writes the tables that come from the code into the documents, each between its markers
 * `<!-- begin name -->` and `<!-- end name -->`. A test fails if a table is out of date.
 * @module
 */

import benchmark from "../docs/benchmark.json" with { type: "json" };
import { formatSettingsTable } from "../src/config/help.ts";
import { IAM_GROUPS } from "../src/operations/iam/table.ts";
import type { Operation } from "../src/operations/operation.ts";
import { CONTROL_OPERATIONS, SUPPORTED, UNSUPPORTED } from "../src/operations/table.ts";
import { TAGS_PATH } from "../src/s3/resource_arn.ts";
import { formatTable, type Kept } from "./bench_report.ts";
import { formatMetricsTable } from "./metrics_table.ts";
import { formatConditionKeys, formatPolicyActions } from "./policy_tables.ts";

const ROOT = `${import.meta.dirname}/..`;

/** The tables by document and by the name of their markers. */
export const TABLES: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "README.md": { operations: formatOperations },
  "docs/configuration.md": { settings: formatSettingsTable },
  "docs/iam.md": { actions: formatActions },
  "docs/limits.md": { unsupported: formatUnsupported },
  "docs/metrics.md": { metrics: formatMetricsTable },
  "docs/policies.md": { actions: formatPolicyActions, keys: formatConditionKeys },
  "docs/performance.md": { figures: formatFigures },
};

/** Returns the table of supported operations. */
function formatOperations(): string {
  return [
    "| Operation | Request |",
    "| --- | --- |",
    ...[...SUPPORTED, ...CONTROL_OPERATIONS].toSorted((a, b) => a.name < b.name ? -1 : 1).map((
      operation,
    ) => `| \`${operation.name}\` | \`${formatRoute(operation)}\` |`),
  ].join("\n");
}

/** Returns the list of the actions of IAM. */
function formatActions(): string {
  return Object.entries(IAM_GROUPS).map(([about, actions]) =>
    `- ${about}: ${actions.map(({ name }) => `\`${name}\``).sort().join(", ")}.`
  ).join("\n");
}

/** Returns the list of unsupported operations. */
function formatUnsupported(): string {
  const names = UNSUPPORTED.map(({ name }) => `\`${name}\``).sort();
  return `The gateway responds with \`NotImplemented\` to ${names.join(", ")}.`;
}

/** Returns the results of one gateway in the stored benchmark. */
function formatFigures(): string {
  const { rows, about } = (benchmark as unknown as Kept)["1"] ?? { rows: [], about: [] };
  const own = rows.filter(({ by }) => by === "gateway");
  const number = (value: number, digits = 3): string =>
    Number(value.toPrecision(digits)).toLocaleString("en");
  const table = formatTable(
    ["Load", "Rate", "p50 ms", "p99 ms"],
    own.map(({ name, unit, rate, p50, p99 }) => [
      name,
      `${number(rate.median)} ${unit}`,
      number(p50.median),
      number(p99.median),
    ]),
  );
  return [table, "", `${about[1]}; ${about[2]}; ${about[4]}.`].join("\n");
}

const PATHS = {
  service: "/",
  account: "/v20180820/",
  bucket: "/{bucket}",
  object: "/{bucket}/{key}",
} as const;

function formatRoute({ method, on, path, query = [], headers = [] }: Operation): string {
  const search = query.length === 0 ? "" : `?${query.join("&")}`;
  const sent = headers.length === 0 ? "" : ` with ${headers.join(", ")}`;
  const rest = path === undefined ? "" : path === TAGS_PATH ? `${path}/{arn}` : path;
  return `${method} ${PATHS[on]}${rest}${search}${sent}`;
}

/**
 * Replaces the text between two markers.
 *
 * @throws Error if a marker is missing
 *
 * @example Usage
 * ```ts
 * import { replaceBetween } from "./docs.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(
 *   replaceBetween("a\n<!-- begin x -->\nold\n<!-- end x -->\n", "x", "new"),
 *   "a\n<!-- begin x -->\n\nnew\n\n<!-- end x -->\n",
 * );
 * ```
 */
export function replaceBetween(text: string, name: string, content: string): string {
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(`Cannot write table "${name}": the text lacks "${begin}" or "${end}"`);
  }
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

/** Returns a document's text with every table brought up to date. */
export function writeTables(document: string, text: string): string {
  return Object.entries(TABLES[document] ?? {}).reduce(
    (text, [name, format]) => replaceBetween(text, name, format()),
    text,
  );
}

if (import.meta.main) {
  for (const document of Object.keys(TABLES)) {
    const path = `${ROOT}/${document}`;
    await Deno.writeTextFile(path, writeTables(document, await Deno.readTextFile(path)));
  }
}
