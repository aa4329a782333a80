/**
 * Conditions of statements.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html and, for keys with several
 * values, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 *
 * All operators and keys must hold; of the values of a key, one. A negated operator holds if none of its values matches. A
 * key that a request does not have fails an operator, but not a negated one, nor one that ends with `IfExists`, nor
 * `ForAllValues`.
 * @module
 */

import { type Match, type Operator, OPERATORS } from "./condition_types.ts";
import type { Context } from "./context.ts";
import { invalidSyntax, PolicyError } from "./policy_error.ts";

/** A condition: one operator, one key and its values. */
export type Condition = {
  /** In lower case. */
  readonly key: string;
  /** With its qualifier, in lower case. */
  readonly operator: string;
  /** As the policy states them. */
  readonly values: readonly string[];
  readonly holds: (context: Context) => boolean;
};

/** The qualifiers of operators on keys with several values. */
type Qualifier = "any" | "all" | undefined;

const IF_EXISTS = "ifexists";
const QUALIFIERS: Readonly<Record<string, Qualifier>> = {
  foranyvalue: "any",
  forallvalues: "all",
};

/**
 * Parses the element `Condition`.
 *
 * @param hasVariables False in policies of 2008.
 * @throws PolicyError
 */
export function parseConditions(element: unknown, hasVariables: boolean): readonly Condition[] {
  if (element === undefined) return [];
  return entriesOf(element).flatMap(([operator, keys]) =>
    entriesOf(keys).map(([key, values]) => parseCondition(operator, key, values, hasVariables))
  );
}

function parseCondition(
  operator: string,
  key: string,
  element: unknown,
  hasVariables: boolean,
): Condition {
  const values = valuesOf(element);
  const name = key.toLowerCase();
  if (operator.toLowerCase() === "null") {
    return { key: name, operator: "null", values, holds: isNull(name, values) };
  }

  const { qualifier, base, ifExists } = parseOperator(operator);
  const { type, isNegated } = base;
  const matches = values.map((value) => type(value, hasVariables));
  // Without a qualifier, a negated operator must hold for every value of the request.
  const needsAll = qualifier === "all" || qualifier === undefined && isNegated;
  const missing = ifExists || qualifier === "all" || qualifier === undefined && isNegated;
  return {
    key: name,
    operator: operator.toLowerCase(),
    values,
    holds(context) {
      const found = valueOf(name, context);
      if (found === undefined) return missing;
      // To a set, an empty text is an empty set.
      if (found === "" && qualifier !== undefined) return qualifier === "all";
      const holdsFor = (value: string): boolean => isAny(matches, value, context) !== isNegated;
      if (typeof found === "string") return holdsFor(found);
      return needsAll ? found.every(holdsFor) : found.some(holdsFor);
    },
  };
}

function isAny(matches: readonly Match[], value: string, context: Context): boolean {
  for (const match of matches) if (match(value, context)) return true;
  return false;
}

function isNull(key: string, values: readonly string[]): Condition["holds"] {
  const wanted = values.map((value) => {
    const text = value.toLowerCase();
    if (text !== "true" && text !== "false") {
      throw new PolicyError(`Invalid value for a Null condition: ${value}`);
    }
    return text === "true";
  });
  return (context) => wanted.includes(valueOf(key, context) === undefined);
}

/** Returns the value of a key. A list without values is no value. */
function valueOf(key: string, context: Context): string | readonly string[] | undefined {
  const found = context.get(key);
  return typeof found === "string" || found !== undefined && found.length > 0 ? found : undefined;
}

function parseOperator(operator: string): {
  readonly qualifier: Qualifier;
  readonly base: Operator;
  readonly ifExists: boolean;
} {
  const text = operator.toLowerCase();
  const colon = text.indexOf(":");
  const before = colon < 0 ? "" : text.slice(0, colon);
  const rest = text.slice(colon + 1);
  const ifExists = rest.endsWith(IF_EXISTS);
  const name = ifExists ? rest.slice(0, -IF_EXISTS.length) : rest;
  const base = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  const isKnown = colon < 0 || Object.hasOwn(QUALIFIERS, before);
  if (base === undefined || !isKnown) throw new PolicyError(`Invalid Condition type : ${operator}`);
  return { qualifier: QUALIFIERS[before], base, ifExists };
}

function entriesOf(element: unknown): readonly (readonly [string, unknown])[] {
  if (typeof element !== "object" || element === null || Array.isArray(element)) {
    throw invalidSyntax();
  }
  return Object.entries(element);
}

/** Returns the values of a key, which may be numbers and truth values, too. */
function valuesOf(element: unknown): readonly string[] {
  const list = Array.isArray(element) ? element : [element];
  return list.map((value) => {
    const isValue = ["string", "number", "boolean"].includes(typeof value);
    if (!isValue) throw invalidSyntax();
    return String(value);
  });
}
