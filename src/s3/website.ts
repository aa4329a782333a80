/**
 * The website configuration of a bucket: index and error documents, redirects, and routing rules.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html
 * @module
 */

import { S3Error } from "./errors.ts";
import { encodeKey, formatLocation } from "./location.ts";
import { childrenOf, optionalTextOf, parseXml, textOf, type XmlElement } from "./xml_reader.ts";

/** Either all requests go elsewhere, or there are documents. */
export type Website =
  | { readonly kind: "redirect"; readonly host: string; readonly protocol: string | undefined }
  | {
    readonly kind: "documents";
    /** The name that is added to a key that is empty or ends with a slash. */
    readonly index: string;
    /** The key of the document for errors. */
    readonly error: string | undefined;
    readonly rules: readonly RoutingRule[];
  };

/** A redirect under a condition. The first rule whose condition holds decides. */
export type RoutingRule = {
  /** Undefined if the key does not matter. */
  readonly prefix: string | undefined;
  /** A status from 400 to 599; undefined if the rule holds before the object is read. */
  readonly status: number | undefined;
  readonly redirect: WebsiteRedirect;
};

/** Where a rule sends the client. What is undefined stays as it was. */
export type WebsiteRedirect = {
  readonly protocol: string | undefined;
  readonly host: string | undefined;
  /** 301, 302, 303, 304, 305, 307 or 308. */
  readonly status: number;
  readonly key:
    | { readonly kind: "same" }
    | { readonly kind: "replaced"; readonly by: string }
    | { readonly kind: "prefix"; readonly by: string };
};

/** The codes that AWS accepts, although its message names more. */
const REDIRECT_CODES = new Set(["301", "302", "303", "304", "305", "307", "308"]);
const MAX_RULES = 50;
/** Number of tags of a document with 50 rules of every element. */
const MAX_TAGS = 2000;

/**
 * Parses a `WebsiteConfiguration`.
 *
 * @throws S3Error `MalformedXML`; `InvalidArgument` or `InvalidRequest` for what AWS does not accept
 *
 * @example Usage
 * ```ts
 * import { parseWebsite } from "./website.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const text = "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>" +
 *   "</WebsiteConfiguration>";
 * deepStrictEqual(parseWebsite(text), {
 *   kind: "documents",
 *   index: "index.html",
 *   error: undefined,
 *   rules: [],
 * });
 * ```
 */
export function parseWebsite(text: string): Website {
  const root = parseXml(text, "WebsiteConfiguration", MAX_TAGS);
  onlyElements(root, ["IndexDocument", "ErrorDocument", "RedirectAllRequestsTo", "RoutingRules"]);
  const redirectAll = onlyChild(root, "RedirectAllRequestsTo");
  const index = onlyChild(root, "IndexDocument");
  const error = onlyChild(root, "ErrorDocument");
  const rules = onlyChild(root, "RoutingRules");
  if (redirectAll !== undefined) {
    if (index !== undefined || error !== undefined || rules !== undefined) {
      throw invalid(
        "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
      );
    }
    onlyElements(redirectAll, ["HostName", "Protocol"]);
    const host = textOf(redirectAll, "HostName").trim();
    if (host === "") throw new S3Error("MalformedXML");
    return { kind: "redirect", host, protocol: parseProtocol(redirectAll) };
  }
  if (index === undefined) {
    throw argument(
      "IndexDocument",
      "null",
      "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
    );
  }
  onlyElements(index, ["Suffix"]);
  const suffix = textOf(index, "Suffix");
  if (suffix === "" || suffix.includes("/")) {
    throw argument("IndexDocument", suffix, "The IndexDocument Suffix is not well formed");
  }
  return {
    kind: "documents",
    index: suffix,
    error: error && parseErrorKey(error),
    rules: rules === undefined ? [] : parseRules(rules),
  };
}

function parseErrorKey(element: XmlElement): string {
  onlyElements(element, ["Key"]);
  const key = textOf(element, "Key");
  if (key === "") {
    throw argument("ErrorDocument", key, "The ErrorDocument Key is not well formed");
  }
  return key;
}

function parseRules(element: XmlElement): readonly RoutingRule[] {
  onlyElements(element, ["RoutingRule"]);
  const { children } = element;
  if (children.length === 0) throw new S3Error("MalformedXML");
  if (children.length > MAX_RULES) {
    throw invalid(
      `The number of routing rules must not exceed allowed limit of ${MAX_RULES} rules`,
    );
  }
  return children.map(parseRule);
}

function parseRule(element: XmlElement): RoutingRule {
  onlyElements(element, ["Condition", "Redirect"]);
  const redirect = onlyChild(element, "Redirect");
  if (redirect === undefined) throw new S3Error("MalformedXML");
  const condition = onlyChild(element, "Condition");
  if (condition === undefined) {
    return { prefix: undefined, status: undefined, redirect: parseRedirect(redirect) };
  }
  onlyElements(condition, ["KeyPrefixEquals", "HttpErrorCodeReturnedEquals"]);
  const prefix = optionalTextOf(condition, "KeyPrefixEquals");
  const code = optionalTextOf(condition, "HttpErrorCodeReturnedEquals")?.trim();
  if (prefix === undefined && code === undefined) {
    throw invalid(
      "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.",
    );
  }
  if (code !== undefined && !/^[45]\d\d$/.test(code)) {
    throw invalid(
      `The provided HTTP error code (${code}) is not valid. Valid codes are 4XX or 5XX.`,
    );
  }
  return {
    prefix,
    status: code === undefined ? undefined : Number(code),
    redirect: parseRedirect(redirect),
  };
}

function parseRedirect(element: XmlElement): WebsiteRedirect {
  onlyElements(element, [
    "Protocol",
    "HostName",
    "HttpRedirectCode",
    "ReplaceKeyPrefixWith",
    "ReplaceKeyWith",
  ]);
  if (element.children.length === 0) throw new S3Error("MalformedXML");
  const code = optionalTextOf(element, "HttpRedirectCode")?.trim();
  if (code !== undefined && !REDIRECT_CODES.has(code)) {
    throw invalid(
      `The provided HTTP redirect code (${code}) is not valid. Valid codes are 3XX except 300.`,
    );
  }
  const prefix = optionalTextOf(element, "ReplaceKeyPrefixWith");
  const key = optionalTextOf(element, "ReplaceKeyWith");
  if (prefix !== undefined && key !== undefined) {
    throw invalid("You can only define ReplaceKeyPrefix or ReplaceKey but not both.");
  }
  const host = optionalTextOf(element, "HostName")?.trim();
  if (host === "") throw new S3Error("MalformedXML");
  return {
    protocol: parseProtocol(element),
    host,
    status: code === undefined ? 301 : Number(code),
    key: key !== undefined
      ? { kind: "replaced", by: key }
      : prefix !== undefined
      ? { kind: "prefix", by: prefix }
      : { kind: "same" },
  };
}

function parseProtocol(element: XmlElement): string | undefined {
  const protocol = optionalTextOf(element, "Protocol")?.trim();
  if (protocol === undefined || protocol === "http" || protocol === "https") return protocol;
  throw invalid(
    "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.",
  );
}

function onlyElements(element: XmlElement, names: readonly string[]): void {
  if (!element.children.every(({ name }) => names.includes(name))) {
    throw new S3Error("MalformedXML");
  }
}

function onlyChild(element: XmlElement, name: string): XmlElement | undefined {
  const [child, ...others] = childrenOf(element, name);
  if (others.length > 0) throw new S3Error("MalformedXML");
  return child;
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, { message });
}

function argument(name: string, value: string, message: string): S3Error {
  return new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: value }, { message });
}

/**
 * Finds the rule for a key.
 *
 * @param status Status of the error that reading the object led to; undefined before it is read.
 */
export function findRoute(
  rules: readonly RoutingRule[],
  key: string,
  status: number | undefined,
): RoutingRule | undefined {
  return rules.find((rule) => rule.status === status && key.startsWith(rule.prefix ?? ""));
}

/**
 * Returns the path to which a rule redirects, encoded. The text of a rule may have a query and a fragment of its own, as
 * in `resize?key=` and `#!/`.
 */
export function redirectedPath(
  { prefix = "", redirect: { key } }: RoutingRule,
  from: string,
): string {
  switch (key.kind) {
    case "replaced":
      return `/${formatLocation(key.by)}`;
    case "prefix":
      return `/${formatLocation(key.by)}${encodeKey(from.slice(prefix.length))}`;
    case "same":
      return `/${encodeKey(from)}`;
  }
}
