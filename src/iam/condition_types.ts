/**
 * The types of condition operators: each tells whether a value of a request matches a value of a policy.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * @module
 */

import { Buffer } from "node:buffer";
import type { Context } from "./context.ts";
import { isInNetwork, parseIpAddress, parseNetwork } from "../s3/networks.ts";
import { PolicyError } from "./policy_error.ts";
import { parseTemplate } from "./template.ts";

/** Returns whether a value of a request matches one value of a policy. */
export type Match = (value: string, context: Context) => boolean;

/** Compiles one value of a policy. It throws {@linkcode PolicyError} for a value that is not of the type. */
export type MatchType = (wanted: string, hasVariables: boolean) => Match;

/** An operator: the type of its values, and whether it holds if none of them matches. */
export type Operator = { readonly type: MatchType; readonly isNegated: boolean };

const stringEquals: MatchType = (wanted, hasVariables) => {
  const template = parseTemplate(wanted, hasVariables);
  return (value, context) => value === template.text(context);
};

const stringEqualsIgnoreCase: MatchType = (wanted, hasVariables) => {
  const template = parseTemplate(wanted, hasVariables);
  return (value, context) => value.toLowerCase() === template.text(context)?.toLowerCase();
};

const stringLike: MatchType = (wanted, hasVariables) => {
  const template = parseTemplate(wanted, hasVariables);
  return (value, context) => template.matches(shorten(value), context);
};

/** ARNs have six parts, and a wildcard does not reach beyond its part. */
const arnLike: MatchType = (wanted, hasVariables) => {
  const parts = splitArn(wanted, hasVariables);
  if (parts === undefined) {
    throw new PolicyError("Invalid ARN in Conditions", {
      ofIam: "The policy failed legacy parsing",
    });
  }
  const templates = parts.map((part) => parseTemplate(part, hasVariables));
  return (value, context) => {
    const values = partsOf(shorten(value));
    if (values === undefined) return false;
    for (let i = 0; i < templates.length; i++) {
      if (templates[i]?.matches(values[i] ?? "", context) !== true) return false;
    }
    return true;
  };
};

const bool: MatchType = (wanted, hasVariables) => {
  if (hasVariables && wanted.includes("${")) return stringEqualsIgnoreCase(wanted, hasVariables);
  const text = wanted.toLowerCase();
  if (text !== "true" && text !== "false") {
    throw new PolicyError(`Invalid value for a Boolean condition: ${wanted}`);
  }
  return (value) => value.toLowerCase() === text;
};

const binaryEquals: MatchType = (wanted) => {
  const bytes = Buffer.from(wanted, "base64").toString("base64");
  if (bytes !== wanted) throw new PolicyError(`Invalid value for a Binary condition: ${wanted}`);
  return (value) => value === wanted;
};

const ipAddress: MatchType = (wanted) => {
  const network = parseNetwork(wanted);
  if (network === undefined) throw new PolicyError("Invalid IP address in Conditions");
  return (value) => {
    const address = addressOf(value);
    return address !== undefined && isInNetwork(address, network);
  };
};

const numeric = (holds: (value: number, wanted: number) => boolean): MatchType => (text) => {
  const wanted = parseNumber(text);
  if (wanted === undefined) {
    throw new PolicyError(`Invalid value for a Numeric condition: ${text}`);
  }
  return (value) => {
    const number = numberOf(value);
    return number !== undefined && holds(number, wanted);
  };
};

const date = (holds: (value: number, wanted: number) => boolean): MatchType => (text) => {
  const wanted = parseDate(text);
  if (wanted === undefined) throw new PolicyError(`Invalid value for a Date condition: ${text}`);
  return (value) => {
    const time = timeOf(value);
    return time !== undefined && holds(time, wanted);
  };
};

const equals = (a: number, b: number): boolean => a === b;

/** The operators by name, in lower case, without `IfExists` and the qualifiers of sets. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  stringequals: { type: stringEquals, isNegated: false },
  stringnotequals: { type: stringEquals, isNegated: true },
  stringequalsignorecase: { type: stringEqualsIgnoreCase, isNegated: false },
  stringnotequalsignorecase: { type: stringEqualsIgnoreCase, isNegated: true },
  stringlike: { type: stringLike, isNegated: false },
  stringnotlike: { type: stringLike, isNegated: true },
  numericequals: { type: numeric(equals), isNegated: false },
  numericnotequals: { type: numeric(equals), isNegated: true },
  numericlessthan: { type: numeric((a, b) => a < b), isNegated: false },
  numericlessthanequals: { type: numeric((a, b) => a <= b), isNegated: false },
  numericgreaterthan: { type: numeric((a, b) => a > b), isNegated: false },
  numericgreaterthanequals: { type: numeric((a, b) => a >= b), isNegated: false },
  dateequals: { type: date(equals), isNegated: false },
  datenotequals: { type: date(equals), isNegated: true },
  datelessthan: { type: date((a, b) => a < b), isNegated: false },
  datelessthanequals: { type: date((a, b) => a <= b), isNegated: false },
  dategreaterthan: { type: date((a, b) => a > b), isNegated: false },
  dategreaterthanequals: { type: date((a, b) => a >= b), isNegated: false },
  bool: { type: bool, isNegated: false },
  binaryequals: { type: binaryEquals, isNegated: false },
  ipaddress: { type: ipAddress, isNegated: false },
  notipaddress: { type: ipAddress, isNegated: true },
  arnequals: { type: arnLike, isNegated: false },
  arnlike: { type: arnLike, isNegated: false },
  arnnotequals: { type: arnLike, isNegated: true },
  arnnotlike: { type: arnLike, isNegated: true },
};

/**
 * Longest value that is compared with a pattern, in characters. Keys, ARNs and tags are shorter; of a longer header, only
 * the beginning counts, so that no client chooses how long a comparison takes.
 */
const MAX_COMPARED = 2048;

function shorten(value: string): string {
  return value.length > MAX_COMPARED ? value.slice(0, MAX_COMPARED) : value;
}

/** Splits an ARN into its six parts, of which the last may contain colons, as may the names of variables. */
function splitArn(text: string, hasVariables = false): readonly string[] | undefined {
  if (text === "*") return ["*", "*", "*", "*", "*", "*"];
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (parts.length < 5) {
    const colon = text.indexOf(":", at);
    if (colon < 0) return undefined;
    const variable = hasVariables ? text.indexOf("${", at) : -1;
    const end = variable < 0 || variable > colon ? -1 : text.indexOf("}", variable);
    if (end >= 0) {
      at = end + 1;
      continue;
    }
    parts.push(text.slice(start, colon));
    start = at = colon + 1;
  }
  parts.push(text.slice(start));
  return parts;
}

const NUMBER = /^[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?$/;

/** Parses a whole number or a decimal. */
function parseNumber(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined;
}

const SECONDS = /^\d{1,3}$|^\d{5,12}$/;
const DATE =
  /^\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?)?)?$/;

/**
 * Returns milliseconds: dates are seconds since 1970, or in one of the forms that W3C chose of ISO 8601. Four digits are a
 * year.
 */
function parseDate(text: string): number | undefined {
  if (SECONDS.test(text)) return Number(text) * 1000;
  const time = DATE.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** Remembers what it parsed last: a question asks for the same values in many statements. */
function remember<Parsed>(parse: (text: string) => Parsed): (text: string) => Parsed {
  let [text, parsed] = ["", parse("")];
  return (wanted) => {
    if (wanted !== text) [text, parsed] = [wanted, parse(wanted)];
    return parsed;
  };
}

const addressOf = remember(parseIpAddress);
const numberOf = remember(parseNumber);
const timeOf = remember(parseDate);
const partsOf = remember(splitArn);
