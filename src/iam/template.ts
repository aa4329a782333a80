/**
 * Texts of policies with variables and wildcards, such as `arn:aws:s3:::home/${aws:username}/*`.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 *
 * The value of a variable is compared as it is: a star in it is no wildcard. `${*}`, `${?}` and `${$}` stand for these
 * characters. A variable without a value and without a default makes the text match nothing.
 * @module
 */

import type { Context } from "./context.ts";
import { Glob, type GlobToken, globTokens, parseGlob } from "./glob.ts";

type Part = GlobToken | {
  /** In lower case. */
  readonly key: string;
  readonly fallback: string | undefined;
};

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
  const parts = partsOf(text);
  const [first] = parts;
  const head = typeof first === "object" && "text" in first ? first.text : "";
  return {
    matches(value, context) {
      // Most texts differ before the first variable.
      if (!value.startsWith(head)) return false;
      const tokens = resolve(parts, context);
      return tokens !== undefined && new Glob(tokens).matches(value);
    },
    text(context) {
      return resolve(parts, context)?.map((part) => typeof part === "string" ? part : part.text)
        .join("");
    },
  };
}

function resolve(parts: readonly Part[], context: Context): readonly GlobToken[] | undefined {
  const tokens: GlobToken[] = [];
  for (const part of parts) {
    if (typeof part === "string" || "text" in part) {
      tokens.push(part);
      continue;
    }
    const value = context.get(part.key);
    // A key with several values is no variable.
    const text = typeof value === "string" ? value : part.fallback;
    if (text === undefined) return undefined;
    tokens.push({ text });
  }
  return tokens;
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
