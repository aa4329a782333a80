/**
 * Metrics in Prometheus' text format: counters, gauges and histograms, rendered on demand.
 * See https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * Counting during a request costs one map entry. Values that can be read at any time are read when metrics are rendered.
 * Labels come from closed sets, never from a client's text, so that clients cannot increase the number of series.
 * @module
 */

/** The values of a metric's labels, in the order of their names. */
export type LabelValues = readonly string[];

/** A description of a metric, for documents. */
export type Described = {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
};

/** A counter. `add` increases it. */
export type Counter = { readonly add: (labels: LabelValues, count?: number) => void };
/** A histogram. `observe` records a measured value. */
export type Histogram = { readonly observe: (labels: LabelValues, value: number) => void };
/** A function that returns the current values, called when metrics are rendered. */
export type Read = () => Iterable<readonly [labels: LabelValues, value: number]> | number;

type Metric = Described & { readonly lines: () => string };

/**
 * The metrics of a process.
 *
 * @example Usage
 * ```ts
 * import { Metrics } from "./registry.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const metrics = new Metrics();
 * const jobs = metrics.counter("jobs_total", "Jobs that ended.", ["result"]);
 * jobs.add(["good"]);
 * metrics.gauge("queue_jobs", "Jobs that wait.", [], () => 3);
 * const lines = metrics.render().split("\n").filter((line) => !line.startsWith("#"));
 * strictEqual(lines.join("\n"), 'jobs_total{result="good"} 1\nqueue_jobs 3\n');
 * ```
 */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  /** All metrics, in the order in which they were added. */
  get described(): readonly Described[] {
    return [...this.#metrics.values()].map(({ name, kind, help, labels }) => {
      return { name, kind, help, labels };
    });
  }

  /** Adds a counter, whose name ends in `_total`. A counter without labels is rendered before it has counted anything. */
  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    const counts = new Map<string, number>();
    const prefix = prefixOf(name, labels);
    if (labels.length === 0) counts.set(prefix([]), 0);
    this.#add({
      name,
      kind: "counter",
      help,
      labels,
      lines: () => [...counts].map(([series, count]) => `${series} ${count}\n`).join(""),
    });
    const series = seriesOf(prefix);
    return {
      add(values, count = 1) {
        const key = series(values);
        counts.set(key, (counts.get(key) ?? 0) + count);
      },
    };
  }

  /** Adds a counter whose value is kept elsewhere. */
  readCounter(name: string, help: string, labels: readonly string[], read: Read): void {
    this.#add({ name, kind: "counter", help, labels, lines: readLines(name, labels, read) });
  }

  /** Adds a value that goes up and down. */
  gauge(name: string, help: string, labels: readonly string[], read: Read): void {
    this.#add({ name, kind: "gauge", help, labels, lines: readLines(name, labels, read) });
  }

  /**
   * Adds a histogram.
   *
   * @param bounds Ascending. A value that equals a bound belongs to its bucket.
   */
  histogram(
    name: string,
    help: string,
    labels: readonly string[],
    bounds: readonly number[],
  ): Histogram {
    const prefix = prefixOf(`${name}_bucket`, [...labels, "le"]);
    const shown = bounds.map((bound) => String(bound));
    const kept = new Map<string, { values: LabelValues; counts: Float64Array; sum: number }>();
    const sumOf = prefixOf(`${name}_sum`, labels);
    const countOf = prefixOf(`${name}_count`, labels);
    this.#add({
      name,
      kind: "histogram",
      help,
      labels,
      lines() {
        let text = "";
        for (const { values, counts, sum } of kept.values()) {
          let total = 0;
          for (const [i, count] of counts.entries()) {
            total += count;
            text += `${prefix([...values, shown[i] ?? "+Inf"])} ${total}\n`;
          }
          text += `${sumOf(values)} ${sum}\n${countOf(values)} ${total}\n`;
        }
        return text;
      },
    });
    return {
      observe(values, value) {
        const key = values.length === 1 ? values[0] ?? "" : values.join("\0");
        let series = kept.get(key);
        if (series === undefined) {
          series = { values, counts: new Float64Array(bounds.length + 1), sum: 0 };
          kept.set(key, series);
        }
        let bucket = 0;
        while (value > (bounds[bucket] ?? Infinity)) bucket++;
        series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
        series.sum += value;
      },
    };
  }

  /** Returns all metrics in Prometheus' format. */
  render(): string {
    let text = "";
    for (const { name, help, kind, lines } of this.#metrics.values()) {
      text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n${lines()}`;
    }
    return text;
  }

  #add(metric: Metric): void {
    if (this.#metrics.has(metric.name)) {
      throw new TypeError(`There are two metrics with the name "${metric.name}"`);
    }
    this.#metrics.set(metric.name, metric);
  }
}

function readLines(name: string, labels: readonly string[], read: Read): () => string {
  const prefix = prefixOf(name, labels);
  return () => {
    const value = read();
    const rows = typeof value === "number" ? [[[], value] as const] : [...value];
    return rows.filter(([, value]) => !Number.isNaN(value))
      .map(([values, value]) => `${prefix(values)} ${value}\n`).join("");
  };
}

/** Formats the name and labels of a series, once for each set of values. */
function seriesOf(prefix: (values: LabelValues) => string): (values: LabelValues) => string {
  const known = new Map<string, string>();
  return (values) => {
    const key = values.length === 1 ? values[0] ?? "" : values.join("\0");
    let series = known.get(key);
    if (series === undefined) known.set(key, series = prefix(values));
    return series;
  };
}

function prefixOf(name: string, labels: readonly string[]): (values: LabelValues) => string {
  return (values) => {
    if (labels.length === 0) return name;
    const pairs = labels.map((label, i) => `${label}="${escapeLabel(values[i] ?? "")}"`);
    return `${name}{${pairs.join(",")}}`;
  };
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
