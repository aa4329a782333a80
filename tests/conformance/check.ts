/**
 * The type of an aws-cli check, and its arguments.
 * @module
 */

import { deepStrictEqual, match, ok } from "node:assert/strict";

/** Output of a command. */
export type Output = {
  readonly text: string;
  /** @throws SyntaxError when the output is not JSON */
  readonly json: unknown;
};

/**
 * Runs `aws` with the words of a template. `BUCKET` stands for the check's bucket. An inserted value is never split,
 * and an inserted list adds one word per element.
 *
 * @throws Error when the command does not end as expected
 */
export type Run = (
  words: TemplateStringsArray,
  ...values: readonly (string | number | readonly string[])[]
) => Promise<Output>;

/** The arguments of a check; no other check uses the same ones. */
export type Given = {
  /** A bucket that exists, and is emptied and deleted afterwards. */
  readonly bucket: string;
  /** The folder in which commands run. It contains `hello`, `digits`, `five-mib` and `twelve-mib`. */
  readonly folder: string;
  /** Runs a command that must succeed without warnings. */
  readonly aws: Run;
  /** Like {@linkcode aws}, with a file of the folder as standard input. */
  readonly awsFrom: (file: string) => Run;
  /** Runs a command that the gateway must refuse with this code and this status. */
  readonly refused: (code: string, status: number) => Run;
  /** Puts an object, by default with the content of `hello`. */
  readonly put: (key: string, file?: string) => Promise<Output>;
  /** Writes files to a folder and copies them to the bucket under their paths. */
  readonly tree: (...paths: readonly string[]) => Promise<void>;
  /** Reads a file of the folder. */
  readonly read: (file: string) => Promise<string>;
  readonly write: (file: string, text: string) => Promise<void>;
  /** Begins a multipart upload of a key; returns the upload id. */
  readonly begin: (key: string) => Promise<string>;
  /** Uploads a file as a part; returns its ETag. */
  readonly part: (key: string, id: string, number: number, file: string) => Promise<string>;
};

/** Throws unless the gateway behaves as the name of the check says. */
export type Check = (given: Given) => Promise<void>;

/** Checks by name. */
export type Checks = Readonly<Record<string, Check>>;

/**
 * Throws unless a value matches: the listed fields of objects, all elements of arrays, texts that match a pattern.
 * `undefined` expects a field to be missing.
 */
export function shows(actual: unknown, expected: unknown, path = ""): void {
  if (expected instanceof RegExp) {
    match(String(actual), expected, path);
  } else if (Array.isArray(expected)) {
    ok(Array.isArray(actual), `${path} is not a list: ${JSON.stringify(actual)}`);
    deepStrictEqual(actual.length, expected.length, `length of ${path}: ${JSON.stringify(actual)}`);
    for (const [i, element] of expected.entries()) shows(actual[i], element, `${path}[${i}]`);
  } else if (typeof expected === "object" && expected !== null) {
    ok(typeof actual === "object" && actual !== null, `${path} is missing`);
    for (const [name, value] of Object.entries(expected)) {
      shows((actual as Record<string, unknown>)[name], value, `${path}.${name}`);
    }
  } else {
    deepStrictEqual(actual, expected, `${path} is ${JSON.stringify(actual)}`);
  }
}

/** Returns a field of an output, which must be a text. */
export function textOf({ json }: Output, field: string): string {
  const value = (json as Record<string, unknown> | null)?.[field];
  ok(typeof value === "string", `${field} is ${JSON.stringify(value)}`);
  return value;
}
