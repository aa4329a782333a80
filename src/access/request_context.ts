/**
 * The condition keys of a request, as policies ask for them. A value is made when a policy asks for it.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
 *
 * The runtime does not tell the version of TLS, so `s3:TlsVersion` has no value. Nor have keys about organizations, VPCs,
 * access points, KMS keys and services of AWS, which the gateway does not have.
 * @module
 */

import { principalType } from "../iam/caller_values.ts";
import type { Principal } from "../iam/principal.ts";
import { parseCopySource } from "../s3/copy_source.ts";
import { decodeHeaderText } from "../s3/header_text.ts";
import type { Action, PermissionFacts } from "../s3/permission.ts";
import { parseTagging, type TagSet } from "../s3/tags.ts";
import type { VerifiedRequest } from "../s3/verified_request.ts";
import { isObjectCreation } from "./required_actions.ts";
import { authTypeOf, signatureTimeOf, signatureVersionOf } from "./signature_facts.ts";

/** The parts of a request that conditions see. */
export type ConditionedRequest =
  & Pick<VerifiedRequest, "headers" | "query" | "scheme" | "address">
  & { readonly region?: string | undefined };

/** The value of a condition key; undefined for none, a list for a key with several values. */
export type ConditionValue = string | readonly string[] | undefined;

/** A permission that a request needs, and everything that its conditions may ask. */
export type ContextInput = {
  readonly request: ConditionedRequest;
  /** Name of the operation. */
  readonly operation: string;
  /** Undefined for an anonymous caller. */
  readonly principal: Principal | undefined;
  /** Account that owns the resource. */
  readonly account: string | undefined;
  readonly action: Action;
  readonly facts: PermissionFacts;
  /** Tags of the object as it is; undefined if it has none or the action does not see them. */
  readonly existingTags: Readonly<Record<string, string>> | undefined;
  readonly now: Date;
};

/** Keys without a variable part, in lower case. */
const VALUES: Readonly<Record<string, (input: ContextInput) => ConditionValue>> = {
  "aws:currenttime": ({ now }) => now.toISOString(),
  "aws:epochtime": ({ now }) => String(Math.floor(now.getTime() / 1000)),
  "aws:principalaccount": ({ principal }) => principal?.account ?? "anonymous",
  "aws:principalarn": ({ principal }) => principal?.arn,
  "aws:principalisawsservice": () => "false",
  "aws:principaltype": ({ principal }) => principalType(principal),
  "aws:referer": ({ request }) => textOf(request.headers.get("referer")),
  "aws:requestedregion": ({ request }) => request.region,
  "aws:resourceaccount": ({ account }) => account,
  "aws:securetransport": ({ request }) => String(request.scheme === "https"),
  "aws:sourceip": ({ request }) => request.address,
  "aws:tagkeys": ({ facts }) => facts.tagKeys ?? (facts.bucketTags && [...facts.bucketTags.keys()]),
  "aws:useragent": ({ request }) => textOf(request.headers.get("user-agent")),
  "aws:userid": ({ principal }) => principal?.userId ?? "anonymous",
  "aws:username": ({ principal }) => principal?.name,
  "aws:viaawsservice": () => "false",
  "s3:authtype": ({ request }) => authTypeOf(request),
  "s3:delimiter": (input) => listParameter(input, "delimiter"),
  "s3:if-match": ({ request, action, facts }) =>
    facts.ifMatch ?? (isConditional(action) ? textOf(request.headers.get("if-match")) : undefined),
  "s3:if-none-match": ({ request, action }) =>
    isConditional(action) ? textOf(request.headers.get("if-none-match")) : undefined,
  "s3:locationconstraint": ({ facts }) => facts.location,
  "s3:max-keys": (input) => listParameter(input, "max-keys"),
  "s3:object-lock-legal-hold": (input) => lockFact(input, "legal-hold"),
  "s3:object-lock-mode": (input) => lockFact(input, "mode"),
  "s3:object-lock-remaining-retention-days": (input) => {
    const until = Date.parse(lockFact(input, "retain-until-date") ?? "");
    if (Number.isNaN(until)) return undefined;
    return String(Math.ceil((until - input.now.getTime()) / MILLISECONDS_PER_DAY));
  },
  "s3:object-lock-retain-until-date": (input) => lockFact(input, "retain-until-date"),
  "s3:objectcreationoperation": ({ action, operation }) =>
    action === "s3:PutObject" ? String(isObjectCreation(operation)) : undefined,
  "s3:prefix": (input) => listParameter(input, "prefix"),
  "s3:requestobjecttagkeys": (input) => {
    const tags = requestObjectTags(input);
    return tags && [...tags.keys()];
  },
  "s3:resourceaccount": ({ account }) => account,
  "s3:signatureage": ({ request, now }) => {
    const time = signatureTimeOf(request);
    return time && String(Math.max(0, now.getTime() - time.getTime()));
  },
  "s3:signatureversion": ({ request }) => signatureVersionOf(request),
  "s3:versionid": ({ request, action, facts }) =>
    facts.versionId ?? (action.includes("Version") ? request.query.get("versionId") : undefined),
  "s3:x-amz-content-sha256": ({ request }) => textOf(request.headers.get("x-amz-content-sha256")),
  "s3:x-amz-copy-source": copySourceOf,
};

const MILLISECONDS_PER_DAY = 86_400_000;

/** Keys that end with the key of a tag, in lower case. */
const TAGS: readonly (readonly [
  prefix: string,
  tagsOf: (input: ContextInput) => Iterable<readonly [string, string]> | undefined,
])[] = [
  ["aws:principaltag/", ({ principal }) => principal?.tags],
  ["aws:requesttag/", ({ facts }) => facts.bucketTags],
  ["s3:existingobjecttag/", ({ existingTags }) => existingTags && Object.entries(existingTags)],
  ["s3:requestobjecttag/", requestObjectTags],
];

/** Keys that are headers of a write: `s3:x-amz-acl` and so on. */
const HEADER_PREFIX = "s3:x-amz-";

/**
 * Condition keys that have a value, in lower case, as all of them are compared; `/` ends those that go on with the key of a
 * tag, `*` those that go on with the name of a header of a write.
 */
export const CONTEXT_KEYS: readonly string[] = [
  ...Object.keys(VALUES),
  ...TAGS.map(([prefix]) => prefix),
  `${HEADER_PREFIX}*`,
].sort();

/** The condition keys of one question about a request. */
export class RequestContext {
  readonly #input: ContextInput;

  constructor(input: ContextInput) {
    this.#input = input;
  }

  /** Returns the value of a key. Two tags whose keys differ in case alone are one key with two values. */
  get(key: string): ConditionValue {
    const value = Object.hasOwn(VALUES, key) ? VALUES[key] : undefined;
    if (value !== undefined) return value(this.#input);
    for (const [prefix, tagsOf] of TAGS) {
      if (key.startsWith(prefix)) return tagValue(tagsOf(this.#input), key.slice(prefix.length));
    }
    return key.startsWith(HEADER_PREFIX)
      ? writeHeader(this.#input, key.slice("s3:".length))
      : undefined;
  }
}

function tagValue(
  tags: Iterable<readonly [string, string]> | undefined,
  name: string,
): ConditionValue {
  if (tags === undefined) return undefined;
  const values: string[] = [];
  for (const [key, value] of tags) if (key.toLowerCase() === name) values.push(value);
  return values.length > 1 ? values : values[0];
}

function textOf(header: string | null): string | undefined {
  return header === null ? undefined : decodeHeaderText(header);
}

/**
 * Returns a parameter of a list of keys. Nothing else sees it: the question whether the caller of a GetObject may list the
 * bucket has no prefix, even if a parameter of the request is called so.
 */
function listParameter({ operation, request }: ContextInput, name: string): string | undefined {
  return operation.startsWith("ListObject") ? request.query.get(name) : undefined;
}

/** Returns a header that describes what is written; the source of a copy does not see it. */
function writeHeader({ action, request }: ContextInput, name: string): string | undefined {
  const isWrite = action.startsWith("s3:Put") || action === "s3:CreateBucket" ||
    action === "s3:BypassGovernanceRetention";
  return isWrite ? textOf(request.headers.get(name)) : undefined;
}

/** Returns what a request states about a lock: in its body, or in a header of this name. */
function lockFact(
  input: ContextInput,
  name: "legal-hold" | "mode" | "retain-until-date",
): string | undefined {
  const { lock } = input.facts;
  if (lock === undefined) return writeHeader(input, `x-amz-object-lock-${name}`);
  if (name === "mode") return lock.mode;
  if (name === "retain-until-date") return lock.until?.toISOString();
  return lock.legalHold === undefined ? undefined : lock.legalHold ? "ON" : "OFF";
}

function isConditional(action: Action): boolean {
  return action === "s3:PutObject" || action === "s3:DeleteObject";
}

/** Returns `bucket/key` as Amazon's examples of policies spell it, so that no other spelling evades one. */
function copySourceOf(input: ContextInput): string | undefined {
  const text = writeHeader(input, "x-amz-copy-source");
  const header = input.request.headers.get("x-amz-copy-source");
  if (text === undefined || header === null) return undefined;
  try {
    const { bucket, key } = parseCopySource(header);
    return `${bucket}/${key}`;
  } catch {
    return text; // the operation refuses it
  }
}

/** Returns the tags that a request gives to an object; undefined if it gives none. */
function requestObjectTags(
  { action, operation, request, facts }: ContextInput,
): TagSet | undefined {
  if (facts.objectTags !== undefined) return facts.objectTags;
  const keepsTags = operation === "CopyObject" &&
    request.headers.get("x-amz-tagging-directive") !== "REPLACE";
  if (keepsTags) return undefined; // those of the source count, which the operation asks for
  if (action !== "s3:PutObject" && action !== "s3:PutObjectTagging") return undefined;
  const header = request.headers.get("x-amz-tagging");
  if (header === null) return undefined;
  try {
    return new Map(Object.entries(parseTagging(decodeHeaderText(header))));
  } catch {
    return undefined; // the operation refuses it
  }
}
