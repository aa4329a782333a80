import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Turn, Turns } from "./turns.ts";

/** Takes turns and notes the requests that have theirs, and those that have none. */
function follow(turns: Turns) {
  const ran: string[] = [];
  const refused: string[] = [];
  const given = new Map<string, Turn>();
  const take = async (name: string): Promise<void> => {
    const turn = turns.take(name.slice(0, 1));
    const has = turn instanceof Promise ? await turn : turn;
    if (has !== undefined) given.set(name, has);
    (has === undefined ? refused : ran).push(name);
  };
  const takeMany = (client: string, count: number): void => {
    for (let i = 1; i <= count; i++) take(`${client}${i}`);
  };
  /** Ends the turns, or their work, of those requests of a client that ran first. */
  const end = async (client: string, count: number, how: keyof Turn = "end"): Promise<void> => {
    const names = ran.filter((name) => name.startsWith(client) && given.has(name));
    for (const name of names.slice(0, count)) {
      given.get(name)?.[how]();
      if (how === "end") given.delete(name);
    }
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { ran, refused, takeMany, end };
}

Deno.test("Turns lets each client work on eight requests, and on the next ones in their order", async () => {
  const { ran, takeMany, end } = follow(new Turns());
  takeMany("a", 20);
  takeMany("b", 2);
  const first = Array.from({ length: 8 }, (_, i) => `a${i + 1}`);
  deepStrictEqual(ran, [...first, "b1", "b2"]);
  await end("a", 1, "endWork");
  await end("a", 1, "endWork");
  deepStrictEqual(ran.slice(10), ["a9"], "work ends once");
  await end("a", 2);
  deepStrictEqual(ran.slice(11), ["a10"]);
});

Deno.test("Turns lets a client alone have 64 responses that were not taken", async () => {
  const { ran, takeMany, end } = follow(new Turns());
  takeMany("a", 100);
  await end("a", 100, "endWork");
  for (let i = 0; i < 20; i++) await end("a", 100, "endWork");
  strictEqual(ran.length, 64);
  await end("a", 1);
  strictEqual(ran.length, 65);
});

Deno.test("Turns lets each client have sixteen responses although another one has all", async () => {
  const { ran, takeMany, end } = follow(new Turns());
  takeMany("a", 100);
  for (let i = 0; i < 20; i++) await end("a", 100, "endWork");
  takeMany("b", 20);
  for (let i = 0; i < 20; i++) await end("b", 100, "endWork");
  strictEqual(ran.length, 64 + 16);
  strictEqual(ran.at(-1), "b16");
  // As long as there are 64, only a client with less than sixteen gets another one.
  await end("a", 16);
  strictEqual(ran.length, 80);
  await end("b", 1);
  deepStrictEqual(ran.slice(80), ["a65", "b17"]);
  // Then they have turns one after the other.
  await end("a", 4);
  deepStrictEqual(ran.slice(82), ["a66", "b18", "a67"]);
});

Deno.test("Turns turns away the last request of the client that has most in line", async () => {
  const turns = new Turns();
  const { ran, refused, takeMany, end } = follow(turns);
  strictEqual(turns.turnAway(() => true), false, "nobody waits");
  takeMany("a", 10);
  takeMany("b", 11);
  strictEqual(turns.turnAway((client) => client === "c"), false);
  strictEqual(turns.turnAway((client) => client === "a"), true);
  strictEqual(turns.turnAway(() => true), true);
  for (let i = 0; i < 3; i++) await end("a", 10);
  for (let i = 0; i < 3; i++) await end("b", 10);
  deepStrictEqual(refused, ["a10", "b11"]);
  deepStrictEqual(ran.slice(16), ["a9", "b9", "b10"], "those that were turned away take no turn");
});

Deno.test("Turns tells clients apart from the moment when two have requests at work", () => {
  const turns = new Turns();
  const several = ["a", "a", "b", "a"].map((client) => turns.enter(client));
  deepStrictEqual(several, [false, false, true, true]);
  for (let i = 0; i < 3; i++) turns.leave();
  strictEqual(turns.enter("a"), true, "a request of before is still at work");
  for (let i = 0; i < 2; i++) turns.leave();
  strictEqual(turns.enter("c"), false);
  strictEqual(turns.enter(undefined), true);
});
