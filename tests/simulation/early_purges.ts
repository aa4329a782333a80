/**
 * Notices parts that are purged before the grace of their readers is over.
 * @module
 */

import { groupNamedBy } from "../../src/nats/layout/info_json.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { GRACE } from "./gateway.ts";
import { API } from "./jetstream/api_calls.ts";
import { documentOf, type WireMessage } from "./jetstream/wire.ts";
import type { JetStream } from "./jetstream/jetstream.ts";

/** Watches what a bucket's object info names, and what is purged. */
export class EarlyPurges {
  readonly #jetStream: JetStream;
  readonly #stream: string;
  readonly #infos: string;
  readonly #trash: string;
  readonly #parts: RegExp;
  readonly #now: () => number;
  readonly #object: (text: string) => void;
  /** When object info was last seen to name a group. */
  readonly #named = new Map<string, number>();
  /** Groups that a native client called trash: nothing tells when such a group was replaced. */
  readonly #forged = new Set<string>();

  /** @param object Called for a purge that comes too early. */
  constructor(
    jetStream: JetStream,
    store: StoreName,
    now: () => number,
    object: (text: string) => void,
  ) {
    this.#jetStream = jetStream;
    this.#stream = `OBJ_${store}`;
    this.#infos = `$O.${store}.M.`;
    this.#trash = `$O.${store}.S3.trash.`;
    this.#parts = new RegExp(`^\\$O\\.${store}\\.C\\.([^.]+)\\.\\*\\.\\*$`);
    this.#now = now;
    this.#object = object;
  }

  /** Notes a message that the server is about to process. */
  note(message: WireMessage): void {
    const { subject, reply } = message;
    if (subject.startsWith(this.#infos)) this.#noteNamed(subject);
    else if (subject.startsWith(this.#trash) && reply.startsWith("_INBOX.native")) {
      this.#forged.add(subject.slice(this.#trash.length));
    } else if (subject === `${API}STREAM.MSG.DELETE.${this.#stream}`) this.#noteRemoved(message);
    else if (subject === `${API}STREAM.PURGE.${this.#stream}`) this.#check(message);
  }

  /** Forgets a group whose object info is removed: that makes room in a full bucket, which refused a marker before. */
  #noteRemoved(message: WireMessage): void {
    const { seq } = (documentOf(message) ?? {}) as { readonly seq?: number };
    const removed = this.#jetStream.stream(this.#stream)?.store.messages.get(seq ?? 0);
    const nuid = removed?.subject.startsWith(this.#infos) && groupNamedBy(removed.data);
    if (nuid) this.#named.delete(nuid);
  }

  #noteNamed(subject: string): void {
    const replaced = this.#jetStream.stream(this.#stream)?.store.last(subject);
    const nuid = replaced && groupNamedBy(replaced.data);
    if (nuid !== undefined) this.#named.set(nuid, this.#now());
  }

  #check(message: WireMessage): void {
    const { filter = "" } = (documentOf(message) ?? {}) as { readonly filter?: string };
    const nuid = this.#parts.exec(filter)?.[1];
    const named = nuid === undefined ? undefined : this.#named.get(nuid);
    if (nuid === undefined || named === undefined || this.#forged.has(nuid)) return;
    if (this.#now() - named >= GRACE) return;
    const age = Math.round(this.#now() - named);
    this.#object(`The parts of ${nuid} are purged ${age} ms after an object named them`);
  }
}
