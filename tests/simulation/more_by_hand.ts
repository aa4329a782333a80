/**
 * More that is done by hand: what takes long, or needs many messages.
 * @module
 */

import { createHash } from "node:crypto";
import { formatDigest } from "../../src/nats/layout/info_metadata.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { someBytes } from "../nats/store_on_server.ts";
import { BY_HAND } from "./by_hand.ts";
import type { ClientWorld } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { contentInput } from "./contents.ts";
import type { Random } from "./random.ts";

/** Bytes of an object that is larger than what may be published unacknowledged, and of its chunks. */
const LARGE_SIZE = 3 * 1024 * 1024;
/** Bytes of a chunk where there are large objects. */
export const LARGE_CHUNK = 64 * 1024;
/** Objects of natives in a crowd, and milliseconds between two at most. */
const [CROWD, CROWD_PAUSE] = [120, 400];
/** Values of `max_payload`: none leaves room for a chunk. */
const SMALL_PAYLOADS = [8192, 16_000, 16_384] as const;

/** Puts a large object whose body comes in one piece, as a copy of a large native chunk does, and reads it. */
export async function putLarge(
  { running }: Cluster,
  { witness, contents, bucket, busy, gate }: ClientWorld,
  random: Random,
): Promise<void> {
  const key = `${BY_HAND}large` as ObjectKey;
  await gate();
  if (running.length === 0) return;
  busy.count++;
  const content = contents.make(LARGE_SIZE + random.below(100_000));
  const ended = await random.pick(running).call(
    "PUT large",
    (store) =>
      store.putObject(bucket, key, {
        content: contentInput(content, content.bytes.length, 0),
        properties: { system: {}, user: {}, tags: {} },
        owner: "me",
        precondition: {},
      }),
  );
  if (ended.kind === "failed") witness.judge(ended.cause, "PUT large", bucket);
  busy.count--;
}

/** Leaves one native object after the other, each under a key of its own. */
export async function crowd(
  { wait }: Cluster,
  { bucket }: ClientWorld,
  random: Random,
  publish: (subject: string, data: string | Uint8Array) => void,
): Promise<void> {
  const store = bucket as string as StoreName;
  const bytes = someBytes(10, 3);
  const digest = formatDigest(createHash("sha256").update(bytes).digest("hex"));
  for (let i = 0; i < CROWD; i++) {
    const name = `${BY_HAND}crowd/${i}` as ObjectKey;
    const nuid = `${random.below(1e9)}crowd${i}`;
    publish(`$O.${store}.C.${nuid}`, bytes);
    const info = { name, bucket: store, nuid, size: bytes.length, chunks: 1, digest };
    publish(infoSubject(store, name), JSON.stringify(info));
    await wait(random.next() * CROWD_PAUSE);
  }
}

/** Lets the server accept small messages only, for some time. */
export async function shrinkPayload(cluster: Cluster, random: Random): Promise<void> {
  const connections = cluster.running.map(({ connection }) => connection);
  const maxPayload = random.pick(SMALL_PAYLOADS);
  for (const connection of connections) connection.maxPayload = maxPayload;
  await cluster.wait(random.between(100, 5000));
  for (const connection of connections) connection.maxPayload = cluster.network.maxPayload;
}
