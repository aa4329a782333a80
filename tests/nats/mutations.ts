/**
 * Seeded mutations of records: what broken, hostile or newer programs might write.
 * @module
 */

/** Returns whole numbers below a limit, the same ones for each seed. */
export type Random = (limit: number) => number;

/** Creates a generator of random numbers. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

/** Texts that break things: in headers, subjects, JSON, numbers, XML and memory. */
const ODD_TEXTS = [
  "",
  " ",
  "a\nb",
  "a\u0000b",
  '"',
  "\\",
  "é☃",
  "\ud800",
  "*",
  ">",
  ".",
  "..",
  "__proto__",
  "constructor",
  "-1",
  "1e309",
  "NaN",
  "1*zzzz",
  "1*zzzzzz,1",
  "9007199254740993",
  "9".repeat(40),
  "1,".repeat(20_000) + "1",
  "k".repeat(10_000),
  "-".repeat(70),
];

/** JSON values that a field does not expect. */
const ODD_VALUES: readonly unknown[] = [
  ...ODD_TEXTS,
  null,
  true,
  false,
  0,
  -1,
  0.5,
  1e308,
  2 ** 53,
  2 ** 60,
  [],
  {},
  [[[[]]]],
  { "": {} },
  ["x", 1],
  { key: "x" },
];

/** Returns one element. */
export function oneOf<T>(random: Random, elements: readonly T[]): T {
  return elements[random(elements.length)] as T;
}

/** Changes bytes of a text: cuts, doubles, swaps, inserts and replaces. The result need not be UTF-8. */
export function mutateText(random: Random, text: string): Uint8Array<ArrayBuffer> {
  let bytes = [...new TextEncoder().encode(text)];
  for (let n = random(3); n >= 0; n--) {
    const at = random(bytes.length + 1);
    const length = random(Math.min(16, bytes.length - at + 1));
    switch (random(6)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes.splice(at, length);
        break;
      case 2:
        bytes.splice(at, 0, ...bytes.slice(at, at + length));
        break;
      case 3:
        bytes[at] = random(256);
        break;
      case 4:
        bytes.splice(at, 0, ...new TextEncoder().encode(oneOf(random, ODD_TEXTS).slice(0, 100)));
        break;
      default:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << random(8));
    }
  }
  return Uint8Array.from(bytes);
}

/** Changes fields of a JSON text, at any depth. A text that is not JSON is changed as a text. */
export function mutateJson(random: Random, text: string): Uint8Array<ArrayBuffer> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return mutateText(random, text);
  }
  for (let n = random(2); n >= 0; n--) json = mutateValue(random, json);
  return new TextEncoder().encode(JSON.stringify(json) ?? "");
}

function mutateValue(random: Random, value: unknown): unknown {
  const isBranch = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  if (!isBranch || random(12) === 0) {
    if (typeof value === "string" && random(3) === 0) {
      return new TextDecoder().decode(mutateText(random, value));
    }
    return oneOf(random, ODD_VALUES);
  }
  const fields: [string, unknown][] = Object.entries(value);
  const at = random(fields.length);
  const [name, content] = fields[at] as [string, unknown];
  switch (random(8)) {
    case 0:
      fields.splice(at, 1);
      break;
    case 1:
      fields[at] = [oneOf(random, ODD_TEXTS).slice(0, 100), content];
      break;
    case 2:
      fields[at] = [name, oneOf(random, fields)[1]];
      break;
    default:
      fields[at] = [name, mutateValue(random, content)];
  }
  return Array.isArray(value) ? fields.map(([, one]) => one) : Object.fromEntries(fields);
}

/** Changes a record in one way or the other. */
export function mutate(random: Random, text: string): Uint8Array<ArrayBuffer> {
  return random(3) === 0 ? mutateText(random, text) : mutateJson(random, text);
}

// deno-lint-ignore no-control-regex
const UNPUBLISHABLE = /[\u0000-\u0020\u007f*>\ud800-\udfff]/g;

/** Changes the tokens of a subject behind its first few. The result can be published. */
export function mutateSubject(random: Random, subject: string, kept: number): string {
  const tokens = subject.split(".");
  const odd = [...ODD_TEXTS, "A".repeat(22), "0", "10001", "9".repeat(15), "_", "="];
  for (let n = random(2); n >= 0; n--) {
    const at = kept + random(tokens.length - kept + 1);
    const token = tokens[at] ?? "";
    switch (random(5)) {
      case 0:
        tokens.splice(at, 1);
        break;
      case 1:
        tokens.splice(at, 0, token || "x");
        break;
      case 2:
        tokens[at] = oneOf(random, odd).slice(0, 300);
        break;
      default:
        tokens[at] = new TextDecoder().decode(mutateText(random, token));
    }
  }
  const clean = tokens.map((token) => token.replaceAll(UNPUBLISHABLE, ""));
  return clean.filter((token) => token !== "").join(".").slice(0, 2000).replace(/\.$/, "");
}
