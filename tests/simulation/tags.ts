/**
 * The tags of objects: those of each object are a register, which goes with it when it is renamed, and begins anew with each PUT.
 * @module
 */

import type { ObjectProperties } from "../../src/s3/metadata.ts";
import type { Begun, Value } from "../cluster/history.ts";
import type { Acting } from "./clients.ts";
import type { Random } from "./random.ts";
import { placeOf, type Witness } from "./witness.ts";

/** The tag that clients change. */
const TAG = "t";

/** Returns the place of an object's tag in the histories. */
export const tagPlace = (etag: string): string => `tag of ${etag}`;

/** Returns what an object has as its tag. */
export const tagOf = ({ tags }: Pick<ObjectProperties, "tags">): Value => tags[TAG] ?? null;

/** Returns tags with a value that no other tag has, or none. */
export function newTags(random: Random, share: number): ObjectProperties["tags"] {
  return random.chance(share) ? { [TAG]: random.next().toString(36).slice(2) } : {};
}

/** Judges the tags of objects, which their ETags name. */
export class Tags {
  readonly #witness: Witness;
  /** Objects whose tags are judged. */
  #judged = new Set<string>();
  /** Objects that clients have tried to rename. */
  readonly #moving = new Set<string>();

  constructor(witness: Witness) {
    this.#witness = witness;
  }

  /** Notes the tags with which an object will be put. */
  begin(etag: string, tags: ObjectProperties["tags"]): void {
    this.#judged.add(etag);
    const value = tagOf({ tags });
    if (value === null) return;
    this.#witness.history.write(tagPlace(etag), value, `PUT with ${value}`).end("done");
  }

  /** Begins a change of an object's tags. */
  change(etag: string, tags: ObjectProperties["tags"], what: string): Begun {
    const begun = this.#witness.history.write(tagPlace(etag), tagOf({ tags }), what);
    return {
      // Of an object that was renamed meanwhile, the answer says nothing: another object has its key.
      end: (ending) => begun.end(this.#moving.has(etag) ? "unknown" : ending),
    };
  }

  /** Notes what a reader saw. */
  saw(from: number, etag: string, properties: ObjectProperties, what: string): void {
    if (this.#judged.has(etag)) this.#witness.saw(tagPlace(etag), from, tagOf(properties), what);
  }

  /** Hears that an object is about to be renamed. */
  moves(etag: string): void {
    this.#moving.add(etag);
  }

  /** Hears that another object gets the same ETag, so that tags do not tell whose they are. */
  share(etag: string): void {
    this.#judged.delete(etag);
  }

  /** Hears that a native client destroyed the last change of an object's tags. */
  loses(etag: string): void {
    this.#judged.delete(etag);
  }

  /** Judges only objects that the server has, from now on. */
  beginAnew(etags: ReadonlySet<string>): void {
    this.#judged = this.#judged.intersection(etags);
  }
}

/** Ends the change of the object that a request has read. If it has read several, the answer does not tell which one has the tags. */
export function endChange(begun: ReadonlyMap<string, Begun>): void {
  if (begun.size === 1) { for (const one of begun.values()) one.end("done"); }
}

/** Changes or deletes the tags of an object, which changes nothing that its ETag tells. */
export async function tag(acting: Acting): Promise<string> {
  const { bucket, keys, witness, tags, random, call } = acting;
  const key = random.pick(keys);
  const from = witness.now();
  const wanted = newTags(random, 0.75);
  const what = `TAG ${key} ${tagOf({ tags: wanted }) ?? "with nothing"}`;
  const begun = new Map<string, Begun>();
  const ended = await call(what, (store) =>
    store.putObjectTags(bucket, key, wanted, {
      check({ etag }) {
        if (!begun.has(etag)) begun.set(etag, tags.change(etag, wanted, what));
      },
    }));
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "done") {
    const [first] = begun.keys();
    if (first !== undefined) witness.saw(placeOf(bucket, key), from, first, "TAG");
    endChange(begun);
    return "done";
  }
  if (witness.isMissing(ended.cause, bucket)) {
    witness.saw(placeOf(bucket, key), from, null, "TAG");
    return "none";
  }
  return witness.judge(ended.cause, what, bucket);
}
