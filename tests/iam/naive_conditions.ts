/**
 * Conditions for `naive_evaluator.ts`, read from the policy's JSON at each question.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 * @module
 */

import type { Context } from "../../src/iam/context.ts";

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Returns the regular expression of a text with wildcards and variables; undefined if a variable has no value. */
export function patternOf(
  text: string,
  { context, isNew, flags = "" }: {
    readonly context: Context;
    /** The policy is of 2012 and has variables. */
    readonly isNew: boolean;
    readonly flags?: string;
  },
): RegExp | undefined {
  const resolved = substitute(text, isNew ? context : undefined);
  if (resolved === undefined) return undefined;
  const source = resolved.map(({ text, isLiteral }) =>
    isLiteral
      ? RegExp.escape(text)
      : [...text].map((char) => char === "*" ? ".*" : char === "?" ? "." : RegExp.escape(char))
        .join("")
  ).join("");
  return new RegExp(`^${source}$`, `su${flags}`);
}

/** Returns a text with its variables replaced; undefined if one has no value. */
function plainOf(text: string, context: Context | undefined): string | undefined {
  return substitute(text, context)?.map((piece) => piece.text).join("");
}

type Piece = { readonly text: string; readonly isLiteral: boolean };

function substitute(text: string, context: Context | undefined): readonly Piece[] | undefined {
  if (context === undefined) return [{ text, isLiteral: false }];
  const found = /\$\{([^}]*)\}/.exec(text);
  if (found === null) return [{ text, isLiteral: false }];
  const [whole, inner = ""] = found;
  const value = valueOf(inner, context);
  const rest = substitute(text.slice(found.index + whole.length), context);
  if (value === undefined || rest === undefined) return undefined;
  const before = { text: text.slice(0, found.index), isLiteral: false };
  return [before, { text: value, isLiteral: true }, ...rest];
}

function valueOf(inner: string, context: Context): string | undefined {
  if (["*", "?", "$"].includes(inner)) return inner;
  const [, key = "", , fallback] = /^\s*([^,]*?)\s*(,\s*'(.*)'\s*)?$/.exec(inner) ?? [];
  const value = context.get(key.toLowerCase());
  return typeof value === "string" ? value : fallback;
}

/** Returns whether all operators of an element `Condition` hold. */
export function conditionsHold(element: unknown, context: Context, isNew: boolean): boolean {
  return Object.entries((element ?? {}) as Json).every(([operator, keys]) =>
    Object.entries(keys as Json).every(([key, wanted]) => {
      const values = (Array.isArray(wanted) ? wanted : [wanted]).map(String);
      return operatorHolds(operator, { key, values, context, isNew });
    })
  );
}

function operatorHolds(
  operator: string,
  { key, values, context, isNew }: {
    readonly key: string;
    readonly values: readonly string[];
    readonly context: Context;
    readonly isNew: boolean;
  },
): boolean {
  const given = context.get(key.toLowerCase());
  const list: readonly string[] = given === undefined
    ? []
    : typeof given === "string"
    ? [given]
    : given;
  if (operator === "Null") {
    return values.some((value) => (value === "true") === (list.length === 0));
  }
  const [, set, name = "", ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(
    operator,
  ) ?? [];
  const isNegated = name.includes("Not");
  const plain = name.replace("Not", "");
  const isMatch = (value: string): boolean =>
    values.some((wanted) => matches(plain, { value, wanted, context, isNew }));
  const holds = (value: string): boolean => isMatch(value) !== isNegated;
  if (list.length === 0) {
    if (ifExists !== undefined) return true;
    return set === undefined ? isNegated : set === "ForAllValues";
  }
  // "If the key values in the request resolve to an empty data set (for example, an empty string) …"
  if (given === "" && set !== undefined) return set === "ForAllValues";
  if (set === "ForAllValues") return list.every(holds);
  if (set === "ForAnyValue") return list.some(holds);
  return list.some(isMatch) !== isNegated;
}

function matches(
  name: string,
  { value, wanted, context, isNew }: {
    readonly value: string;
    readonly wanted: string;
    readonly context: Context;
    readonly isNew: boolean;
  },
): boolean {
  const replaced = plainOf(wanted, isNew ? context : undefined);
  switch (name) {
    case "StringEquals":
      return value === replaced;
    case "StringEqualsIgnoreCase":
      return value.toLowerCase() === replaced?.toLowerCase();
    case "StringLike":
      return patternOf(wanted, { context, isNew })?.test(value) ?? false;
    case "ArnEquals":
    case "ArnLike":
      return isArn(value, { wanted, context, isNew });
    case "Bool":
      return value.toLowerCase() === replaced?.toLowerCase();
    case "BinaryEquals":
      // Binary values of requests are in base64, too, as SimulatePrincipalPolicy takes them.
      return value === wanted;
    case "IpAddress":
      return isInside(value, wanted);
  }
  if (name.startsWith("Numeric")) return compares(name.slice(7), Number(value), Number(wanted));
  if (name.startsWith("Date")) return compares(name.slice(4), timeOf(value), timeOf(wanted));
  throw new Error(`Unknown operator ${name}`);
}

/** Compares the six parts of ARNs, each on its own. */
function isArn(
  value: string,
  { wanted, context, isNew }: {
    readonly wanted: string;
    readonly context: Context;
    readonly isNew: boolean;
  },
): boolean {
  const parts = (arn: string): string[] =>
    [...(/^([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):(.*)$/s.exec(arn) ?? [])].slice(1);
  if (wanted === "*") return parts(value).length === 6;
  // Variables have colons in their names.
  const hidden = wanted.replaceAll(/\$\{[^}]*\}/g, (name) => name.replaceAll(":", "\u0001"));
  const [is, want] = [parts(value), parts(hidden)];
  return is.length === 6 && want.length === 6 &&
    want.every((part, i) =>
      patternOf(part.replaceAll("\u0001", ":"), { context, isNew })?.test(is[i] ?? "") ?? false
    );
}

function compares(how: string, is: number, wanted: number): boolean {
  switch (how) {
    case "Equals":
      return is === wanted;
    case "LessThan":
      return is < wanted;
    case "LessThanEquals":
      return is <= wanted;
    case "GreaterThan":
      return is > wanted;
    case "GreaterThanEquals":
      return is >= wanted;
  }
  throw new Error(`Unknown comparison ${how}`);
}

function timeOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}

function isInside(address: string, network: string): boolean {
  const [base = "", length] = network.split("/");
  const [is, wanted] = [bitsOf(address), bitsOf(base)];
  const count = length === undefined ? wanted.length : Number(length);
  return is.length === wanted.length && is.slice(0, count) === wanted.slice(0, count);
}

/** Returns an address as 32 or 128 binary digits. */
function bitsOf(address: string): string {
  if (!address.includes(":")) {
    return address.split(".").map((part) => Number(part).toString(2).padStart(8, "0")).join("");
  }
  const [head = "", tail] = address.split("::");
  const groups = (text: string): string[] => text === "" ? [] : text.split(":");
  const [left, right] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].map((group) =>
    parseInt(group, 16).toString(2).padStart(16, "0")
  ).join("");
}
