/**
 * What a check of aws-cli is, and what it is given.
 * @module
 */

import { deepStrictEqual, match, ok } from "node:assert/strict";

/** Output of a command. */
export type Answer = {
  readonly text: string;
  /** @throws SyntaxError when the output is no JSON */
  readonly json: unknown;
};

/**
 * Runs `aws` with these words. `BUCKET` stands for the check's bucket; what is put in is never split, and a list is as
 * many words.
 *
 * @throws Error when it ends otherwise than expected
 */
export type Run = (
  words: TemplateStringsArray,
  ...values: readonly (string | number | readonly string[])[]
) => Promise<Answer>;

/** What a check is given: nothing of it is another check's. */
export type Given = {
  /** It exists, and is emptied and deleted afterwards. */
  readonly bucket: string;
  /** The folder that commands run in. In it are `hello`, `digits`, `five-mib` and `twelve-mib`. */
  readonly folder: string;
  /** A command that must succeed, and complain of nothing. */
  readonly aws: Run;
  /** The same with a file of the folder as its input. */
  readonly awsFrom: (file: string) => Run;
  /** A command that must be refused by the gateway with this code and this status. */
  readonly refused: (code: string, status: number) => Run;
  /** Puts an object; by default that of the file `hello`. */
  readonly put: (key: string, file?: string) => Promise<Answer>;
  /** Writes files below the folder and copies them to the bucket, under their paths. */
  readonly tree: (...paths: readonly string[]) => Promise<void>;
  /** Reads a file of the folder. */
  readonly read: (file: string) => Promise<string>;
  readonly write: (file: string, text: string) => Promise<void>;
  /** Begins a multipart upload of a key; its id. */
  readonly begin: (key: string) => Promise<string>;
  /** Uploads a file as a part; its ETag. */
  readonly part: (key: string, id: string, number: number, file: string) => Promise<string>;
};

/** Throws unless the gateway does as its name says. */
export type Check = (given: Given) => Promise<void>;

/** Checks by name. */
export type Checks = Readonly<Record<string, Check>>;

/**
 * Fails unless a value has what is expected: fields of objects, elements of arrays, texts that match. `undefined`
 * expects a field to be missing.
 */
export function shows(actual: unknown, expected: unknown, path = ""): void {
  if (expected instanceof RegExp) {
    match(String(actual), expected, path);
  } else if (Array.isArray(expected)) {
    ok(Array.isArray(actual), `${path} is no list: ${JSON.stringify(actual)}`);
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

/** A field of an answer that must be a text. */
export function textOf({ json }: Answer, field: string): string {
  const value = (json as Record<string, unknown> | null)?.[field];
  ok(typeof value === "string", `${field} is ${JSON.stringify(value)}`);
  return value;
}
