/**
 * The CORS configuration of a bucket: which pages of other origins may use it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
 * @module
 */

import { S3Error } from "./errors.ts";
import { childrenOf, optionalTextOf, parseXml, type XmlElement } from "./xml_reader.ts";

/** One rule. A rule for an origin and a method is the first one that matches both. */
export type CorsRule = {
  /** Each has at most one `*`, which stands for any text. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Names of request headers in lower case, each with at most one `*`. */
  readonly headers: readonly string[];
  /** Names of response headers that pages may read. */
  readonly exposed: readonly string[];
  /** Seconds for which a browser may remember the response to a preflight. */
  readonly maxAge: number | undefined;
};

/** What a page wants to do. */
export type CorsQuestion = {
  /** As in `Origin`. */
  readonly origin: string;
  readonly method: string;
  /** Names of the headers that the page wants to send, in lower case; none if it is not a preflight. */
  readonly headers: readonly string[];
};

const METHODS: ReadonlySet<string> = new Set(["GET", "PUT", "HEAD", "POST", "DELETE"]);
const MAX_RULES = 100;
const MAX_ID = 255;
const MAX_SECONDS = 2 ** 31 - 1;
/** Number of tags of a document with 100 rules of ordinary length; AWS limits the bytes alone. */
const MAX_TAGS = 20_000;
/** The characters of a header's name (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Parses a `CORSConfiguration`.
 *
 * @throws S3Error `MalformedXML`; `InvalidRequest` for a rule that AWS does not accept
 *
 * @example Usage
 * ```ts
 * import { findRule, parseCors } from "./cors.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const rules = parseCors(
 *   "<CORSConfiguration><CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin>" +
 *     "<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
 * );
 * const question = { origin: "https://www.example.com", method: "GET", headers: [] };
 * strictEqual(findRule(rules, question), rules[0]);
 * strictEqual(findRule(rules, { ...question, method: "PUT" }), undefined);
 * ```
 */
export function parseCors(text: string): readonly CorsRule[] {
  const root = parseXml(text, "CORSConfiguration", MAX_TAGS);
  const rules = childrenOf(root, "CORSRule");
  if (rules.length === 0 || rules.length !== root.children.length) {
    throw new S3Error("MalformedXML");
  }
  if (rules.length > MAX_RULES) {
    throw invalid(
      `The number of CORS rules should not exceed allowed limit of ${MAX_RULES} rules.`,
    );
  }
  return rules.map(parseRule);
}

const ELEMENTS: ReadonlySet<string> = new Set([
  "ID",
  "AllowedOrigin",
  "AllowedMethod",
  "AllowedHeader",
  "ExposeHeader",
  "MaxAgeSeconds",
]);

function parseRule(rule: XmlElement): CorsRule {
  if (!rule.children.every(({ name }) => ELEMENTS.has(name))) throw new S3Error("MalformedXML");
  const methods = textsOf(rule, "AllowedMethod");
  const origins = textsOf(rule, "AllowedOrigin");
  if (methods.length === 0 || origins.length === 0) throw new S3Error("MalformedXML");
  if ((optionalTextOf(rule, "ID") ?? "").length > MAX_ID) {
    throw invalid(`The ID of a CORS rule can not be longer than ${MAX_ID} characters.`);
  }
  for (const method of methods) {
    if (METHODS.has(method)) continue;
    throw invalid(
      `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`,
    );
  }
  for (const origin of origins) refuseWildcards("AllowedOrigin", origin);
  const headers = textsOf(rule, "AllowedHeader");
  for (const header of headers) refuseWildcards("AllowedHeader", header);
  const exposed = textsOf(rule, "ExposeHeader");
  for (const header of exposed) {
    if (header.includes("*")) {
      throw invalid(
        `ExposeHeader "${header}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
      );
    }
    if (!TOKEN.test(header)) {
      throw invalid(`ExposeHeader "${header}" contains invalid character.`);
    }
  }
  return {
    origins,
    methods,
    headers: headers.map((header) => header.toLowerCase()),
    exposed,
    maxAge: parseMaxAge(optionalTextOf(rule, "MaxAgeSeconds")),
  };
}

function textsOf(rule: XmlElement, name: string): readonly string[] {
  return childrenOf(rule, name).map(({ text, children }) => {
    const trimmed = text.trim();
    if (trimmed === "" || children.length > 0) throw new S3Error("MalformedXML");
    return trimmed;
  });
}

function refuseWildcards(element: string, value: string): void {
  if (value.indexOf("*") === value.lastIndexOf("*")) return;
  throw invalid(`${element} "${value}" can not have more than one wildcard.`);
}

function parseMaxAge(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,10}$/.test(text.trim()) ? Number(text) : NaN;
  if (!(seconds <= MAX_SECONDS)) throw new S3Error("MalformedXML");
  return seconds;
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, { message });
}

/** Returns the first rule that permits what a page wants to do. */
export function findRule(rules: readonly CorsRule[], question: CorsQuestion): CorsRule | undefined {
  return rules.find(({ origins, methods, headers }) =>
    methods.includes(question.method) &&
    origins.some((pattern) => matches(pattern, question.origin)) &&
    question.headers.every((name) => headers.some((pattern) => matches(pattern, name)))
  );
}

/** Returns whether a text is as its pattern, in which one `*` may stand for any text. */
function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return pattern === text;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + after.length && text.startsWith(before) &&
    text.endsWith(after);
}
