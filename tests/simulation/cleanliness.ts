/**
 * What must be left when everything is healed and swept: what objects name, and nothing else.
 * @module
 */

import type { StoreName } from "../../src/nats/layout/names.ts";
import { parseChunkSubject, parseRecordSubject } from "../../src/nats/layout/subjects.ts";
import type { ClientWorld } from "./clients.ts";
import type { Cluster } from "./cluster.ts";

const STORE = "bucket" as StoreName;
const decoder = new TextDecoder();

/** Checks the stream of the bucket, and ends the gateways, which must leave nothing running. */
export async function checkCleanliness(
  cluster: Cluster,
  { witness, wait }: ClientWorld,
): Promise<void> {
  checkStream(cluster, (text) => witness.object(text));
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

function checkStream({ jetStream }: Cluster, object: (text: string) => void): void {
  const stream = jetStream.stream(`OBJ_${STORE}`);
  if (stream === undefined) {
    object("The bucket's stream is gone");
    return;
  }
  const { store } = stream;
  const named = new Set<string>();
  for (const subject of store.subjects.keys()) {
    if (!subject.startsWith(`$O.${STORE}.M.`)) continue;
    const info = JSON.parse(decoder.decode(store.last(subject)?.data));
    const isObject = info.deleted !== true || info.metadata?.["s3.parts"] !== undefined ||
      info.metadata?.["s3.size"] !== undefined;
    if (isObject) named.add(info.nuid);
  }
  for (const subject of store.subjects.keys()) {
    const chunk = parseChunkSubject(STORE, subject);
    if (chunk !== undefined && chunk.kind !== "foreign") {
      if (!named.has(chunk.nuid)) object(`Nothing names the chunks ${subject}`);
      continue;
    }
    const record = parseRecordSubject(STORE, subject);
    if (record === undefined) continue;
    switch (record.kind) {
      case "lease":
      case "trash":
        object(`The record ${subject} is left`);
        break;
      case "part":
        object(`The record ${subject} is left`);
        break;
      case "layout":
      case "renamed":
        if (!named.has(record.nuid)) object(`Nothing needs the record ${subject}`);
        break;
    }
  }
}
