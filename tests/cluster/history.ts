/**
 * The history of every key, and a check whether it is possible: whether each key behaved as a register that every write
 * changes at one moment between its call and its response.
 *
 * A write without a response happened at some moment after its call, or never. Every written value is unique, so a read
 * identifies the write that it saw. The search is that of Wing and Gong, with Lowe's memory of visited states.
 * See https://www.cs.ox.ac.uk/people/gavin.lowe/LinearizabiltyTesting/paper.pdf
 * @module
 */

/** The value of a key: an ETag that only one write has, or null for no object. */
export type Value = string | null;

/** A condition that an operation demanded of the key, or observed. */
export type Demand = { readonly is: Value } | { readonly isNot: Value };

/** An operation on a key; times are milliseconds of one clock. */
export type Event = {
  readonly from: number;
  /** Infinity if no response arrived. */
  to: number;
  readonly demand?: Demand;
  /** The new value of the key; undefined for a read. */
  readonly sets?: Value;
  /** Whether it may never have happened. */
  optional: boolean;
  /** A description for people. */
  readonly what: string;
};

/** The outcome of an operation. */
export type Ending =
  /** It happened. */
  | "done"
  /** It may have happened, or may still happen. */
  | "unknown"
  /** It did not happen, because its condition was not met. */
  | "refused";

/** An operation in progress. */
export type Begun = {
  /** @param at By when it had happened; now by default. */
  readonly end: (ending: Ending, at?: number) => void;
};

/** Number of steps after which a search gives up. */
const MAX_STEPS = 1_000_000;

/** The histories of keys. */
export class History {
  readonly #keys = new Map<string, Event[]>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get keys(): readonly string[] {
    return [...this.#keys.keys()];
  }

  get size(): number {
    let size = 0;
    for (const events of this.#keys.values()) size += events.length;
    return size;
  }

  /** Begins a write; it counts as unanswered until `end` is called. */
  write(key: string, sets: Value, what: string, condition?: Value): Begun {
    const event: Event = {
      from: this.#now(),
      to: Infinity,
      optional: true,
      sets,
      what,
      ...(condition !== undefined && { demand: { is: condition } }),
    };
    const events = this.#eventsOf(key);
    events.push(event);
    return {
      end: (ending, to = this.#now()) => {
        if (ending === "unknown") return;
        if (ending === "done") {
          event.to = to;
          event.optional = false;
          return;
        }
        if (condition === undefined) {
          throw new TypeError("Cannot refuse a write that has no condition");
        }
        const { from, what } = event;
        const demand = { isNot: condition };
        events[events.indexOf(event)] = {
          from,
          to,
          optional: false,
          what: `refused ${what}`,
          demand,
        };
      },
    };
  }

  /** Adds a read that began at `from` and ends now. */
  read(key: string, from: number, value: Value, what: string): void {
    const event = { from, to: this.#now(), optional: false, what, demand: { is: value } };
    this.#eventsOf(key).push(event);
  }

  /** Explains why the history of a key is impossible; returns undefined if it is possible. */
  explain(key: string): string | undefined {
    const events = this.#eventsOf(key);
    let stuck: Event | undefined;
    let verdict = "is impossible";
    try {
      stuck = findImpossible(events);
      if (stuck === undefined) return undefined;
    } catch {
      verdict = "could not be judged";
    }
    const lines = [...events].sort((a, b) => a.from - b.from).map((event) =>
      `${event === stuck ? ">" : " "} ${event.from.toFixed(1)}–${event.to.toFixed(1)} ${event.what}`
    );
    return `The history of "${key}" ${verdict}:\n${lines.join("\n")}`;
  }

  /** Returns the events of a key. */
  eventsOf(key: string): readonly Event[] {
    return this.#eventsOf(key);
  }

  #eventsOf(key: string): Event[] {
    const events = this.#keys.get(key) ?? [];
    this.#keys.set(key, events);
    return events;
  }
}

/**
 * Searches for a possible order of the events, starting from a key without an object.
 *
 * @returns the event at which the search got stuck, or undefined if an order exists
 * @throws Error when the search gives up
 */
export function findImpossible(events: readonly Event[]): Event | undefined {
  const all = withKnownEnds(events).sort((a, b) => a.event.from - b.event.from);
  const seen = new Set<string>();
  const done = new Uint8Array(all.length);
  let left = all.filter(({ optional }) => !optional).length;
  let best = Infinity;
  let stuck: Event | undefined;
  let steps = 0;

  const search = (state: Value, first: number): boolean => {
    if (++steps > MAX_STEPS) throw new Error("Cannot decide whether a history is possible");
    const taken: number[] = [];
    const take = (i: number): void => {
      done[i] = 1;
      if (all[i]?.optional === false) left--;
      taken.push(i);
    };
    const undo = (): false => {
      for (const i of taken) {
        done[i] = 0;
        if (all[i]?.optional === false) left++;
      }
      return false;
    };

    // A read that fits the state may come now, because it changes nothing.
    let begin = first;
    let candidates: number[] = [];
    for (let again = true; again;) {
      again = false;
      candidates = [];
      while (begin < all.length && done[begin] === 1) begin++;
      let end = Infinity;
      for (let i = begin; i < all.length; i++) {
        const item = all[i];
        if (item === undefined || item.event.from > end) break;
        if (done[i] === 1) continue;
        if (!item.optional) end = Math.min(end, item.to);
      }
      for (let i = begin; i < all.length; i++) {
        const item = all[i];
        if (item === undefined || item.event.from > end) break;
        if (done[i] === 1 || !meets(state, item.event.demand)) continue;
        if (item.event.sets === undefined) {
          take(i);
          again = true;
        } else candidates.push(i);
      }
    }
    if (left === 0) return true;
    if (left < best) {
      best = left;
      stuck = all.filter(({ optional }, i) => !optional && done[i] === 0)
        .reduce((a, b) => b.to < a.to ? b : a).event;
    }
    const place = `${state} ${begin} ${done.subarray(begin, done.lastIndexOf(1) + 1).join("")}`;
    if (seen.has(place)) return undo();
    seen.add(place);

    // Try the mandatory writes first, in order of urgency, and then the optional ones.
    candidates.sort((a, b) => rank(all[a]) - rank(all[b]));
    const tried = new Set<string>([`true ${state}`]);
    // Each value is written only once, so it must not be replaced before all its readers have seen it.
    const awaited = state === null ? 0 : all.reduce((sum, { event: { demand }, optional }, i) => {
      return sum + (done[i] === 0 && !optional && isDemanded(demand, state) ? 1 : 0);
    }, 0);
    for (const i of candidates) {
      const item = all[i];
      if (item?.event.sets === undefined) continue;
      const { optional, event: { demand, sets } } = item;
      if (awaited > (!optional && isDemanded(demand, state) ? 1 : 0)) continue;
      if (demand === undefined) {
        // Among writes with the same effect, trying the most urgent one is enough.
        const same = `${optional} ${sets}`;
        if (tried.has(same)) continue;
        tried.add(same);
      }
      done[i] = 1;
      if (!item.optional) left--;
      if (search(item.event.sets, begin)) return true;
      done[i] = 0;
      if (!item.optional) left++;
    }
    return undo();
  };
  return search(null, 0) ? undefined : stuck;
}

type Item = { readonly event: Event; readonly optional: boolean; readonly to: number };

function rank(item: Item | undefined): number {
  return item === undefined || item.optional ? Number.MAX_VALUE : item.to;
}

/** Stands for every written value that no read saw: such values are interchangeable. */
const UNSEEN = "unseen";

/** Limits an unanswered write to the time before its value was seen, and drops one that explains nothing. */
function withKnownEnds(events: readonly Event[]): Item[] {
  const seenAt = new Map<Value, number>();
  const named = new Set<Value>();
  let refusals = false;
  for (const { demand, to, optional } of events) {
    if (demand === undefined) continue;
    named.add("is" in demand ? demand.is : demand.isNot);
    if ("isNot" in demand) refusals = true;
    else if (!optional) seenAt.set(demand.is, Math.min(to, seenAt.get(demand.is) ?? Infinity));
  }
  return events.flatMap((event): Item[] => {
    const { optional, sets, to } = event;
    if (sets === undefined || sets === null) return [{ event, optional, to }];
    const seen = seenAt.get(sets);
    if (seen !== undefined) return [{ event, optional: false, to: Math.min(to, seen) }];
    if (optional && !refusals) return [];
    return [{ event: named.has(sets) ? event : { ...event, sets: UNSEEN }, optional, to }];
  });
}

function isDemanded(demand: Demand | undefined, state: Value): boolean {
  return demand !== undefined && "is" in demand && demand.is === state;
}

function meets(state: Value, demand: Demand | undefined): boolean {
  if (demand === undefined) return true;
  return "is" in demand ? state === demand.is : state !== demand.isNot;
}
