/**
 * The settings of new buckets: how and where JetStream stores them, and whether they may become public.
 * @module
 */

import { BUCKET_COMPRESSIONS, BUCKET_STORAGES } from "../nats/buckets/storage.ts";
import { parsePlacements } from "./placements.ts";
import { setting } from "./setting.ts";
import { oneOf, parseBytes, parseReplicas } from "./values.ts";

/** Whether new buckets have a public access block. */
const BLOCKED = ["on", "off"] as const;

/** Every setting of new buckets, in the order of `--help`. */
export const BUCKET_SETTINGS = {
  replicas: setting({
    flag: "replicas",
    value: "N",
    default: "1",
    help: "Replicas that JetStream keeps of a new bucket",
    parse: parseReplicas,
  }),
  storage: setting({
    flag: "bucket.storage",
    value: BUCKET_STORAGES.join("|"),
    default: "file",
    help: "Where JetStream stores a new bucket",
    parse: oneOf(BUCKET_STORAGES),
  }),
  compression: setting({
    flag: "bucket.compression",
    value: BUCKET_COMPRESSIONS.join("|"),
    default: "none",
    help: "How JetStream compresses a new bucket on disk",
    parse: oneOf(BUCKET_COMPRESSIONS),
  }),
  quota: setting({
    flag: "bucket.quota",
    value: "BYTES",
    help:
      "Maximum size of the objects in a new bucket, such as 10GiB; a full bucket rejects PUTs, but still serves deletes and listings",
    parse: parseBytes,
  }),
  publicAccessBlock: setting({
    flag: "bucket.public-access-block",
    value: BLOCKED.join("|"),
    default: "off",
    help:
      "Whether new buckets begin with a public access block, as on AWS: nobody may make them public",
    parse: oneOf(BLOCKED),
  }),
  placements: setting({
    flag: "bucket.placement",
    value: "LOCATION=cluster:NAME,tags:TAG,…;…",
    help:
      "Locations that clients may create buckets in, each with a NATS cluster, tags of its servers, or both; semicolons separate locations",
    parse: parsePlacements,
  }),
} as const;
