/**
 * The versions of a bucket's keys, as the server holds them from moment to moment. Everything that clients are told must be so
 * at some moment of their request; and no step of anybody may take a version away that nobody has asked to remove, bring
 * one back, or touch one that is locked.
 * @module
 */

import { parseChunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import {
  infoSubject,
  keyOfSubject,
  parseSubjectOf,
  versionOfSubject,
} from "../../src/nats/layout/subjects.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { NULL_VERSION, type VersionId } from "../../src/s3/version_id.ts";
import { type HeldVersions, heldVersions, shown } from "./held_versions.ts";
import { EPOCH } from "./home.ts";
import type { StoreChange, Stored } from "./jetstream/message_store.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Stream } from "./jetstream/stream.ts";
import type { Value } from "../cluster/history.ts";
import { explainStep, type Wishes } from "./version_steps.ts";

/** The versions of a key from one moment until the next state begins. */
export type VersionState = HeldVersions & { readonly since: number; readonly at: number };

type KeyRecords = { current: Stored | undefined; readonly versions: Map<VersionId, Stored> };

const NOTHING: HeldVersions = { versions: [], hasCurrent: false };

/** What versions are judged by. */
type KeyVersionsOptions =
  & Pick<KeyVersions, "hasNatives" | "spoilt" | "losesTags" | "mayBeFull" | "lifecycle">
  & {
    readonly moment: () => number;
    /** Simulated time. */
    readonly now: () => number;
    /** Called for each violation. */
    readonly object: (text: string) => void;
  };

/** What clients have asked for, and natives may have done. */
export class KeyVersions implements Wishes {
  readonly #name: StoreName;
  readonly #moment: () => number;
  readonly #now: () => number;
  readonly #object: (text: string) => void;
  #stream: Stream | undefined;
  readonly #records = new Map<ObjectKey, KeyRecords>();
  readonly #states = new Map<ObjectKey, VersionState[]>();
  readonly #changed = new Set<ObjectKey>();
  /** Since when versioning is enabled; undefined if it may not be. */
  #enabledSince: number | undefined;
  #suspensions = 0;
  /** Since when all gateways keep versions. */
  #preparedSince: number | undefined;
  /** Versions that were removed, as `key id`. */
  readonly gone = new Set<string>();
  /** Versions that clients have asked to remove; the value tells whether with the bypass. */
  readonly removing = new Map<string, boolean>();
  /** Versions whose locks clients have asked to weaken. */
  readonly weakening = new Set<string>();
  /** Versions that clients know, by key. */
  readonly known = new Map<ObjectKey, Map<VersionId, Value>>();
  /** Native clients destroy current versions. */
  readonly hasNatives!: boolean;
  /** ETags whose bytes native clients have purged. */
  readonly spoilt!: ReadonlySet<string>;
  readonly losesTags!: (etag: string) => void;
  readonly mayBeFull!: () => boolean;
  readonly lifecycle!: Lifecycle | undefined;

  constructor(name: StoreName, { moment, now, object, ...rest }: KeyVersionsOptions) {
    this.#name = name;
    this.#moment = moment;
    this.#now = () => EPOCH + now();
    this.#object = object;
    Object.assign(this, rest);
  }

  /** Tells whether versioning is enabled for all that clients know. */
  get isEnabledNow(): boolean {
    return this.#enabledSince !== undefined;
  }

  /** Tells whether versioning has been enabled everywhere since before a moment. */
  isEnabledSince(moment: number): boolean {
    return this.#enabledSince !== undefined && this.#enabledSince <= moment;
  }

  /** Tells whether all gateways have kept versions since before a moment. */
  isPreparedSince(moment: number): boolean {
    return this.#preparedSince !== undefined && this.#preparedSince <= moment;
  }

  /** Hears that all gateways keep versions. */
  prepared(): void {
    this.#preparedSince ??= this.#moment();
  }

  /** Hears that somebody begins to switch versioning. Returns a number for {@linkcode KeyVersions.enabled}. */
  switches(isSuspending: boolean): number {
    if (!isSuspending) return this.#suspensions;
    this.#enabledSince = undefined;
    return ++this.#suspensions;
  }

  /** Hears that versioning is enabled everywhere, unless somebody has begun to suspend it meanwhile. */
  enabled(began: number): void {
    if (began !== this.#suspensions) return;
    this.prepared();
    this.#enabledSince ??= this.#moment();
  }

  /** The server's time of day, in milliseconds since 1970. */
  get time(): number {
    return this.#now();
  }

  /** Begins to hear of a stream. */
  follow(stream: Stream): void {
    this.#stream = stream;
    stream.copies[0]?.consumers.add(this);
    this.beginAnew();
  }

  /** Begins again with what the server holds now, for example after a power failure. */
  beginAnew(): void {
    this.#records.clear();
    this.#states.clear();
    this.#changed.clear();
    this.gone.clear();
    this.#enabledSince = undefined;
    this.#preparedSince = undefined;
    const { store } = this.#stream ?? {};
    for (const subject of store?.subjects.keys() ?? []) this.#note(subject, store?.last(subject));
    for (const key of this.#changed) {
      this.#states.set(key, [{ since: 0, at: 0, ...this.#held(key) }]);
    }
    this.#changed.clear();
  }

  /** Hears of a change. */
  changed(change: StoreChange, removed: readonly Stored[]): void {
    if (change.kind === "store") {
      this.#note(change.message.subject, change.message);
      return;
    }
    const groups = new Set<string>();
    for (const { subject } of removed) {
      this.#note(subject, this.#stream?.store.last(subject));
      const chunk = parseChunkSubject(this.#name, subject);
      if (chunk?.kind === "group") groups.add(chunk.nuid);
      // Parts that an object does not use are purged while it stands, but not what says where the others are.
      const layout = parseSubjectOf("layout", this.#name, subject);
      if (layout !== undefined && change.kind !== "rollup") groups.add(layout.nuid);
    }
    if (groups.size > 0) this.#checkPurged(groups);
  }

  /** Hears that the changes so far belong together. */
  deliverNew(): void {
    if (this.#changed.size === 0) return;
    const since = this.#moment();
    for (const key of this.#changed) {
      const states = this.#states.get(key) ?? [];
      this.#states.set(key, states);
      const before = states.at(-1) ?? NOTHING;
      const after = this.#held(key);
      states.push({ since, at: this.time, ...after });
      for (const text of explainStep(key, before, after, this)) this.#object(text);
    }
    this.#changed.clear();
  }

  /** Returns the states of a key that overlap a time, and the one before them. */
  between(key: ObjectKey, from: number, to: number): readonly VersionState[] {
    const states = this.#states.get(key) ?? [];
    const first = states.findLastIndex(({ since }) => since <= from);
    const overlapping = states.slice(Math.max(first, 0)).filter(({ since }) => since <= to);
    return first < 0 ? [{ since: 0, at: 0, ...NOTHING }, ...overlapping] : overlapping;
  }

  /** Returns the states of a key since a time, and the one before them. */
  statesSince(key: ObjectKey, time: number): readonly HeldVersions[] {
    const states = this.#states.get(key) ?? [];
    return states.slice(Math.max(states.findLastIndex(({ at }) => at <= time), 0));
  }

  /** Tells whether a key was in a certain state at one moment of a time. */
  was(
    key: ObjectKey,
    from: number,
    fits: (state: HeldVersions, before: HeldVersions | undefined) => boolean,
    to: number = this.#moment(),
  ): boolean {
    const states = this.between(key, from, to);
    return states.some((state, i) => fits(state, states[i - 1]));
  }

  /** Returns the versions of a key now. */
  present(key: ObjectKey): HeldVersions {
    return this.#states.get(key)?.at(-1) ?? NOTHING;
  }

  /** Notes that a client knows a version. */
  knows(key: ObjectKey, id: VersionId, value: Value): void {
    const known = this.known.get(key) ?? new Map<VersionId, Value>();
    this.known.set(key, known.set(id, value));
  }

  /** Describes the states of a key, for people. */
  describe(key: ObjectKey, from: number, to: number): string {
    return this.between(key, from, to).map(({ since, ...state }) => `${since} ${shown(state)}`)
      .join("; ");
  }

  #note(subject: string, message: Stored | undefined): void {
    const version = versionOfSubject(this.#name, subject);
    const key = version?.key ?? keyOfSubject(this.#name, subject);
    if (key === undefined) return;
    const records = this.#records.get(key) ?? { current: undefined, versions: new Map() };
    this.#records.set(key, records);
    this.#changed.add(key);
    if (version === undefined) {
      records.current = message ?? this.#stream?.store.last(infoSubject(this.#name, key));
    } else if (message === undefined) records.versions.delete(version.id);
    else records.versions.set(version.id, message);
  }

  #held(key: ObjectKey): HeldVersions {
    const records = this.#records.get(key);
    return records === undefined ? NOTHING : heldVersions(key, records.current, records.versions);
  }

  #checkPurged(groups: ReadonlySet<string>): void {
    for (const [key, states] of this.#states) {
      for (const { id, nuid, value } of states.at(-1)?.versions ?? []) {
        if (nuid === undefined || !groups.has(nuid)) continue;
        if (this.hasNatives && (id === NULL_VERSION || this.spoilt.has(value ?? ""))) continue;
        if (this.#changed.has(key)) continue; // a full bucket loses object info at the same time
        this.#object(`The bytes of version ${id} of ${key} (${value}) are purged`);
      }
    }
  }
}
