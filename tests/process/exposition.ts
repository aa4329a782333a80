/**
 * Reads Prometheus' text format, and finds problems that promtool ignores.
 * @module
 */

/** One line with a value. */
export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/gy;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n" };

/**
 * Parses the samples of a text.
 *
 * @throws Error with the first line that cannot be read
 */
export function parseExposition(text: string): readonly Sample[] {
  if (!text.endsWith("\n")) throw new Error("The text does not end with a new line");
  return text.slice(0, -1).split("\n").filter((line) => !line.startsWith("# ")).map((line) => {
    const [, name = "", labelsText = "", value = ""] = LINE.exec(line) ?? [];
    const pairs = [...labelsText.matchAll(LABEL)];
    const isWhole = pairs.map(([pair]) => pair).join("") === labelsText;
    if (name === "" || !isWhole || !/^(NaN|[-+]?Inf|[-+]?[\d.]+(e[-+]?\d+)?)$/i.test(value)) {
      throw new Error(`Cannot read "${line}"`);
    }
    const labels = pairs.map(([, label = "", escaped = ""]) =>
      [label, escaped.replace(/\\(.)/g, (_, char) => ESCAPES[char] ?? char)] as const
    );
    return {
      name,
      labels: Object.fromEntries(labels),
      value: Number(value.replace("Inf", "Infinity")),
    };
  });
}

/** Finds duplicate series, samples without a type, and histograms whose buckets decrease or do not add up. */
export function problemsOf(text: string): readonly string[] {
  const samples = parseExposition(text);
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]),
  );
  const problems: string[] = [];
  const seen = new Map<string, number>();
  const histograms = new Map<string, Sample[]>();
  for (const sample of samples) {
    const series = seriesOf(sample);
    if (seen.has(series)) problems.push(`${series} occurs twice`);
    seen.set(series, sample.value);
    const family = sample.name.replace(/_(bucket|sum|count)$/, "");
    if (!types.has(sample.name) && types.get(family) !== "histogram") {
      problems.push(`${sample.name} has no type`);
    }
    if (sample.name.endsWith("_bucket")) {
      const { le: _, ...labels } = sample.labels;
      const of = seriesOf({ name: family, labels });
      histograms.set(of, [...histograms.get(of) ?? [], sample]);
    }
  }
  for (const [of, buckets] of histograms) {
    const bounds = buckets.map(({ labels }) =>
      Number((labels["le"] ?? "").replace("Inf", "Infinity"))
    );
    const counts = buckets.map(({ value }) => value);
    if (bounds.some((bound, i) => !(bound > (bounds[i - 1] ?? -Infinity)))) {
      problems.push(`${of} has bounds that do not increase: ${bounds}`);
    }
    if (counts.some((count, i) => count < (counts[i - 1] ?? 0))) {
      problems.push(`${of} has buckets that decrease: ${counts}`);
    }
    const total = seen.get(of.replace(/(\{|$)/, "_count$1"));
    if (bounds.at(-1) !== Infinity || counts.at(-1) !== total) {
      problems.push(`${of} does not end with the total ${total}`);
    }
    if (!seen.has(of.replace(/(\{|$)/, "_sum$1"))) problems.push(`${of} has no sum`);
  }
  return problems;
}

/** Returns the value of a series; undefined if there is none with these labels. */
export function valueOf(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return parseExposition(text).find((sample) =>
    sample.name === name &&
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  )?.value;
}

function seriesOf({ name, labels }: Pick<Sample, "name" | "labels">): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1);
  return pairs.length === 0
    ? name
    : `${name}{${pairs.map(([k, v]) => `${k}=${JSON.stringify(v)}`)}}`;
}
