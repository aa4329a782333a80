/**
 * The logging configuration of a bucket: where its server access log goes, and how the log's objects are named.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_TargetObjectKeyFormat.html
 * @module
 */

import { S3Error } from "./errors.ts";
import { type BucketName, type ObjectKey, parseBucketName, parseObjectKey } from "./names.ts";
import { childrenOf, optionalTextOf, parseXml, textOf, type XmlElement } from "./xml_reader.ts";

/**
 * How log objects are named: `simple` is the prefix and a time, `event` and `delivery` put account, region, bucket and
 * day in between, of the requests or of the delivery.
 */
export type LogKeyFormat = "simple" | "event" | "delivery";

/** Where the log of a bucket goes. */
export type LogTarget = {
  readonly bucket: BucketName;
  /** May be empty. */
  readonly prefix: string;
  readonly format: LogKeyFormat;
};

/** The bucket whose requests are logged, as keys of log objects show it. */
export type LogSource = {
  readonly account: string;
  readonly region: string;
  readonly bucket: BucketName;
};

/** More tags than a document without grants has. */
const MAX_TAGS = 2000;
const LOGGING_ENABLED = new Set([
  "TargetBucket",
  "TargetPrefix",
  "TargetGrants",
  "TargetObjectKeyFormat",
]);

/**
 * Parses a `BucketLoggingStatus`; undefined means that the bucket is not logged.
 *
 * @throws S3Error `MalformedXML`; `AccessControlListNotSupported` for grants; `InvalidTargetBucketForLogging` for a name
 * that no bucket can have
 *
 * @example Usage
 * ```ts
 * import { parseLogging } from "./logging.ts";
 * import { deepStrictEqual, strictEqual } from "node:assert/strict";
 *
 * strictEqual(parseLogging("<BucketLoggingStatus/>"), undefined);
 * deepStrictEqual(
 *   parseLogging(
 *     "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>a/</TargetPrefix>" +
 *       "</LoggingEnabled></BucketLoggingStatus>",
 *   ),
 *   { bucket: "logs", prefix: "a/", format: "simple" },
 * );
 * ```
 */
export function parseLogging(text: string): LogTarget | undefined {
  const root = parseXml(text, "BucketLoggingStatus", MAX_TAGS);
  const enabled = onlyChild(root, "LoggingEnabled");
  if (enabled === undefined) return undefined;
  if (!enabled.children.every(({ name }) => LOGGING_ENABLED.has(name))) throw malformed();
  const target = textOf(enabled, "TargetBucket");
  const prefix = textOf(enabled, "TargetPrefix");
  const format = parseFormat(enabled);
  if (childrenOf(enabled, "TargetGrants").some(({ children }) => children.length > 0)) {
    throw new S3Error("AccessControlListNotSupported", {}, {
      message: "Target grants not allowed for bucket owner enforced buckets",
    });
  }
  return { bucket: parseTarget(target), prefix, format };
}

function parseTarget(text: string): BucketName {
  try {
    return parseBucketName(text);
  } catch (cause) {
    throw new S3Error("InvalidTargetBucketForLogging", { TargetBucket: text }, { cause });
  }
}

function parseFormat(enabled: XmlElement): LogKeyFormat {
  const [element, ...others] = childrenOf(enabled, "TargetObjectKeyFormat");
  if (element === undefined) return "simple";
  const [chosen, ...more] = element.children;
  if (others.length > 0 || more.length > 0) throw malformed();
  if (chosen?.name === "SimplePrefix" && chosen.children.length === 0) return "simple";
  if (chosen?.name !== "PartitionedPrefix") throw malformed();
  const source = optionalTextOf(chosen, "PartitionDateSource");
  if (chosen.children.length > 1 || (chosen.children.length === 1 && source === undefined)) {
    throw malformed();
  }
  if (source === undefined || source === "EventTime") return "event";
  if (source === "DeliveryTime") return "delivery";
  throw malformed();
}

/** Returns the only child of an element that may have one child, with this name. */
function onlyChild({ children }: XmlElement, name: string): XmlElement | undefined {
  const [child, ...others] = children;
  if (others.length > 0 || (child !== undefined && child.name !== name)) throw malformed();
  return child;
}

function malformed(): S3Error {
  return new S3Error("MalformedXML");
}

/**
 * Returns the key of a log object.
 *
 * @param times `event` is a time on the day of the object's requests.
 * @param unique 16 letters and digits.
 * @throws S3Error `KeyTooLongError`
 *
 * @example Usage
 * ```ts
 * import { logObjectKey } from "./logging.ts";
 * import type { BucketName } from "./names.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const source = { account: "000000000000", region: "us-east-1", bucket: "photos" as BucketName };
 * const times = { event: new Date("2026-05-01T23:59:58Z"), delivery: new Date("2026-05-02T00:01:02Z") };
 * const key = (format: "simple" | "event") =>
 *   logObjectKey({ prefix: "a/", format }, source, times, "0123456789ABCDEF");
 * strictEqual(key("simple"), "a/2026-05-02-00-01-02-0123456789ABCDEF");
 * strictEqual(
 *   key("event"),
 *   "a/000000000000/us-east-1/photos/2026/05/01/2026-05-01-00-00-00-0123456789ABCDEF",
 * );
 * ```
 */
export function logObjectKey(
  { prefix, format }: Pick<LogTarget, "prefix" | "format">,
  { account, region, bucket }: LogSource,
  times: { readonly event: Date; readonly delivery: Date },
  unique: string,
): ObjectKey {
  const time = (format === "event" ? times.event : times.delivery).toISOString();
  const [date = "", clock = ""] = time.slice(0, 19).split("T");
  const name = `${date}-${format === "event" ? "00-00-00" : clock.replaceAll(":", "-")}-${unique}`;
  if (format === "simple") return parseObjectKey(prefix + name);
  const day = date.replaceAll("-", "/");
  return parseObjectKey(`${prefix}${account}/${region}/${bucket}/${day}/${name}`);
}
