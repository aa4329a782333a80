/**
 * What must be left when everything is healed and swept: what objects name, and nothing else.
 * @module
 */

import { textOf } from "../../src/nats/jetstream/messages.ts";
import { parseChunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import { parseRecordSubject, records } from "../../src/nats/layout/subjects.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { ODD_NUID } from "./by_hand.ts";
import type { ClientWorld } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { heldBucket, namedGroups, strayInfos } from "./truth.ts";

/** Checks the stream of the bucket, and ends the gateways, which must leave nothing running. */
export async function checkCleanliness(
  cluster: Cluster,
  { witness, wait, bucket, fleeting }: ClientWorld,
): Promise<void> {
  for (const one of [bucket, fleeting]) {
    checkStream(cluster, one, (text) => witness.object(`After the sweeps: ${text}`));
  }
  for (const gateway of cluster.running) {
    const ended = await gateway.call("STATS", (store) => Promise.resolve(store.stats()));
    if (ended.kind !== "done") continue;
    const { buffered, waitingTrash } = ended.value;
    const held = { ...buffered, waitingTrash };
    if (Object.values(held).some((value) => value !== 0)) {
      witness.object(`${gateway.name} still holds ${JSON.stringify(held)}`);
    }
    gateway.stop();
  }
  await wait(10_000);
  for (const { name, home } of cluster.running) {
    if (home.timers > 0) witness.object(`${name} has stopped and has ${home.timers} timers`);
  }
}

function checkStream(
  { jetStream }: Cluster,
  bucket: BucketName,
  object: (text: string) => void,
): void {
  const held = heldBucket(jetStream, bucket);
  if (held === undefined) return;
  const { subjects = [], first_seq = 0 } = jetStream.stream(`OBJ_${held.name}`)?.config ?? {};
  if (!subjects.includes(`$O.${held.name}.M.>`)) {
    // Only a deletion that was decided keeps its fence.
    const lock = held.store.last(records.lock(held.name, "delete"));
    if (lock === undefined || textOf(lock.data) !== "kept") object("A fence is left");
    return;
  }
  for (const [key, place] of strayInfos(held, first_seq)) object(`"${key}" is stray at ${place}`);
  const named = namedGroups(held);
  for (const subject of held.store.subjects.keys()) {
    const chunk = parseChunkSubject(held.name, subject);
    if (chunk !== undefined) {
      const isNamed = chunk.kind === "foreign" || named.has(chunk.nuid);
      if (!isNamed) object(`Nothing names the chunks ${subject}`);
      continue;
    }
    const record = parseRecordSubject(held.name, subject);
    if (record === undefined) continue;
    switch (record.kind) {
      case "lease":
      case "trash":
      case "part":
        if (!("nuid" in record) || record.nuid !== ODD_NUID) {
          object(`The record ${subject} is left`);
        }
        break;
      case "layout":
      case "renamed":
        if (!named.has(record.nuid)) object(`Nothing needs the record ${subject}`);
        break;
    }
  }
}
