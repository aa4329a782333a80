/**
 * `nats-s3 buckets usage`: what each bucket and each account holds, noncurrent versions and delete markers included.
 * @module
 */

import type { VersionCount } from "../nats/listing/count_versions.ts";
import { compareUtf8 } from "../s3/key_order.ts";
import { readBucketFacts } from "./bucket_facts.ts";
import { formatBytes } from "./bucket_text.ts";
import { formatRows } from "./iam_operands.ts";
import { countVersions, type Verb } from "./verb.ts";

/** What a bucket holds. */
type Used = {
  readonly bucket: string;
  readonly account: string;
  /** What the bucket takes of its quota. */
  readonly bytes: number;
  /** Undefined if they could not be counted. */
  readonly count: VersionCount | undefined;
};

type Sum = Omit<Used, "bucket"> & { readonly buckets: number };

const NOTHING: VersionCount = {
  ...{ objects: 0, objectBytes: 0, noncurrent: 0, noncurrentBytes: 0, markers: 0 },
};

/** Headings of what {@linkcode figures} returns. */
const FIGURES = ["SIZE", "OBJECTS", "CURRENT", "NONCURRENT", "NONCURRENT-SIZE", "MARKERS"] as const;

/** `usage`: shows bytes, objects and versions. */
export const USAGE: Verb = {
  usage: "",
  help: "Shows the bytes, objects and versions of each bucket and of each account",
  flags: ["json"],
  plan: ({ flags }) => async (context) => {
    const { accounts } = await readBucketFacts(context);
    const used: Used[] = [];
    for (const { name, owner, account, bytes } of await context.store.administration.list()) {
      used.push({
        bucket: name,
        account: accounts.accountOfListed({ owner, account }),
        bytes,
        count: await countVersions(context, name),
      });
    }
    used.sort((a, b) => compareUtf8(a.bucket, b.bucket));
    const sums = sumByAccount(used);
    const directory = await context.store.users.read();
    const nameOf = (account: string): string | undefined => directory.accounts.get(account)?.name;
    if (flags.get("json") === "true") {
      context.print(JSON.stringify(
        {
          buckets: used.map((bucket) => ({
            ...{ bucket: bucket.bucket, account: bucket.account },
            ...toJson(bucket),
          })),
          accounts: sums.map((sum) => ({
            ...{ name: nameOf(sum.account) ?? null, account: sum.account, buckets: sum.buckets },
            ...toJson(sum),
          })),
        },
        null,
        2,
      ));
      return;
    }
    const perBucket = used.map((row) => [row.bucket, row.account, ...figures(row)]);
    const perAccount = sums.map((row) => [
      row.account,
      nameOf(row.account) ?? "-",
      String(row.buckets),
      ...figures(row),
    ]);
    for (
      const line of [
        ...formatRows(["BUCKET", "ACCOUNT", ...FIGURES], perBucket),
        "",
        ...formatRows(["ACCOUNT", "NAME", "BUCKETS", ...FIGURES], perAccount),
      ]
    ) context.print(line);
  },
};

function figures({ bytes, count }: Pick<Used, "bytes" | "count">): readonly string[] {
  if (count === undefined) return [formatBytes(bytes), ...FIGURES.slice(1).map(() => "unknown")];
  return [
    formatBytes(bytes),
    String(count.objects),
    formatBytes(count.objectBytes),
    String(count.noncurrent),
    formatBytes(count.noncurrentBytes),
    String(count.markers),
  ];
}

/** Returns the figures that `--json` prints; null for what could not be counted. */
function toJson(
  { bytes, count }: Pick<Used, "bytes" | "count">,
): Readonly<Record<string, number | null>> {
  return {
    bytes,
    objects: count?.objects ?? null,
    objectBytes: count?.objectBytes ?? null,
    noncurrentVersions: count?.noncurrent ?? null,
    noncurrentBytes: count?.noncurrentBytes ?? null,
    deleteMarkers: count?.markers ?? null,
  };
}

function sumByAccount(used: readonly Used[]): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const { account, bytes, count } of used) {
    const sum = sums.get(account) ?? { account, buckets: 0, bytes: 0, count: NOTHING };
    sums.set(account, {
      account,
      buckets: sum.buckets + 1,
      bytes: sum.bytes + bytes,
      count: sum.count && count && add(sum.count, count),
    });
  }
  return [...sums.values()].sort((a, b) => compareUtf8(a.account, b.account));
}

function add(a: VersionCount, b: VersionCount): VersionCount {
  return {
    objects: a.objects + b.objects,
    objectBytes: a.objectBytes + b.objectBytes,
    noncurrent: a.noncurrent + b.noncurrent,
    noncurrentBytes: a.noncurrentBytes + b.noncurrentBytes,
    markers: a.markers + b.markers,
  };
}
