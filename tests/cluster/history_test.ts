import { ok, strictEqual } from "node:assert/strict";
import { type Event, findImpossible, History, type Value } from "./history.ts";

/** Parses `PUT a`, `PUT a?` (unanswered), `DELETE`, `DELETE?`, `GET a`, `GET -`, `PUT a if x` or `412 if x`. */
function event([from, to, what]: Row): Event {
  const [, verb, name, unknown, condition] =
    /^(PUT|DELETE|GET|412) ?([a-z-])?(\?)? ?(?:if ([a-z-]))?$/.exec(what) ?? [];
  const value = (text: string | undefined): Value =>
    text === undefined || text === "-" ? null : text;
  const optional = unknown !== undefined;
  const base = { from, to: optional ? Infinity : to, optional, what };
  const demand = condition !== undefined && { demand: { is: value(condition) } };
  if (verb === "PUT") return { ...base, sets: value(name), ...demand };
  if (verb === "DELETE") return { ...base, sets: null, ...demand };
  if (verb === "GET") return { ...base, demand: { is: value(name) } };
  if (verb === "412") return { ...base, demand: { isNot: value(condition) } };
  throw new TypeError(`Cannot read "${what}"`);
}

type Row = readonly [from: number, to: number, what: string];

const IMPOSSIBLE: Readonly<Record<string, readonly Row[]>> = {
  "an acknowledged write is lost": [[0, 1, "PUT a"], [2, 3, "GET -"]],
  "an acknowledged overwrite is lost": [[0, 1, "PUT a"], [2, 3, "PUT b"], [4, 5, "GET a"]],
  "a read is stale": [[0, 1, "PUT a"], [2, 3, "PUT b"], [4, 5, "GET b"], [6, 7, "GET a"]],
  "a deleted object comes back": [[0, 1, "PUT a"], [2, 3, "DELETE"], [4, 5, "GET a"]],
  "a value comes back over a newer one": [
    [0, 9, "PUT a"],
    [0, 9, "PUT b"],
    [1, 2, "GET a"],
    [3, 4, "GET b"],
    [5, 6, "GET a"],
  ],
  "a value was never written": [[0, 1, "PUT a"], [2, 3, "GET z"]],
  "a value is read before it is written": [[0, 1, "GET a"], [2, 3, "PUT a"]],
  "an unanswered write is seen and then not": [
    [0, 1, "PUT a"],
    [2, 3, "PUT b?"],
    [4, 5, "GET b"],
    [6, 7, "GET a"],
  ],
  "an unanswered write undoes a newer one twice": [
    [0, 1, "PUT a"],
    [2, 3, "PUT b?"],
    [4, 5, "GET b"],
    [6, 7, "PUT c"],
    [8, 9, "GET c"],
    [10, 11, "GET b"],
  ],
  "an unanswered delete explains one absence, not two": [
    [0, 1, "PUT a"],
    [2, 3, "DELETE?"],
    [4, 5, "GET -"],
    [6, 7, "PUT b"],
    [8, 9, "GET -"],
  ],
  "two win who each expect nothing": [[0, 9, "PUT a if -"], [0, 9, "PUT b if -"]],
  "two win who expect the same": [[0, 1, "PUT a"], [2, 9, "PUT b if a"], [2, 9, "PUT c if a"]],
  "one wins who expects what was replaced": [[0, 1, "PUT a"], [2, 3, "PUT b"], [
    4,
    5,
    "PUT c if a",
  ]],
  "one is refused who expects nothing where there is nothing": [[0, 1, "412 if -"]],
  "one is refused who expects what is there": [[0, 1, "PUT a"], [2, 3, "412 if a"]],
};

const POSSIBLE: Readonly<Record<string, readonly Row[]>> = {
  "nothing": [],
  "one after the other": [[0, 1, "PUT a"], [2, 3, "GET a"], [4, 5, "DELETE"], [6, 7, "GET -"]],
  "two at once end with either": [[0, 9, "PUT a"], [1, 8, "PUT b"], [10, 11, "GET a"]],
  "a read at the same time sees old or new": [
    [0, 1, "PUT a"],
    [2, 9, "PUT b"],
    [3, 4, "GET a"],
    [5, 6, "GET b"],
  ],
  "an unanswered write lands late": [
    [0, 1, "PUT a"],
    [2, 3, "PUT b?"],
    [4, 5, "GET a"],
    [6, 7, "PUT c"],
    [8, 9, "GET c"],
    [10, 11, "GET b"],
  ],
  "an unanswered write never lands": [[0, 1, "PUT a"], [2, 3, "PUT b?"], [4, 5, "GET a"]],
  "an unanswered delete explains an absence": [[0, 1, "PUT a"], [2, 3, "DELETE?"], [4, 5, "GET -"]],
  "an unanswered write that nobody saw explains a refusal": [[0, 1, "PUT a?"], [2, 3, "412 if -"]],
  "one of two wins": [[0, 9, "PUT a if -"], [0, 9, "412 if -"], [10, 11, "GET a"]],
};

for (const [name, told] of Object.entries(IMPOSSIBLE)) {
  Deno.test(`findImpossible() finds that ${name}`, () => {
    ok(findImpossible(told.map(event)) !== undefined);
  });
}

for (const [name, told] of Object.entries(POSSIBLE)) {
  Deno.test(`findImpossible() allows that ${name}`, () => {
    strictEqual(findImpossible(told.map(event)), undefined);
  });
}

Deno.test("findImpossible() agrees with trying every order", () => {
  const random = randomNumbers(7);
  const outcomes = { possible: 0, impossible: 0 };
  for (let round = 0; round < 3000; round++) {
    const told: Row[] = [];
    for (let i = 0; i < 6; i++) {
      const from = random(12) + i / 10;
      const to = from + 0.5 + random(8) + i / 100;
      const seen = "ab-"[random(3)];
      const name = "abcdef"[i];
      const doubt = random(4) === 0 ? "?" : "";
      told.push([
        from,
        to,
        [
          `PUT ${name}${doubt}`,
          `PUT ${name}${doubt} if ${seen}`,
          `DELETE${doubt}`,
          `GET ${seen}`,
          `GET ${"abcdef"[random(6)]}`,
          `412 if ${seen}`,
        ][random(6)] ?? "",
      ]);
    }
    const events = told.map(event);
    const possible = tryAll(events);
    strictEqual(findImpossible(events) === undefined, possible, JSON.stringify(told));
    outcomes[possible ? "possible" : "impossible"]++;
  }
  ok(Math.min(...Object.values(outcomes)) > 100, JSON.stringify(outcomes));
});

Deno.test("findImpossible() judges long histories of many clients, with many writes unanswered", () => {
  const random = randomNumbers(11);
  for (let round = 0; round < 40; round++) {
    const events = register(random, 400);
    strictEqual(findImpossible(events), undefined);
    // A read that sees a value that was replaced long before.
    const reads = events.filter(({ sets, demand }) => sets === undefined && demand !== undefined);
    const [first, last] = [reads[reads.length >> 2], reads.at(-1)];
    if (first?.demand === undefined || last === undefined || !("is" in first.demand)) continue;
    if (first.demand.is === null) continue;
    const changed = events.map((event) =>
      event === last ? { ...last, demand: first.demand } : event
    );
    ok(findImpossible(changed as Event[]) !== undefined);
  }
});

/** Returns the events of a correct register: each operation happens at one moment between call and response. */
function register(random: (limit: number) => number, count: number): Event[] {
  const planned = Array.from({ length: count }, (_, i) => {
    const from = i * 10 + random(10);
    const to = from + 1 + random(80);
    return {
      from,
      to,
      at: from + (to - from) * random(100) / 100,
      kind: random(10),
      name: `v${i}`,
    };
  }).sort((a, b) => a.at - b.at);
  let state: Value = null;
  return planned.map(({ from, to, kind, name }): Event => {
    const base = { from, to, optional: false, what: name };
    if (kind < 4) return { ...base, demand: { is: state } };
    if (kind === 4) {
      if (state !== null) return { ...base, demand: { isNot: null } };
      state = name;
      return { ...base, sets: name, demand: { is: null } };
    }
    const sets = kind === 5 ? null : name;
    const unanswered = random(8) === 0;
    if (!unanswered || random(2) === 0) state = sets;
    return unanswered ? { ...base, to: Infinity, optional: true, sets } : { ...base, sets };
  });
}

/** Tries every order, and every choice of the optional events. */
function tryAll(left: readonly Event[], state: Value = null): boolean {
  if (left.every(({ optional }) => optional)) return true;
  return left.some((event) => {
    const others = left.filter((other) => other !== event);
    if (others.some((other) => !other.optional && other.to < event.from)) return false;
    const { demand, sets } = event;
    if (demand !== undefined && ("is" in demand ? demand.is !== state : demand.isNot === state)) {
      return false;
    }
    return tryAll(others, sets === undefined ? state : sets);
  });
}

/** Returns a source of whole numbers below a limit; it is the same in every run. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

Deno.test("History tells what happened around an impossible read", () => {
  let time = 0;
  const history = new History(() => time++);
  history.write("k", "a", "PUT a").end("done");
  history.write("k", "b", "PUT b", null).end("refused");
  history.write("k", "c", "PUT c").end("unknown");
  history.read("k", time++, "a", "GET a");
  strictEqual(history.explain("k"), undefined);
  history.read("k", time++, "c", "GET c");
  strictEqual(history.explain("k"), undefined);
  history.read("k", time++, "a", "GET a, again");
  ok(history.explain("k")?.includes("9.0–10.0 GET a, again"), history.explain("k"));
  strictEqual(history.size, 6);
});
