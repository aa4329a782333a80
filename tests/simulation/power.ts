/**
 * The power fails, and the server has lost the last changes that it acknowledged: docs/promises.md gives them up. What the
 * gateways show from then on must be what the server still has.
 * @module
 */

import type { ClientWorld } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import type { Fault } from "./faults.ts";
import { tagPlace } from "./tags.ts";
import { chunksOf, heldBucket, tagsOf, valuesOf } from "./truth.ts";

/** Lets clients begin operations, or makes them wait. */
export class Gate {
  #opened = Promise.resolve();
  #open = (): void => {};

  /** Lets nobody pass until it is opened. */
  close(): void {
    this.#opened = new Promise((resolve) => this.#open = resolve);
  }

  /** Lets everybody pass. */
  open(): void {
    this.#open();
  }

  /** Waits until it is open. */
  readonly pass = (): Promise<void> => this.#opened;
}

/** Milliseconds between two looks whether all operations have ended, and for what they left under way. */
const [LOOK, SETTLE] = [20, 200];
/** Milliseconds for which the server writes nothing to its disk, at most. */
const UNSYNCED = 5000;

/** Takes the power away at a moment without operations. */
export async function failPower(
  cluster: Cluster,
  world: ClientWorld,
  gate: Gate,
  { lasts, decision }: Fault,
): Promise<void> {
  const { wait, witness, documents, uploads, tags, states, bucket, fleeting, keys, spoilt } = world;
  cluster.jetStream.sync();
  cluster.syncs = false;
  await wait(decision * UNSYNCED);
  gate.close();
  while (world.busy.count > 0) await wait(LOOK);
  cluster.restart(lasts, true);
  const chunks = [bucket, fleeting].map((one) => chunksOf(cluster.jetStream, one, keys));
  await wait(lasts + SETTLE);
  // A purge that was on its way frees bytes of an object that came back, because its replacement is lost.
  for (const [i, one] of [bucket, fleeting].entries()) {
    for (const [etag, count] of chunksOf(cluster.jetStream, one, keys)) {
      if (count < (chunks[i]?.get(etag) ?? 0)) spoilt.add(etag);
    }
  }
  const values = valuesOf(cluster.jetStream, bucket, keys);
  for (const [place, value] of valuesOf(cluster.jetStream, fleeting, keys)) {
    values.set(place, value);
  }
  const etags = new Set<string>();
  for (const one of [bucket, fleeting]) {
    for (const [etag, tag] of tagsOf(cluster.jetStream, one, keys)) {
      etags.add(etag);
      values.set(tagPlace(etag), tag);
    }
  }
  tags.beginAnew(etags);
  witness.beginAnew(values);
  states.beginAnew();
  world.versions?.beginAnew();
  world.versions?.lifecycle?.beginAnew();
  uploads.beginAnew();
  const held = heldBucket(cluster.jetStream, bucket);
  if (held !== undefined) documents.beginAnew(held);
  cluster.syncs = true;
  gate.open();
}
