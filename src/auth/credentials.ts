/**
 * Whose signatures are accepted.
 * @module
 */

/** The secrets that signatures are checked with. */
export interface Credentials {
  /** The secret access keys that are valid now for this access key id (two during a rotation); empty when unknown. */
  secretsOf(accessKeyId: string): readonly string[];
}

/** Most secrets that one access key id has at a time: the old one and the new one. */
const MAX_SECRETS = 2;

/** Credentials of one pair. */
export function createCredentials(accessKeyId: string, secretAccessKey: string): Credentials {
  return fromPairs([[accessKeyId, secretAccessKey]]);
}

/**
 * Credentials of a JSON document. An access key that is named twice has two valid secrets.
 *
 * @example Usage
 * ```ts
 * import { parseCredentials } from "./credentials.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const credentials = parseCredentials('{"credentials":[{"accessKey":"alice","secretKey":"s3cret"}]}');
 * deepStrictEqual(credentials.secretsOf("alice"), ["s3cret"]);
 * deepStrictEqual(credentials.secretsOf("bob"), []);
 * ```
 *
 * @throws SyntaxError if it is not JSON; the message never quotes the document, which holds secrets
 * @throws TypeError if it has another shape, or names no one
 */
export function parseCredentials(json: string): Credentials {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    // Not passed on as the cause: the runtime's message quotes the text around the mistake.
    throw new SyntaxError("Cannot parse credentials: the document is not valid JSON");
  }
  const entries = field(document, "credentials");
  if (!Array.isArray(entries)) {
    throw new TypeError('Cannot parse credentials: "credentials" is not a list');
  }
  if (entries.length === 0) throw new TypeError("Cannot parse credentials: the list is empty");
  return fromPairs(
    entries.map((entry, i) => [name(entry, "accessKey", i), name(entry, "secretKey", i)]),
  );
}

function fromPairs(pairs: readonly (readonly [string, string])[]): Credentials {
  const secrets = new Map<string, string[]>();
  for (const [accessKeyId, secret] of pairs) {
    const known = secrets.get(accessKeyId) ?? [];
    if (known.length === MAX_SECRETS) {
      throw new TypeError(
        `Cannot parse credentials: access key "${accessKeyId}" has more than ${MAX_SECRETS} secrets`,
      );
    }
    secrets.set(accessKeyId, [...known, secret]);
  }
  return { secretsOf: (accessKeyId) => secrets.get(accessKeyId) ?? [] };
}

function name(entry: unknown, key: string, index: number): string {
  const value = field(entry, key);
  if (typeof value !== "string" || value === "") {
    throw new TypeError(
      `Cannot parse credentials: "${key}" of entry ${index + 1} is not a non-empty string`,
    );
  }
  return value;
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
