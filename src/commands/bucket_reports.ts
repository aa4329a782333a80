/**
 * The verbs that show buckets: list and show.
 * @module
 */

import type { BucketDetails } from "../nats/buckets/administration.ts";
import { compareUtf8 } from "../s3/key_order.ts";
import { type CountedBucket, formatDetails, formatTable, toJson } from "./bucket_text.ts";
import { countObjects, parseBucket, type Verb, type VerbContext } from "./verb.ts";

/** `list`: shows all buckets. */
export const LIST: Verb = {
  usage: "",
  help: "Lists all buckets with their size, objects, limits and placement",
  flags: ["json"],
  plan: ({ flags }) => async (context) => {
    const buckets: CountedBucket[] = [];
    for (const bucket of await context.store.administration.list()) {
      buckets.push(await count(context, bucket));
    }
    buckets.sort((a, b) => compareUtf8(a.name, b.name));
    if (flags.get("json") === "true") {
      context.print(JSON.stringify(buckets.map(toJson), null, 2));
    } else for (const line of formatTable(buckets)) context.print(line);
  },
};

/** `show`: shows one bucket. */
export const SHOW: Verb = {
  usage: "BUCKET",
  help: "Shows one bucket",
  flags: ["json"],
  plan({ operands: [name = ""], flags }) {
    const bucket = parseBucket(name);
    return async (context) => {
      const details = await count(context, await context.store.administration.read(bucket));
      if (flags.get("json") === "true") context.print(JSON.stringify(toJson(details), null, 2));
      else for (const line of formatDetails(details)) context.print(line);
    };
  },
};

async function count(context: VerbContext, bucket: BucketDetails): Promise<CountedBucket> {
  return { ...bucket, objects: await countObjects(context, bucket.name) };
}
