import { strictEqual } from "node:assert/strict";
import type { LeaderMessage } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import { readFirst } from "./read_first.ts";

/** A leader whose messages of each filter appear in an order: `appear` is called before each answer. */
function leaderOf(
  appear: (filter: string, call: number) => readonly number[],
): Pick<Requests, "leaderGet"> {
  let calls = 0;
  return {
    leaderGet(_, query) {
      if (!("next_by_subj" in query)) throw new TypeError("Not what readFirst() asks");
      const { next_by_subj: filter, seq = 0 } = query;
      const found = appear(filter, ++calls).find((sequence) => sequence >= seq);
      const message = found === undefined ? undefined : { sequence: found, subject: filter };
      return Promise.resolve(message as LeaderMessage | undefined);
    },
  };
}

Deno.test("readFirst() returns the first message of all filters", async () => {
  const stored: Readonly<Record<string, readonly number[]>> = { a: [2, 9], b: [5, 7], c: [] };
  const leader = leaderOf((filter) => stored[filter] ?? []);
  const found = async (seq: number): Promise<number | undefined> =>
    (await readFirst(leader, "stream", seq, ["a", "b", "c"]))?.sequence;
  strictEqual(await found(1), 2);
  strictEqual(await found(3), 5);
  strictEqual(await found(8), 9);
  strictEqual(await found(10), undefined);
});

Deno.test("readFirst() misses no message that is stored between the answers to two filters", async () => {
  // The leader answers about a; then 19 is stored for a and 20 for b; then it answers about b.
  const leader = leaderOf((filter, call) => filter === "b" ? [20] : call === 1 ? [] : [19]);
  strictEqual((await readFirst(leader, "stream", 1, ["a", "b"]))?.sequence, 19);
});
