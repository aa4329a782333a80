/**
 * The documents of the bucket that stays: each is a register that gateways may show as it was a second ago.
 * @module
 */

import { textOf } from "../../src/nats/jetstream/messages.ts";
import { records } from "../../src/nats/layout/subjects.ts";
import { DOCUMENT_KINDS, type DocumentKind } from "../../src/store/documents.ts";
import { type Begun, History, type Value } from "../cluster/history.ts";
import type { Acting } from "./clients.ts";
import type { HeldBucket } from "./truth.ts";
import type { Witness } from "./witness.ts";

/** Milliseconds for which a gateway may show a document after a change. */
const LEASE = 1000;
/** Documents that clients change. */
const KINDS: readonly DocumentKind[] = ["cors", "tagging", "policy"];

/** The histories of documents, in milliseconds of simulated time. */
export class Documents {
  #history: History;
  readonly #now: () => number;
  readonly #witness: Witness;
  /** When the histories begin. */
  #since = 0;
  /** Texts of changes that a newer document overtook. */
  readonly #overtaken = new Set<string>();

  constructor(witness: Witness, now: () => number) {
    this.#witness = witness;
    this.#now = now;
    this.#history = new History(now);
  }

  /** Returns the time. */
  now(): number {
    return this.#now();
  }

  /** Begins a write; undefined stands for no document. */
  write(kind: string, text: string | undefined, what: string, condition?: Value): Begun {
    return this.#history.write(kind, text ?? null, what, condition);
  }

  /** Notes that a change was made from an older document and was not stored. */
  overtake(text: string | undefined): void {
    if (text !== undefined) this.#overtaken.add(text);
  }

  /** Notes what a reader saw that began at some time. */
  saw(kind: string, from: number, value: Value, what: string): void {
    if (value !== null && this.#overtaken.has(value)) {
      this.#witness.object(`${what} shows ${value}, which another change had overtaken`);
    }
    // A gateway may still show what a power failure took away.
    if (from - LEASE < this.#since) return;
    this.#history.read(kind, from - LEASE, value, `${what} ${value ?? "none"}`);
  }

  /** Begins new histories with what the server holds. */
  beginAnew({ name, store }: HeldBucket): void {
    this.check();
    const before = this.#history;
    this.#history = new History(this.#now);
    this.#since = this.#now();
    for (const kind of [...DOCUMENT_KINDS, "owner"] as const) {
      const message = store.last(records.bucket(name, kind));
      const text = message === undefined ? "" : textOf(message.data);
      const value = kind === "owner" && text !== "" ? accountOf(text) : text || null;
      if (value !== null) this.#history.write(kind, value, `found ${value}`).end("done");
      for (const { what, sets, optional } of before.eventsOf(kind)) {
        if (optional && sets !== undefined && sets !== value) this.#history.write(kind, sets, what);
      }
    }
  }

  /** Checks all histories. */
  check(): void {
    for (const kind of this.#history.keys) {
      const explained = this.#history.explain(kind);
      if (explained !== undefined) this.#witness.object(explained);
    }
  }
}

/** Puts a document, or deletes it. */
export async function putDocument(acting: Acting): Promise<string> {
  const { documents, random, bucket, call, witness } = acting;
  if (bucket === acting.fleeting) return "not here";
  const [kind, text] = [random.pick(KINDS), random.chance(0.6) ? newText(acting) : undefined];
  const options = { everywhere: random.chance(0.2) };
  const what = `${text === undefined ? "DELETE" : "PUT"} DOCUMENT ${kind} ${text ?? ""}`;
  if (kind === "policy" && text !== undefined && random.chance(0.5)) {
    const prepared = await call("PREPARE POLICY", (store) => store.preparePolicy(bucket, false));
    if (prepared.kind === "lost") return "lost";
    if (prepared.kind === "failed") return witness.judge(prepared.cause, "PREPARE POLICY", bucket);
  }
  const begun = documents.write(kind, text, what);
  const ended = await call(
    what,
    (store) =>
      text === undefined
        ? store.deleteDocument(bucket, kind, options)
        : store.putDocument(bucket, kind, text, options),
  );
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") return witness.judge(ended.cause, what, bucket);
  // No gateway shows an older one any more, however long it may show what it has read.
  begun.end("done", documents.now() - (options.everywhere ? LEASE : 0));
  return "done";
}

/** Changes a document: of changes at the same time none is lost. */
export async function changeDocument(acting: Acting): Promise<string> {
  const { documents, random, bucket, call, witness } = acting;
  if (bucket === acting.fleeting) return "not here";
  const [kind, isDeleting] = [random.pick(KINDS), random.chance(0.2)];
  const what = `CHANGE DOCUMENT ${kind}`;
  let last: { readonly text: string | undefined; readonly begun: Begun } | undefined;
  const ended = await call(what, (store) =>
    store.changeDocument(bucket, kind, (present) => {
      if (last !== undefined) documents.overtake(last.text);
      const text = isDeleting ? undefined : newText(acting);
      if (text === present) {
        last = undefined;
        return text;
      }
      const shown = `${what} from ${present ?? "none"} to ${text ?? "none"}`;
      last = { text, begun: documents.write(kind, text, shown, present ?? null) };
      return text;
    }));
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") return witness.judge(ended.cause, what, bucket);
  last?.begun.end("done");
  return "done";
}

/** Reads a document. */
export function readDocument(acting: Acting): Promise<string> {
  if (acting.bucket === acting.fleeting) return Promise.resolve("not here");
  return readKind(acting, acting.random.pick(KINDS));
}

/** Reads all documents. */
export async function readDocuments(acting: Acting): Promise<void> {
  for (const kind of KINDS) await readKind(acting, kind);
}

async function readKind(acting: Acting, kind: DocumentKind): Promise<string> {
  const { documents, random, bucket, call, witness } = acting;
  const from = documents.now();
  const what = `READ DOCUMENT ${kind}`;
  const ended = await call(what, async (store) => {
    const known = random.chance(0.5) ? store.knownDocument(bucket, kind) : undefined;
    return known === undefined ? await store.readDocument(bucket, kind) ?? null : known;
  });
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") return witness.judge(ended.cause, what, bucket);
  documents.saw(kind, from, ended.value, what);
  return ended.value === null ? "none" : "done";
}

/** Returns the account that an owner's record names. */
function accountOf(text: string): Value {
  return (JSON.parse(text) as { readonly account?: string }).account ?? null;
}

function newText({ random }: Acting): string {
  return random.next().toString(36).slice(2).padEnd(20 + random.below(40), "x");
}
