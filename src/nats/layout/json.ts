/**
 * JSON that a native client may have written.
 * @module
 */

const decoder = new TextDecoder();

/** Returns the value of a JSON text; undefined if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the object of a JSON text; undefined if it is not the JSON of an object. */
export function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  const json = parseJson(text);
  return isRecord(json) ? json : undefined;
}

/** Returns the text of a message. Bytes that are not UTF-8 are replaced. */
export function decodeText(data: Uint8Array): string {
  return decoder.decode(data);
}

/** Returns whether a value is an object of JSON. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns whether a value is an object of JSON whose fields are all texts. */
export function isTextRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
}

/**
 * Returns a text field of a text that should be JSON but is damaged: the first value behind the field's name, at any
 * depth. It reads the text once.
 *
 * @returns "" if the field has no text value; undefined if the text does not contain the field
 *
 * @example Usage
 * ```ts
 * import { fieldInText } from "./json.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(fieldInText('{"nuid": "abc", "size": 1', "nuid"), "abc");
 * strictEqual(fieldInText('{"nuid": 7', "nuid"), "");
 * strictEqual(fieldInText('{"size": 1', "nuid"), undefined);
 * ```
 */
export function fieldInText(text: string, name: string): string | undefined {
  const quoted = `"${name}"`;
  const at = text.indexOf(quoted);
  if (at === -1) return undefined;
  const rest = text.slice(at + quoted.length, at + quoted.length + MAX_FIELD).trimStart();
  if (!rest.startsWith(":")) return "";
  const value = rest.slice(1).trimStart();
  const end = value.indexOf('"', 1);
  return value.startsWith('"') && end !== -1 ? value.slice(1, end) : "";
}

/** Most characters in which a field's value is looked for. */
const MAX_FIELD = 1024;
