/**
 * Texts of policies with variables and wildcards, such as `arn:aws:s3:::home/${aws:username}/*`.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 *
 * The value of a variable is compared as it is: a star in it is no wildcard. `${*}`, `${?}` and `${$}` stand for these
 * characters. A variable without a value and without a default makes the text match nothing.
 * @module
 */

import type { Context } from "./context.ts";
import { beginsWith, Glob, type GlobToken, globTokens, parseGlob } from "./glob.ts";

type Variable = {
  /** In lower case. */
  readonly key: string;
  readonly fallback: string | undefined;
};

type Part = GlobToken | Variable;

/** A text of a policy, compiled. */
export type Template = {
  /** Returns whether the pattern for a request matches the whole text. If a variable has no value, it matches nothing. */
  readonly matches: (text: string, context: Context) => boolean;
  /** Returns the text for a request, in which `*` and `?` stand for themselves; undefined if a variable has no value. */
  readonly text: (context: Context) => string | undefined;
};

/**
 * Compiles a text.
 *
 * @param hasVariables False in policies of 2008, which know none.
 */
export function parseTemplate(text: string, hasVariables: boolean): Template {
  if (!hasVariables || !text.includes("${")) {
    const glob = parseGlob(text);
    return { matches: (value) => glob.matches(value), text: () => text };
  }
  return new VariableTemplate(partsOf(text));
}

/** A text with variables. It remembers the pattern of the last values, which the requests of a user share. */
class VariableTemplate implements Template {
  readonly #parts: readonly Part[];
  readonly #variables: readonly Variable[];
  /** The text before the first wildcard and the first variable. */
  readonly #head: string;
  /** The values of the variables in the pattern, in their order. */
  #values: readonly string[] = [];
  #glob: Glob | undefined;
  #text: string | undefined;

  constructor(parts: readonly Part[]) {
    const [first] = parts;
    this.#parts = parts;
    this.#variables = parts.filter((part) => typeof part !== "string" && "key" in part);
    this.#head = typeof first === "object" && "text" in first ? first.text : "";
  }

  matches(text: string, context: Context): boolean {
    // Most texts differ before the first variable.
    if (!beginsWith(text, this.#head) || !this.#resolve(context)) return false;
    return this.#glob?.matches(text) === true;
  }

  text(context: Context): string | undefined {
    return this.#resolve(context) ? this.#text : undefined;
  }

  /** Makes the pattern and the text of a request; returns false if a variable has no value. */
  #resolve(context: Context): boolean {
    let isSame = this.#glob !== undefined;
    for (let i = 0; i < this.#variables.length; i++) {
      const variable = this.#variables[i];
      const value = variable && valueOf(variable, context);
      if (value === undefined) return false;
      if (value !== this.#values[i]) isSame = false;
    }
    if (isSame) return true;
    const tokens = this.#parts.map((part): GlobToken =>
      typeof part !== "string" && "key" in part ? { text: valueOf(part, context) ?? "" } : part
    );
    this.#values = this.#variables.map((variable) => valueOf(variable, context) ?? "");
    this.#glob = new Glob(tokens);
    this.#text = tokens.map((token) => typeof token === "string" ? token : token.text).join("");
    return true;
  }
}

/** Returns the value of a variable, or its default. A key with several values is no variable. */
function valueOf({ key, fallback }: Variable, context: Context): string | undefined {
  const value = context.get(key);
  return typeof value === "string" ? value : fallback;
}

function partsOf(text: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf("${", at);
    const end = start < 0 ? -1 : text.indexOf("}", start);
    if (end < 0) break;
    parts.push(...globTokens(text.slice(at, start)), parseVariable(text.slice(start + 2, end)));
    at = end + 1;
  }
  parts.push(...globTokens(text.slice(at)));
  return parts;
}

/** Parses `aws:username` or `aws:username, 'nobody'`. */
function parseVariable(inner: string): Part {
  if (inner === "*" || inner === "?" || inner === "$") return { text: inner };
  const comma = inner.indexOf(",");
  const key = (comma < 0 ? inner : inner.slice(0, comma)).trim().toLowerCase();
  const quoted = comma < 0 ? "" : inner.slice(comma + 1).trim();
  const isQuoted = quoted.length >= 2 && quoted.startsWith("'") && quoted.endsWith("'");
  return { key, fallback: isQuoted ? quoted.slice(1, -1) : undefined };
}
