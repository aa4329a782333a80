/**
 * The history of every key, and whether it is possible: whether each key behaved as a register that changes at one moment
 * of each write, between its call and its answer.
 *
 * A write without an answer happened at some moment after its call, or never. Each written value is another one, so a
 * read says which write it saw. The search is that of Wing and Gong with Lowe's memory of places it has been at.
 * See https://www.cs.ox.ac.uk/people/gavin.lowe/LinearizabiltyTesting/paper.pdf
 * @module
 */

/** What a key holds: an ETag that one write alone has, or null for no object. */
export type Value = string | null;

/** What an operation demanded of, or saw in, the key. */
export type Demand = { readonly is: Value } | { readonly isNot: Value };

/** An operation on a key; times are milliseconds of one clock. */
export type Event = {
  readonly from: number;
  /** Infinity for one that was never answered. */
  to: number;
  readonly demand?: Demand;
  /** What it made the key hold; undefined for a read. */
  readonly sets?: Value;
  /** It may never have happened. */
  optional: boolean;
  /** For people. */
  readonly what: string;
};

/** How an operation ended. */
export type Ending =
  /** It happened. */
  | "done"
  /** It may have happened, or may yet happen. */
  | "unknown"
  /** It did not happen, because its condition was not met. */
  | "refused";

/** An operation that was begun. */
export type Begun = { readonly end: (ending: Ending) => void };

/** Steps after which a search gives up. */
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

  /** Begins a write; it counts as unanswered until it is ended. */
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
      end: (ending) => {
        if (ending === "unknown") return;
        const to = this.#now();
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

  /** Adds a read that began then and ends now. */
  read(key: string, from: number, value: Value, what: string): void {
    const event = { from, to: this.#now(), optional: false, what, demand: { is: value } };
    this.#eventsOf(key).push(event);
  }

  /** Why the history of a key is impossible; undefined when it is possible. */
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

  #eventsOf(key: string): Event[] {
    const events = this.#keys.get(key) ?? [];
    this.#keys.set(key, events);
    return events;
  }
}

/**
 * Searches for an order in which the events make sense, from a key that holds nothing.
 *
 * @returns the event at which the search got stuck, or undefined where there is an order
 * @throws Error when it cannot be decided
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

    // A read that fits may as well come now: it changes nothing.
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

    // Those that must come, the most urgent first; then those that may.
    candidates.sort((a, b) => rank(all[a]) - rank(all[b]));
    const tried = new Set<string>([`true ${state}`]);
    // A value is written once: it is not left while somebody has yet to see it.
    const awaited = state === null ? 0 : all.reduce((sum, { event: { demand }, optional }, i) => {
      return sum + (done[i] === 0 && !optional && isDemanded(demand, state) ? 1 : 0);
    }, 0);
    for (const i of candidates) {
      const item = all[i];
      if (item?.event.sets === undefined) continue;
      const { optional, event: { demand, sets } } = item;
      if (awaited > (!optional && isDemanded(demand, state) ? 1 : 0)) continue;
      if (demand === undefined) {
        // Of those that do the same the one that must come first is as good as any.
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

/** What a write made of a key that nobody saw: one such is like another. */
const UNSEEN = "unseen";

/** A write without an answer whose value was seen happened before it was seen; one that nobody needs is left out. */
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
