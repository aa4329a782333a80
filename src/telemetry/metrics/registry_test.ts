import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { parseExposition, problemsOf, valueOf } from "../../../tests/process/exposition.ts";
import { Metrics } from "./registry.ts";

Deno.test("Metrics escapes labels and help", () => {
  const metrics = new Metrics();
  const label = 'a "quoted" \\ and\na new line {b="c"}';
  metrics.counter("a_total", "First\nsecond \\ third.", ["a", "b"]).add([label, "x"]);
  const text = metrics.render();
  match(text, /^# HELP a_total First\\nsecond \\\\ third\.\n/);
  deepStrictEqual(parseExposition(text), [
    { name: "a_total", labels: { a: label, b: "x" }, value: 1 },
  ]);
});

Deno.test("Metrics counts each set of labels separately", () => {
  const metrics = new Metrics();
  const counter = metrics.counter("a_total", "A.", ["a", "b"]);
  counter.add(["x", "y"]);
  counter.add(["x", "y"], 2);
  counter.add(["y", "x"], 0.5);
  deepStrictEqual(parseExposition(metrics.render()).map(({ value }) => value), [3, 0.5]);
});

Deno.test("Metrics renders a counter without labels before it has counted, but not one with labels", () => {
  const metrics = new Metrics();
  metrics.counter("a_total", "A.");
  metrics.counter("b_total", "B.", ["b"]);
  deepStrictEqual(parseExposition(metrics.render()), [{ name: "a_total", labels: {}, value: 0 }]);
});

Deno.test("Metrics renders histograms cumulatively, with a value at a bound in its bucket", () => {
  const metrics = new Metrics();
  const histogram = metrics.histogram("a_seconds", "A.", ["a"], [0, 1, 2.5]);
  for (const value of [0, 0.5, 1, 2.5, 2.6, 100]) histogram.observe(["x"], value);
  histogram.observe(["y"], 1);
  const text = metrics.render();
  deepStrictEqual(problemsOf(text), []);
  const buckets = parseExposition(text).filter(({ labels }) => labels["a"] === "x");
  deepStrictEqual(buckets.map(({ name, labels, value }) => [name, labels["le"], value]), [
    ["a_seconds_bucket", "0", 1],
    ["a_seconds_bucket", "1", 3],
    ["a_seconds_bucket", "2.5", 4],
    ["a_seconds_bucket", "+Inf", 6],
    ["a_seconds_sum", undefined, 106.6],
    ["a_seconds_count", undefined, 6],
  ]);
  strictEqual(valueOf(text, "a_seconds_count", { a: "y" }), 1);
});

Deno.test("Metrics omits values that are not known when it reads them", () => {
  const metrics = new Metrics();
  let value = NaN;
  metrics.gauge("a_bytes", "A.", [], () => value);
  metrics.gauge("b_bytes", "B.", ["b"], () => [[["x"], 1], [["y"], NaN]]);
  deepStrictEqual(parseExposition(metrics.render()).map(({ name }) => name), ["b_bytes"]);
  value = 1e21;
  deepStrictEqual(parseExposition(metrics.render())[0]?.value, 1e21);
});

Deno.test("Metrics rejects two metrics with the same name", () => {
  const metrics = new Metrics();
  metrics.counter("a_total", "A.");
  throws(() => metrics.gauge("a_total", "A.", [], () => 1), /two metrics with the name "a_total"/);
});

Deno.test("problemsOf() finds problems that promtool does not find", () => {
  const histogram = "# TYPE a histogram\n";
  for (
    const [text, problem] of [
      ["# TYPE a gauge\na 1\na 2\n", /twice/],
      ["a 1\n", /no type/],
      [`${histogram}a_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n`, /decrease/],
      [`${histogram}a_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n`, /does not end/],
      [`${histogram}a_bucket{le="1"} 1\na_sum 1\na_count 1\n`, /does not end/],
      [`${histogram}a_bucket{le="+Inf"} 1\na_count 1\n`, /no sum/],
    ] as const
  ) {
    const problems = problemsOf(text);
    ok(problems.some((found) => problem.test(found)), `${problem}: ${problems}`);
  }
});
