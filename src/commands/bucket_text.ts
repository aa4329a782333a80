/**
 * Texts about buckets, for people and for programs.
 * @module
 */

import type { BucketDetails } from "../nats/buckets/administration.ts";

/** A bucket and the number of its objects; undefined if they could not be counted. */
export type CountedBucket = BucketDetails & { readonly objects: number | undefined };

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * Returns a number of bytes with a unit, to a tenth.
 *
 * @example Usage
 * ```ts
 * import { formatBytes } from "./bucket_text.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(formatBytes(0), "0 B");
 * strictEqual(formatBytes(1536), "1.5 KiB");
 * strictEqual(formatBytes(10 * 1024 ** 3), "10 GiB");
 * ```
 */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  for (; amount >= 1024 && unit < UNITS.length - 1; unit++) amount /= 1024;
  return `${Math.round(amount * 10) / 10} ${UNITS[unit]}`;
}

/** Returns a placement as `--bucket.placement` has it, after the location; "" for none. */
export function formatPlacement({ placement: { cluster, tags = [] } }: BucketDetails): string {
  return [
    ...(cluster ? [`cluster:${cluster}`] : []),
    ...(tags.length > 0 ? [`tags:${tags.join(",")}`] : []),
  ].join(",");
}

/** Returns a bucket as the object that `--json` prints. An absent value is null. */
export function toJson(bucket: CountedBucket): Readonly<Record<string, unknown>> {
  return {
    bucket: bucket.name,
    created: bucket.created.toISOString(),
    owner: bucket.owner ?? null,
    objects: bucket.objects ?? null,
    bytes: bucket.bytes,
    quota: bucket.quota ?? null,
    objectLimit: bucket.objectLimit ?? null,
    replicas: bucket.replicas,
    storage: bucket.storage,
    compression: bucket.compression,
    location: bucket.location ?? null,
    placement: {
      cluster: bucket.placement.cluster || null,
      tags: bucket.placement.tags ?? [],
    },
    stream: bucket.stream,
    cluster: bucket.cluster ?? null,
    readOnly: bucket.isReadOnly,
  };
}

/** Returns buckets as the lines of a table with a heading. */
export function formatTable(buckets: readonly CountedBucket[]): readonly string[] {
  const head = [
    "BUCKET",
    "OBJECTS",
    "LIMIT",
    "SIZE",
    "QUOTA",
    "REPLICAS",
    "COMPRESSION",
    "LOCATION",
    "PLACEMENT",
  ];
  const rows = buckets.map((bucket) => [
    bucket.name,
    String(bucket.objects ?? "-"),
    String(bucket.objectLimit ?? "-"),
    formatBytes(bucket.bytes),
    bucket.quota === undefined ? "-" : formatBytes(bucket.quota),
    String(bucket.replicas),
    bucket.compression,
    bucket.location ?? "-",
    formatPlacement(bucket) || "-",
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0))
  );
  return [head, ...rows].map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}

/** Returns a bucket as lines of a name and a value. */
export function formatDetails(bucket: CountedBucket): readonly string[] {
  const { bytes, quota } = bucket;
  const used = quota === undefined || quota === 0
    ? ""
    : ` (${Math.round(bytes / quota * 100)} % used)`;
  const rows: readonly (readonly [name: string, value: string])[] = [
    ["bucket", bucket.name],
    ["created", bucket.created.toISOString()],
    ["owner", bucket.owner ?? "unknown"],
    ["objects", bucket.objects === undefined ? "not counted" : String(bucket.objects)],
    ["limit", bucket.objectLimit === undefined ? "none" : `${bucket.objectLimit} objects`],
    ["size", formatBytes(bytes)],
    ["quota", quota === undefined ? "none" : `${formatBytes(quota)}${used}`],
    ["replicas", String(bucket.replicas)],
    ["storage", bucket.storage],
    ["compression", bucket.compression],
    ["location", bucket.location ?? "none"],
    ["placement", formatPlacement(bucket) || "none"],
    ["cluster", bucket.cluster ?? "none"],
    ["stream", bucket.stream],
    ...(bucket.isReadOnly ? [["read-only", "yes"] as const] : []),
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`);
}
