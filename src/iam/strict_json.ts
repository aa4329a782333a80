/**
 * JSON of policies, which is read strictly: a member that stands twice would have two meanings, and a deep document would
 * cost more than its size.
 * See https://www.rfc-editor.org/rfc/rfc8259#section-4
 * @module
 */

/** A member stands twice in one object, or the document is too deep; the message says which. */
export class StrictJsonError extends Error {
  /** The member; undefined if the document is too deep. */
  readonly member: string | undefined;

  constructor(message: string, member?: string) {
    super(message);
    this.member = member;
  }
}

/** Deepest nesting: a policy needs six levels. */
const MAX_DEPTH = 16;

/**
 * Parses JSON.
 *
 * @throws SyntaxError, StrictJsonError
 *
 * @example Usage
 * ```ts
 * import { parseStrictJson } from "./strict_json.ts";
 * import { deepStrictEqual, throws } from "node:assert/strict";
 *
 * deepStrictEqual(parseStrictJson('{"a":[1]}'), { a: [1] });
 * throws(() => parseStrictJson('{"a":1,"\\u0061":2}'));
 * ```
 */
export function parseStrictJson(text: string): unknown {
  checkDepth(text);
  const value: unknown = JSON.parse(text);
  checkMembers(text);
  return value;
}

/** Checks the depth before the runtime parses the text. It may count brackets of malformed text in any way. */
function checkDepth(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i);
    else if (char === "{" || char === "[") {
      if (++depth > MAX_DEPTH) throw new StrictJsonError("The document is nested too deeply");
    } else if (char === "}" || char === "]") depth--;
  }
}

/** Checks the names of members in well-formed JSON. */
function checkMembers(text: string): void {
  /** Names of each open object; undefined for an open list. */
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') {
      const end = endOfString(text, i);
      const names = open.at(-1);
      if (isName && names !== undefined) {
        const name = String(JSON.parse(text.slice(i, end + 1)));
        if (names.has(name)) throw new StrictJsonError(`Duplicate member ${name}`, name);
        names.add(name);
        isName = false;
      }
      i = end;
    } else if (char === "{") {
      open.push(new Set());
      isName = true;
    } else if (char === "[") open.push(undefined);
    else if (char === "}" || char === "]") open.pop();
    else if (char === ",") isName = open.at(-1) !== undefined;
  }
}

/** Returns the position of the quotation mark that ends a string, or of the end of the text. */
export function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i;
  }
  return text.length;
}
