import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { workFor } from "../../streams/clients_work.ts";
import { enterWorld, type World } from "../../world/world.ts";
import { KeyLines, type Line } from "./key_lines.ts";

/** Lets writers join and notes whose turn it is, in this order. */
function follow(lines: KeyLines) {
  const turns: string[] = [];
  const held: Line[] = [];
  const join = (name: string, subject = "subject"): void => {
    workFor(name.slice(0, 1), async () => {
      const line = await lines.join(subject);
      turns.push(name);
      held.push(line);
    });
  };
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  const leave = async (): Promise<void> => {
    await settle();
    const line = held.shift();
    ok(line);
    lines.leave(line);
    await settle();
  };
  return { turns, join, settle, leave };
}

Deno.test("KeyLines gives each client's writers of a subject their turn, one at a time", async () => {
  const lines = new KeyLines();
  const { turns, join, settle, leave } = follow(lines);
  for (const name of ["a1", "a2", "a3", "b1"]) join(name);
  join("c1", "another subject");
  await settle();
  deepStrictEqual(turns, ["a1", "c1"]);
  strictEqual(lines.has("subject"), true);
  await leave();
  await leave();
  await leave();
  deepStrictEqual(turns, ["a1", "c1", "a2", "b1"]);
  await leave();
  await leave();
  deepStrictEqual(turns, ["a1", "c1", "a2", "b1", "a3"]);
  strictEqual(lines.isEmpty, true);
});

Deno.test("KeyLines lets all writers go when a turn takes too long", async () => {
  const timers = new Map<number, () => void>();
  let made = 0;
  const startTimer: World["startTimer"] = (milliseconds, run) => {
    strictEqual(milliseconds, 1000);
    timers.set(++made, run);
    return made;
  };
  const world: World = {
    wallClock: () => 0,
    monotonic: () => 0,
    startTimer,
    stopTimer: (timer) => void timers.delete(timer as number),
    startTicker: startTimer,
    stopTicker() {},
    randomBytes: (length) => new Uint8Array(length),
  };
  using _world = enterWorld(world);
  const lines = new KeyLines();
  const { turns, join, settle, leave } = follow(lines);
  for (const name of ["a1", "a2", "a3"]) join(name);
  await settle();
  deepStrictEqual(turns, ["a1"]);
  timers.get(1)?.();
  strictEqual(lines.isEmpty, true, "those who come next are not in this line");
  await settle();
  deepStrictEqual(turns, ["a1", "a2", "a3"]);
  join("b1");
  await settle();
  deepStrictEqual(turns, ["a1", "a2", "a3", "b1"]);
  join("b2");
  for (let i = 0; i < 3; i++) await leave();
  deepStrictEqual(
    turns,
    ["a1", "a2", "a3", "b1"],
    "who leaves the old line ends no turn of the new one",
  );
  await leave();
  await leave();
  deepStrictEqual(turns.at(-1), "b2");
  strictEqual(lines.isEmpty, true);
  strictEqual(timers.size, 0);
});
