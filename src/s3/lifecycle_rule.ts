/**
 * One rule of a lifecycle configuration as an element of a document.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
 *
 * There are no storage classes to move objects to, so transitions are refused.
 * @module
 */

import { S3Error } from "./errors.ts";
import {
  LIFECYCLE_DAY,
  type LifecycleExpiration,
  type LifecycleFilter,
  type LifecycleRule,
} from "./lifecycle.ts";
import { checkTags, OBJECT_TAGS, type TagSet } from "./tags.ts";
import { childrenOf, optionalTextOf, textOf, type XmlElement } from "./xml_reader.ts";

const MAX_ID = 255;
const MAX_NEWER = 100;
const MAX_DAYS = 2 ** 31 - 1;

const ACTIONS = ["Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"];
const TRANSITIONS = ["Transition", "NoncurrentVersionTransition"];
const ELEMENTS = new Set(["ID", "Status", "Filter", "Prefix", ...ACTIONS, ...TRANSITIONS]);

/**
 * Parses a rule.
 *
 * @param newId Returns an id for a rule that has none.
 * @throws S3Error `MalformedXML`, `InvalidRequest`, `InvalidArgument`; `NotImplemented` for transitions
 */
export function parseRule(element: XmlElement, newId: () => string): LifecycleRule {
  const has = (name: string): boolean => element.children.some((child) => child.name === name);
  if (!element.children.every(({ name }) => ELEMENTS.has(name))) throw malformed();
  const id = optionalTextOf(element, "ID") ?? "";
  if (id.length > MAX_ID) {
    throw argument("ID", id, `ID length should not exceed allowed limit of ${MAX_ID}`);
  }
  const status = textOf(element, "Status");
  if (status !== "Enabled" && status !== "Disabled") throw malformed();
  if (TRANSITIONS.some(has)) {
    throw new S3Error("NotImplemented", {}, {
      message:
        "Lifecycle transitions are not implemented: there is one storage class. Remove Transition and NoncurrentVersionTransition from the rules.",
    });
  }
  const filter = parseFilter(element);
  if (!ACTIONS.some(has)) throw invalid("At least one action needs to be specified in a rule");
  const expiration = onlyChild(element, "Expiration");
  const noncurrent = onlyChild(element, "NoncurrentVersionExpiration");
  const abort = onlyChild(element, "AbortIncompleteMultipartUpload");
  return {
    id: id === "" ? newId() : id,
    isEnabled: status === "Enabled",
    filter,
    ...(expiration && { expiration: parseExpiration(expiration, filter) }),
    ...(noncurrent && { noncurrent: parseNoncurrent(noncurrent) }),
    ...(abort && { abortDays: parseAbort(abort, filter) }),
  };
}

function parseFilter(rule: XmlElement): LifecycleFilter {
  const filter = onlyChild(rule, "Filter");
  const prefix = optionalTextOf(rule, "Prefix");
  if ((filter === undefined) === (prefix === undefined)) throw malformed();
  if (filter === undefined) return { form: "prefix", prefix, tags: new Map() };
  const and = onlyChild(filter, "And");
  if (filter.children.length > 1) throw malformed(); // several conditions need And
  if (and === undefined) return { form: "filter", ...parsePredicates(filter) };
  if (and.children.length === 0) throw malformed();
  return { form: "and", ...parsePredicates(and) };
}

const PREDICATES = new Set(["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"]);

function parsePredicates(element: XmlElement): Omit<LifecycleFilter, "form"> {
  if (!element.children.every(({ name }) => PREDICATES.has(name))) throw malformed();
  const prefix = optionalTextOf(element, "Prefix");
  const sizeAbove = parseSize(optionalTextOf(element, "ObjectSizeGreaterThan"));
  const sizeBelow = parseSize(optionalTextOf(element, "ObjectSizeLessThan"));
  if (sizeAbove !== undefined && sizeBelow !== undefined && sizeAbove >= sizeBelow) {
    throw invalid("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'");
  }
  return {
    tags: parseFilterTags(childrenOf(element, "Tag")),
    ...(prefix !== undefined && { prefix }),
    ...(sizeAbove !== undefined && { sizeAbove }),
    ...(sizeBelow !== undefined && { sizeBelow }),
  };
}

function parseFilterTags(elements: readonly XmlElement[]): TagSet {
  const tags = new Map<string, string>();
  for (const element of elements) {
    const key = textOf(element, "Key");
    if (tags.has(key)) throw invalid("Duplicate Tag Keys are not allowed.");
    tags.set(key, textOf(element, "Value"));
  }
  checkTags(tags, { ...OBJECT_TAGS, max: Infinity });
  return tags;
}

function parseExpiration(element: XmlElement, filter: LifecycleFilter): LifecycleExpiration {
  const days = optionalTextOf(element, "Days");
  const date = optionalTextOf(element, "Date");
  const markers = optionalTextOf(element, "ExpiredObjectDeleteMarker")?.trim();
  const known = [days, date, markers].filter((text) => text !== undefined).length;
  if (known !== element.children.length || known === 0) throw malformed();
  if (markers !== undefined && markers !== "true" && markers !== "false") throw malformed();
  // Some clients state `false` beside the days.
  if (days !== undefined && date !== undefined || markers === "true" && known > 1) {
    throw malformed();
  }
  if (days !== undefined) return { days: parsePositive("Expiration", "Days", days) };
  if (date !== undefined) return { date: parseMidnight(date.trim()) };
  refuseSelection("ExpiredObjectDeleteMarker", filter);
  return { markers: markers === "true" };
}

function parseMidnight(text: string): Date {
  const date = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/
      .test(text)
    ? new Date(text)
    : new Date(NaN);
  if (Number.isNaN(date.getTime())) throw malformed();
  if (date.getTime() % LIFECYCLE_DAY !== 0) {
    throw argument("Date", text, "'Date' must be at midnight GMT");
  }
  return date;
}

function parseNoncurrent(element: XmlElement): NonNullable<LifecycleRule["noncurrent"]> {
  const name = "NoncurrentVersionExpiration";
  const days = parsePositive(name, "NoncurrentDays", textOf(element, "NoncurrentDays"));
  const newer = optionalTextOf(element, "NewerNoncurrentVersions");
  if (element.children.length > (newer === undefined ? 1 : 2)) throw malformed();
  if (newer === undefined) return { days };
  return { days, newer: parsePositive(name, "NewerNoncurrentVersions", newer, MAX_NEWER) };
}

function parseAbort(element: XmlElement, filter: LifecycleFilter): number {
  const { name } = element;
  const days = parsePositive(name, "DaysAfterInitiation", textOf(element, "DaysAfterInitiation"));
  if (element.children.length > 1) throw malformed();
  refuseSelection(name, filter);
  return days;
}

/** Refuses an action for a filter that needs an object. */
function refuseSelection(action: string, { tags, sizeAbove, sizeBelow }: LifecycleFilter): void {
  if (tags.size > 0) throw invalid(`${action} cannot be specified with Tags.`);
  if (sizeAbove !== undefined || sizeBelow !== undefined) {
    throw invalid(`${action} cannot be specified with Object Size.`);
  }
}

function parsePositive(action: string, name: string, text: string, max = MAX_DAYS): number {
  const digits = text.trim();
  if (!/^-?\d{1,10}$/.test(digits) || Number(digits) > MAX_DAYS) throw malformed();
  const value = Number(digits);
  if (value <= 0) {
    throw argument(name, digits, `'${name}' for ${action} action must be a positive integer`);
  }
  if (value > max) {
    throw argument(name, digits, `'${name}' for ${action} action must not exceed ${max}`);
  }
  return value;
}

function parseSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text.trim())) throw malformed();
  return Number(text);
}

function onlyChild(element: XmlElement, name: string): XmlElement | undefined {
  const [child, ...others] = childrenOf(element, name);
  if (others.length > 0) throw malformed();
  return child;
}

/** Returns the error of a document that is not of its form. */
export function malformed(): S3Error {
  return new S3Error("MalformedXML");
}

/** Returns the error of a document whose parts do not go together. */
export function invalid(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, { message });
}

/** Returns the error of a value that is not accepted. */
export function argument(name: string, value: string, message: string): S3Error {
  return new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: value }, { message });
}
