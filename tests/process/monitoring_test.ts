/**
 * The dashboard and the alert rules: they use metrics and labels that exist, and each alert can fire.
 * @module
 */

import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { describeMetrics } from "../../scripts/metrics_table.ts";
import { findPromtool } from "../../scripts/promtool.ts";

const DEPLOY = `${import.meta.dirname}/../../deploy`;
const RULES = `${DEPLOY}/prometheus/alerts.yml`;
const RULE_TESTS = `${DEPLOY}/prometheus/alerts_test.yml`;
const DASHBOARD = `${DEPLOY}/grafana/nats-s3.json`;

const promtool = await findPromtool();

/** Labels that Prometheus adds. */
const ADDED = ["job", "instance"];
const WORDS = new Set(["and", "or", "unless", "bool", "offset", "inf", "nan"]);

/** The labels of each metric, by every name that a query may use. */
const KNOWN: ReadonlyMap<string, readonly string[]> = new Map([
  ["up", ADDED],
  ...describeMetrics().flatMap(({ name, kind, labels }): (readonly [string, readonly string[]])[] =>
    kind === "histogram"
      ? [
        [`${name}_bucket`, [...labels, "le", ...ADDED]],
        [`${name}_sum`, [...labels, ...ADDED]],
        [`${name}_count`, [...labels, ...ADDED]],
      ]
      : [[name, [...labels, ...ADDED]]]
  ),
]);

/** Returns the problems with the metrics and labels of a query. */
function problemsOf(query: string): readonly string[] {
  const problems: string[] = [];
  const bare = query.replaceAll(/"[^"]*"/g, '""');
  const labels = new Set<string>();
  // The names after "by" and similar words are labels of the result.
  const named = bare.replaceAll(
    /\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g,
    (_, _word, list) => {
      for (const label of list.split(",")) if (label.trim() !== "") labels.add(label.trim());
      return "";
    },
  );
  const metrics: string[] = [];
  const selectors = /([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?(\s*\()?/g;
  for (
    const [, name = "", matchers = "", call] of named.replaceAll(/\[[^\]]*\]/g, "").matchAll(
      selectors,
    )
  ) {
    if (call !== undefined || WORDS.has(name) || /^e\d/.test(name)) continue;
    const known = KNOWN.get(name);
    if (known === undefined) {
      problems.push(`there is no metric ${name}`);
      continue;
    }
    metrics.push(name);
    for (const [, label = ""] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) {
      if (!known.includes(label)) problems.push(`${name} has no label ${label}`);
    }
  }
  if (metrics.length === 0) problems.push("no metric is used");
  for (const label of labels) {
    const isThere = metrics.some((name) => KNOWN.get(name)?.includes(label));
    if (!isThere) problems.push(`none of ${metrics.join(", ")} has the label ${label}`);
  }
  return problems.map((problem) => `${problem}: ${query.trim()}`);
}

/** Returns the expressions of rules, on the line of `expr:` or below it. */
function expressionsOf(yaml: string): readonly string[] {
  return [...yaml.matchAll(/^( +)expr: (?:\|\n((?:\1 {2}.*\n)+)|(.+)\n)/gm)]
    .map(([, , block, line]) => block ?? line ?? "");
}

type Panel = {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
};

async function readPanels(): Promise<readonly Panel[]> {
  return JSON.parse(await Deno.readTextFile(DASHBOARD)).panels;
}

Deno.test("problemsOf() finds metrics and labels that do not exist", () => {
  for (
    const query of [
      "nats_s3_requests",
      "sum(rate(nats_s3_request_duration_seconds[5m]))",
      'nats_s3_requests_total{bucket="a"}',
      "sum by (bucket) (nats_s3_requests_total)",
      "sum by (method) (rate(nats_s3_requests_total[5m])) > 1e9",
      "vector(1)",
    ]
  ) notDeepStrictEqual(problemsOf(query), [], query);
  deepStrictEqual(
    problemsOf(
      'sum by (code, job) (rate(nats_s3_requests_total{status=~"5..", instance!="a b"}[5m])) > 3e9 or up',
    ),
    [],
  );
});

Deno.test("the alert rules use metrics and labels that exist", async () => {
  const rules = await Deno.readTextFile(RULES);
  const expressions = expressionsOf(rules);
  strictEqual(expressions.length, [...rules.matchAll(/- alert: /g)].length);
  ok(expressions.length > 10);
  deepStrictEqual(expressions.flatMap(problemsOf), []);
});

Deno.test("the texts of alerts name metrics and flags that exist", async () => {
  const rules = await Deno.readTextFile(RULES);
  const names = [...rules.matchAll(/\bnats_s3_\w+/g)].map(([name]) => name);
  const families = new Set(describeMetrics().map(({ name }) => name));
  deepStrictEqual(names.filter((name) => !families.has(name) && !KNOWN.has(name)), []);
  const { SETTINGS } = await import("../../src/config/settings.ts");
  const flags = new Set<string>(Object.values(SETTINGS).map(({ flag }) => flag));
  const used = [...rules.matchAll(/--([a-z][\w-]*(?:\.[\w-]+)*)/g)].map(([, flag = ""]) => flag)
    .filter((flag) => !["v8-flags", "max-old-space-size"].includes(flag));
  deepStrictEqual(used.filter((flag) => !flags.has(flag)), []);
});

Deno.test("every alert has a severity, a summary, a description and a test in which it fires", async () => {
  const [rules, tests] = await Promise.all(
    [RULES, RULE_TESTS].map((path) => Deno.readTextFile(path)),
  );
  const alerts = (rules ?? "").split("- alert: ").slice(1);
  const names = alerts.map((alert) => alert.slice(0, alert.indexOf("\n")));
  strictEqual(new Set(names).size, names.length);
  for (const alert of alerts) {
    for (const part of [/severity: (warning|critical)/, /summary: "/, /description: ["']/]) {
      ok(part.test(alert), alert);
    }
  }
  const fired = [...(tests ?? "").matchAll(/alertname: (\w+)\n +exp_alerts:\n/g)].map(([, name]) =>
    name
  );
  deepStrictEqual(new Set(fired), new Set(names));
});

Deno.test({
  name: "promtool accepts the alert rules, and each fires where it should",
  ignore: promtool === undefined,
  async fn() {
    const check = await promtool?.(["check", "rules", "--lint=all", "--lint-fatal", RULES]);
    strictEqual(check?.code, 0, check?.output);
    const test = await promtool?.(["test", "rules", RULE_TESTS]);
    strictEqual(test?.code, 0, test?.output);
  },
});

Deno.test("the dashboard uses metrics and labels that exist", async () => {
  const panels = await readPanels();
  const targets = panels.flatMap(({ targets = [] }) => targets);
  ok(targets.length > 30);
  deepStrictEqual(targets.flatMap(({ expr }) => problemsOf(expr)), []);
  for (const { expr, legendFormat = "" } of targets) {
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    for (const label of shown) {
      ok(
        new RegExp(`\\bby \\([^)]*\\b${label}\\b`).test(expr) || !/\bby\b|\bsum\(/.test(expr),
        `${legendFormat}: ${expr}`,
      );
    }
  }
});

Deno.test("the dashboard shows every metric of the gateway", async () => {
  const panels = await readPanels();
  const text = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join("\n");
  const missing = describeMetrics().map(({ name }) => name)
    .filter((name) => !new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b`).test(text))
    // Only alerts use this one.
    .filter((name) => name !== "nats_s3_heap_limit_bytes");
  deepStrictEqual(missing, []);
});

Deno.test("no panel of the dashboard hides another", async () => {
  const panels = await readPanels();
  strictEqual(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const [i, a] of panels.entries()) {
    ok(a.gridPos.x + a.gridPos.w <= 24, a.title);
    for (const b of panels.slice(i + 1)) {
      const isApart = a.gridPos.x + a.gridPos.w <= b.gridPos.x ||
        b.gridPos.x + b.gridPos.w <= a.gridPos.x ||
        a.gridPos.y + a.gridPos.h <= b.gridPos.y || b.gridPos.y + b.gridPos.h <= a.gridPos.y;
      ok(isApart, `${a.title} and ${b.title}`);
    }
  }
});
