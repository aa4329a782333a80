/**
 * What gateways must have freed by themselves, in simulations that sweep so rarely that no sweep has helped them.
 * @module
 */

import { parseChunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import { parseRecordSubject } from "../../src/nats/layout/subjects.ts";
import { ODD_NUID } from "./by_hand.ts";
import type { ClientWorld } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import type { Fault, FaultKind } from "./faults.ts";
import type { WireMessage } from "./jetstream/wire.ts";
import { heldBucket, namedGroups } from "./truth.ts";

/** Faults during which gateways can send everything that they want to send. */
const SENDABLE: ReadonlySet<FaultKind> = new Set(
  ["loss", "slow", "election", "stall", "lag", "jump", "meta"] as const,
);
/** Those of them that leave no publish in doubt. */
const CERTAIN: ReadonlySet<FaultKind> = new Set(["lag", "jump", "meta"] as const);

/** Tells whether some faults are only of kinds that let gateways send everything. */
export function canSend(faults: readonly Fault[]): boolean {
  return faults.every(({ kind }) => SENDABLE.has(kind));
}

const decoder = new TextDecoder();

/** Groups that gateways have tried to commit or to purge. What became of the attempt does not matter. */
export class AttemptedGroups {
  readonly #texts: string[] = [];

  /** Notes what a client sends, if it may name groups. */
  note({ subject, data, text }: WireMessage): void {
    if (subject.startsWith("$JS.API.STREAM.PURGE.") || subject.split(".", 3)[2] === "M") {
      this.#texts.push(text ?? decoder.decode(data));
    }
  }

  /** Tells whether somebody has sent a message that names a group. */
  has(nuid: string): boolean {
    return this.#texts.some((text) => text.includes(nuid));
  }
}

/**
 * Checks that no trash is forgotten, and that every write which was given up before its commit has discarded its chunks.
 * Native clients write records and chunks of their own, so there must be none.
 */
export function checkUnswept(
  { jetStream }: Cluster,
  { witness, bucket }: ClientWorld,
  faults: readonly Fault[],
  attempted: AttemptedGroups,
): void {
  const held = heldBucket(jetStream, bucket);
  if (held === undefined) return;
  const named = namedGroups(held);
  const isCertain = faults.every(({ kind }) => CERTAIN.has(kind));
  for (const subject of held.store.subjects.keys()) {
    const record = parseRecordSubject(held.name, subject);
    if (record?.kind === "trash" && record.nuid !== ODD_NUID && isCertain) {
      witness.object(`Without a sweep, the trash ${subject} is forgotten`);
    }
    const chunk = parseChunkSubject(held.name, subject);
    if (chunk?.kind !== "group" || named.has(chunk.nuid) || attempted.has(chunk.nuid)) continue;
    witness.object(`The chunks ${subject} were neither committed nor discarded`);
  }
}
