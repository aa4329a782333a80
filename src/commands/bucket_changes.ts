/**
 * The verbs that change how JetStream stores a bucket: quota, replicas, compression and placement.
 * @module
 */

import { parsePlacement } from "../config/placements.ts";
import { oneOf, parseBytes, parseObjectLimit, parseReplicas } from "../config/values.ts";
import type { BucketDetails } from "../nats/buckets/administration.ts";
import { configOf, type PlacementConfig, withLocation } from "../nats/buckets/location.ts";
import { withObjectLimit } from "../nats/buckets/object_limit.ts";
import { reserveOf } from "../nats/buckets/reserve.ts";
import { BUCKET_COMPRESSIONS, type BucketPlacement } from "../nats/buckets/storage.ts";
import type { StreamConfig, StreamInfo } from "../nats/buckets/stream_config.ts";
import { formatBytes, formatPlacement } from "./bucket_text.ts";
import { countObjects, parseBucket, parseOperand, type Verb, type VerbContext } from "./verb.ts";

/** `quota`: limits the size of a bucket and the number of its objects. */
export const QUOTA: Verb = {
  usage: "BUCKET [BYTES|none]",
  help:
    "Limits the bytes that a bucket holds, such as 10GiB, or the number of its objects; a full bucket rejects PUTs",
  flags: ["objects"],
  plan({ operands: [name = "", text], flags }) {
    const bucket = parseBucket(name);
    const quota = parseLimit("quota", text, parseBytes);
    const objects = parseLimit("objects", flags.get("objects"), parseObjectLimit);
    if (quota === undefined && objects === undefined) {
      throw new RangeError("Missing limit: name a number of bytes, --objects N, or both");
    }
    return async (context) => {
      const after = await context.store.administration.change(bucket, (info) => ({
        ...(quota === undefined ? info.config : withQuota(info, quota)),
        ...(objects !== undefined && {
          metadata: withObjectLimit(info.config.metadata ?? {}, noneOf(objects)),
        }),
      }));
      await warnIfFull(context, after);
      const bytes = after.quota === undefined ? "none" : formatBytes(after.quota);
      context.print(`${bucket}: quota ${bytes}, objects ${after.objectLimit ?? "none"}`);
    };
  },
};

/** `replicas`: sets the number of copies. */
export const REPLICAS: Verb = {
  usage: "BUCKET N",
  help: "Sets the number of servers that keep the bucket; JetStream copies in the background",
  flags: [],
  plan({ operands: [name = "", text = ""] }) {
    const bucket = parseBucket(name);
    const num_replicas = parseOperand("replicas", text, parseReplicas);
    return async ({ store, print }) => {
      await store.administration.change(bucket, ({ config }) => ({ ...config, num_replicas }));
      print(`${bucket}: replicas ${num_replicas}`);
    };
  },
};

/** `compression`: sets how later writes are compressed. */
export const COMPRESSION: Verb = {
  usage: `BUCKET ${BUCKET_COMPRESSIONS.join("|")}`,
  help: "Sets how JetStream compresses what is written from now on",
  flags: [],
  plan({ operands: [name = "", text = ""] }) {
    const bucket = parseBucket(name);
    const compression = parseOperand("compression", text, oneOf(BUCKET_COMPRESSIONS));
    return async ({ store, print }) => {
      await store.administration.change(bucket, ({ config }) => ({ ...config, compression }));
      print(`${bucket}: compression ${compression}`);
    };
  },
};

/** `placement`: moves a bucket. */
export const PLACEMENT: Verb = {
  usage: "BUCKET LOCATION|cluster:NAME,tags:TAG,…|none",
  help:
    "Moves a bucket to a location of --bucket.placement, or to a cluster or tags without changing its location; JetStream moves it in the background",
  flags: [],
  plan({ operands: [name = "", text = ""] }) {
    const bucket = parseBucket(name);
    const isPlace = /^(?:cluster|tags):/.test(text);
    const place = isPlace ? parseOperand("placement", text, parsePlacement) : undefined;
    return async (context) => {
      const { store, print } = context;
      const change = place === undefined
        ? moveTo(text, context.settings.placements)
        : ({ config }: StreamInfo) => withPlacement(config, configOf(place));
      const after = await store.administration.change(bucket, change);
      warnIfAlone(context, after);
      const location = after.location === undefined ? "" : `, location ${after.location}`;
      print(`${bucket}: placement ${formatPlacement(after) || "none"}${location}`);
    };
  },
};

/** Parses a limit that may be absent. */
function parseLimit(
  name: string,
  text: string | undefined,
  parse: (text: string) => number,
): number | "none" | undefined {
  return text === undefined || text === "none" ? text : parseOperand(name, text, parse);
}

function noneOf(limit: number | "none"): number | undefined {
  return limit === "none" ? undefined : limit;
}

/** Warns of a bucket that has reached one of its limits. */
async function warnIfFull(context: VerbContext, bucket: BucketDetails): Promise<void> {
  const { name, bytes, quota = Infinity, objectLimit = Infinity } = bucket;
  if (bytes >= quota) {
    context.warn(
      `Bucket "${name}" already holds ${formatBytes(bytes)}, so it rejects PUTs until ` +
        "objects are deleted",
    );
  }
  if (objectLimit === Infinity) return;
  const objects = await countObjects(context, name);
  if (objects !== undefined && objects >= objectLimit) {
    context.warn(
      `Bucket "${name}" already has ${objects} objects, so it rejects new ones until some ` +
        "are deleted",
    );
  }
}

/**
 * Returns a configuration with a quota, or without one.
 *
 * @throws RangeError for a stream that would discard objects to obey
 */
function withQuota({ config, state }: StreamInfo, quota: number | "none"): StreamConfig {
  const max_bytes = quota === "none" ? -1 : quota + reserveOf(quota);
  if (quota !== "none" && config["discard"] !== "new" && state.bytes > max_bytes) {
    throw new RangeError(
      `The quota is below the ${
        formatBytes(state.bytes)
      } that the bucket holds, and its stream discards old ` +
        'messages when it is full, which would destroy objects: set its policy to "new" first (nats stream edit)',
    );
  }
  return { ...config, max_bytes };
}

/**
 * Returns the change that moves a bucket to a location, or out of every location.
 *
 * @throws RangeError for a location that is not configured
 */
function moveTo(
  location: string,
  placements: readonly BucketPlacement[] = [],
): (info: StreamInfo) => StreamConfig {
  const found = placements.find((placement) => placement.location === location);
  if (found === undefined && location !== "none") {
    const known = placements.map((placement) => placement.location);
    throw new RangeError(
      `There is no location "${location}": --bucket.placement has ${known.join(", ") || "none"}`,
    );
  }
  return ({ config }) => ({
    ...withPlacement(config, found && configOf(found)),
    metadata: withLocation(config.metadata ?? {}, found?.location),
  });
}

function withPlacement(config: StreamConfig, placement: PlacementConfig | undefined): StreamConfig {
  return { ...config, placement };
}

function warnIfAlone({ warn }: VerbContext, { cluster, placement }: BucketDetails): void {
  if (cluster !== undefined || Object.keys(placement).length === 0) return;
  warn("The NATS server runs alone: it keeps the placement, which takes effect in a cluster");
}
