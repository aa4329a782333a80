/**
 * Puts that used an older mode of the bucket because they were held up for longer than their lease.
 * @module
 */

import {
  free,
  type Gateway,
  keeping,
  ordinalNow,
  preserve,
  publishing,
  read,
  send,
  type Steps,
  tombstoneOf,
} from "./versions_steps.ts";
import { type Content, contentOf, isRecord, type Message, versionOf } from "./versions_world.ts";

/** What a held-up put did to the key. */
export type HeldUp = {
  /** Its object info, and the sequence of that. */
  readonly made: Content;
  readonly stored: number;
  /** The null version that it replaced in place, and its sequence. */
  readonly inPlace: Content | undefined;
  readonly sequence: number;
  /** The record of the null version that its own null version hides. */
  readonly hidden: Message;
};

/** What became of it. */
export type Amended = {
  /** The version id that the put received; undefined if it stays the null version. */
  readonly version: string | undefined;
  /** The version that returned. */
  readonly kept: Content | undefined;
};

/**
 * Amends a put that found versioning Enabled after its commit: gives its version an id, so that the null version returns.
 * If another write was faster, the version that was replaced is kept under an id of its own.
 */
export function* amend(gateway: Gateway, name: string, heldUp: HeldUp): Steps<Amended> {
  const { made, stored, inPlace, sequence, hidden } = heldUp;
  const ordinal = made.ordinal > 0 ? made.ordinal : yield* ordinalNow(gateway, made);
  // Ordinal 1 is left to a version from before versioning, which has none.
  const before = made.ordinal > 0 ? made.ordinal - 1 : 1;
  const version = `${ordinal}.${name}`;
  const kind = made.kind === "deleted" ? "marker" : made.kind;
  while (true) {
    const { sequence: current, content } = yield* read("M");
    if (content?.version === version) return { version, kept: inPlace ?? hidden.content };
    // Its tags or locks may have changed since.
    const isMine = content?.kind === made.kind && content.version === made.version &&
      content.group === made.group && content.ordinal === made.ordinal;
    if (!isMine || made.group === "" && current !== stored) {
      // The batch may have landed without an answer, and somebody may have archived it since.
      if ((yield* read(`R:${version}`)).content === undefined) break;
      return { version, kept: inPlace ?? hidden.content };
    }
    const record = yield* read("R:null");
    let kept: Content | undefined;
    if (inPlace !== undefined) {
      kept = { ...inPlace, from: sequence, ordinal: inPlace.ordinal || before };
    } else if (isRecord(hidden.content) && record.content?.group === hidden.content.group) {
      kept = record.content;
    }
    // An archive of the put's own null version may be there or on its way, and would become a version of its own.
    const rest = isRecord(kept) ? kept : contentOf({ kind: "gone", ordinal });
    const { status } = yield* send({
      kind: "batch",
      messages: [
        publishing("M", { ...content, kind, version, ordinal }, current),
        publishing("R:null", rest, record.sequence),
      ],
    });
    if (status === "ok") {
      const { content: old } = record;
      if (isRecord(old) && old.group !== rest.group && old.group !== made.group) {
        yield* free(gateway, old, true);
      }
      return { version, kept };
    }
    if (status === "full") break;
  }
  if (inPlace !== undefined) {
    // Behind a delete the id is free, and an archive under way may have stored or may yet store the same record.
    const { content: current } = yield* read("M");
    if (made.kind === "deleted" && versionOf(current) !== "null") {
      const kept = { ...inPlace, from: sequence, ordinal: inPlace.ordinal || before };
      yield* send(publishing("R:null", kept, 0));
      const { content: record } = yield* read("R:null");
      if (isRecord(record) && record.group === inPlace.group) {
        return { version: undefined, kept: record };
      }
    }
    return {
      version: undefined,
      kept: yield* preserve({ ...inPlace, ordinal: inPlace.ordinal || before, from: sequence }),
    };
  }
  return { version: undefined, kept: yield* moveHidden(hidden) };
}

/** Moves the record that a null version hides to an id of its own. An archive may have replaced it meanwhile. */
function* moveHidden(hidden: Message): Steps<Content | undefined> {
  let record = hidden;
  while (isRecord(record.content) && record.content.group === hidden.content?.group) {
    const { content } = record;
    const kept = keeping(content);
    const messages = [kept, publishing("R:null", tombstoneOf(content), record.sequence)];
    const { status } = yield* send({ kind: "batch", messages });
    if (status === "ok") return kept.content;
    if (status === "full") return undefined;
    const { content: landed } = yield* read(kept.subject);
    if (isRecord(landed)) return landed;
    record = yield* read("R:null");
  }
  return undefined;
}
