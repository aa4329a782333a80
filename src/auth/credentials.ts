/**
 * The access keys whose signatures are accepted.
 * @module
 */

/** The secrets against which signatures are checked. */
export interface Credentials {
  /** Returns the valid secret access keys of this access key id: two during a rotation, none if it is unknown. */
  secretsOf(accessKeyId: string): readonly string[];
}

/** Maximum number of secrets of one access key id at a time: the old one and the new one. */
const MAX_SECRETS = 2;

/** Creates credentials of one pair. */
export function createCredentials(accessKeyId: string, secretAccessKey: string): Credentials {
  return fromPairs([[accessKeyId, secretAccessKey]]);
}

/**
 * Parses a JSON document of credentials. An access key that is named twice has two valid secrets.
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
 * @throws SyntaxError for text that is not JSON; the message never quotes the document, which holds secrets
 * @throws TypeError for another shape, or an empty list
 */
export function parseCredentials(json: string): Credentials {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    // Without the cause, because the runtime's message quotes the text around the mistake.
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
