/**
 * `nats-s3 buckets usage`: bytes and objects of each bucket and of each account.
 * @module
 */

import { compareUtf8 } from "../s3/key_order.ts";
import { readBucketFacts } from "./bucket_facts.ts";
import { formatBytes } from "./bucket_text.ts";
import { formatRows } from "./iam_operands.ts";
import { countObjects, type Verb } from "./verb.ts";

/** What a bucket holds. */
type Used = {
  readonly bucket: string;
  readonly account: string;
  readonly bytes: number;
  /** Undefined if they could not be counted. */
  readonly objects: number | undefined;
};

/** `usage`: shows bytes and objects. */
export const USAGE: Verb = {
  usage: "",
  help: "Shows the bytes and objects of each bucket and of each account",
  flags: ["json"],
  plan: ({ flags }) => async (context) => {
    const { accounts } = await readBucketFacts(context);
    const used: Used[] = [];
    for (const { name, owner, account, bytes } of await context.store.administration.list()) {
      used.push({
        bucket: name,
        account: accounts.accountOfListed({ owner, account }),
        bytes,
        objects: await countObjects(context, name),
      });
    }
    used.sort((a, b) => compareUtf8(a.bucket, b.bucket));
    const sums = sumByAccount(used);
    const directory = await context.store.users.read();
    const nameOf = (account: string): string | undefined => directory.accounts.get(account)?.name;
    if (flags.get("json") === "true") {
      const none = (objects: number | undefined): number | null => objects ?? null;
      context.print(JSON.stringify(
        {
          buckets: used.map((bucket) => ({ ...bucket, objects: none(bucket.objects) })),
          accounts: sums.map((sum) => ({
            name: nameOf(sum.account) ?? null,
            ...sum,
            objects: none(sum.objects),
          })),
        },
        null,
        2,
      ));
      return;
    }
    const figures = (bytes: number, objects: number | undefined): readonly string[] => [
      formatBytes(bytes),
      objects === undefined ? "unknown" : String(objects),
    ];
    const perBucket = used.map(({ bucket, account, bytes, objects }) => [
      bucket,
      account,
      ...figures(bytes, objects),
    ]);
    const perAccount = sums.map(({ account, buckets, bytes, objects }) => [
      account,
      nameOf(account) ?? "-",
      String(buckets),
      ...figures(bytes, objects),
    ]);
    for (
      const line of [
        ...formatRows(["BUCKET", "ACCOUNT", "SIZE", "OBJECTS"], perBucket),
        "",
        ...formatRows(["ACCOUNT", "NAME", "BUCKETS", "SIZE", "OBJECTS"], perAccount),
      ]
    ) context.print(line);
  },
};

type Sum = Omit<Used, "bucket"> & { readonly buckets: number };

function sumByAccount(used: readonly Used[]): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const { account, bytes, objects } of used) {
    const sum = sums.get(account) ?? { account, buckets: 0, bytes: 0, objects: 0 };
    sums.set(account, {
      account,
      buckets: sum.buckets + 1,
      bytes: sum.bytes + bytes,
      objects: sum.objects === undefined || objects === undefined
        ? undefined
        : sum.objects + objects,
    });
  }
  return [...sums.values()].sort((a, b) => compareUtf8(a.account, b.account));
}
