import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { ByteSource } from "../streams/byte_source.ts";
import { enterWorld, type World } from "../world/world.ts";
import { BodyTurns, isLong, type Receiver } from "./body_turns.ts";

const MIB = 1024 * 1024;
/** Bytes of a large body, and how many of one client are received at the same time. */
const LARGE = 256 * 1024;
const AT_ONCE = 64;

/** Replaces the ticker, which `tick` runs. */
function ownTicker(): Disposable & { readonly tick: () => void; readonly count: () => number } {
  const tickers = new Map<number, () => void>();
  let made = 0;
  const world: World = {
    wallClock: () => 0,
    monotonic: () => 0,
    startTimer: () => 0,
    stopTimer() {},
    startTicker: (milliseconds, run) => {
      strictEqual(milliseconds, 100);
      tickers.set(++made, run);
      return made;
    },
    stopTicker: (ticker) => void tickers.delete(ticker as number),
    randomBytes: (length) => new Uint8Array(length),
  };
  const entered = enterWorld(world);
  return {
    tick: () => tickers.forEach((run) => run()),
    count: () => tickers.size,
    [Symbol.dispose]: () => entered[Symbol.dispose](),
  };
}

type Named = Receiver & { readonly name: string };

/** Takes turns for requests and notes those that have theirs, and those that are turned away. */
function follow(endStill: (age: number) => void = () => {}) {
  const turns = new BodyTurns(endStill);
  const begun: Named[] = [];
  const refused: string[] = [];
  const take = async (client: string, name: string, size: number | undefined = LARGE) => {
    const receiver: Named = { client, name, bodyTurns: 0 };
    const wait = turns.take(receiver, size);
    if (wait === undefined || await wait) begun.push(receiver);
    else refused.push(name);
  };
  const takeMany = (client: string, count: number, size?: number): void => {
    for (let i = 1; i <= count; i++) take(client, `${client}${i}`, size);
  };
  /** Ends the turn of the request that began first. */
  const end = async (client: string): Promise<void> => {
    const one = begun.find((one) => one.client === client && one.bodyTurns > 0);
    if (one !== undefined) turns.end(one);
    await settle();
  };
  const first = (): Named => {
    const [one] = begun;
    ok(one);
    return one;
  };
  const count = (client: string): number => begun.filter((one) => one.client === client).length;
  return { turns, begun, refused, take, takeMany, first, end, count };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

Deno.test("BodyTurns receives 64 large bodies of a client, and the next ones in their order", async () => {
  using ticker = ownTicker();
  const { turns, begun, takeMany, end, count } = follow();
  takeMany("a", 1000);
  strictEqual(count("a"), AT_ONCE);
  takeMany("b", 1);
  strictEqual(count("b"), 1, "another client's body does not wait");
  await end("a");
  await end("a");
  deepStrictEqual(begun.slice(-2).map(({ name }) => name), ["a65", "a66"]);
  strictEqual(turns.waiting, 1000 - 66);
  for (let i = 0; i < 1000; i++) if (count("a") < 1000) await end("a");
  strictEqual(count("a"), 1000);
  strictEqual(turns.waiting, 0);
  strictEqual(ticker.count(), 0, "nothing ticks while nobody waits");
});

Deno.test("BodyTurns receives four times as many small bodies", async () => {
  using _ticker = ownTicker();
  const { turns, begun, take, takeMany, end, count } = follow();
  takeMany("a", 300, 64 * 1024);
  strictEqual(count("a"), 4 * AT_ONCE);
  take("a", "large");
  take("a", "unknown", undefined);
  takeMany("a", 1, 1);
  for (let i = 0; i < 44 + 3; i++) await end("a");
  strictEqual(count("a"), 300, "small ones do not pass a large one");
  await end("a");
  strictEqual(begun.at(-1)?.name, "large");
  for (let i = 0; i < 4; i++) await end("a");
  strictEqual(begun.at(-1)?.name, "unknown");
  await end("a");
  strictEqual(turns.waiting, 0);
});

Deno.test("BodyTurns ends a turn once", async () => {
  using _ticker = ownTicker();
  const { turns, first, takeMany, count } = follow();
  takeMany("a", 100);
  for (let i = 0; i < 3; i++) turns.end(first());
  await settle();
  strictEqual(count("a"), AT_ONCE + 1);
});

Deno.test("BodyTurns gives the turns of bodies that stand still to others", async () => {
  using ticker = ownTicker();
  const { turns, begun, takeMany, count } = follow((age) => {
    strictEqual(age, 100);
    for (const receiver of begun.slice(0, 10)) turns.end(receiver);
  });
  takeMany("a", 100);
  ticker.tick();
  await settle();
  strictEqual(count("a"), AT_ONCE + 10);
});

Deno.test("BodyTurns lets more bodies begin while no turn ends", async () => {
  using ticker = ownTicker();
  const { takeMany, end, count } = follow();
  takeMany("a", 1000);
  for (let i = 0; i < 9; i++) ticker.tick();
  await end("a");
  for (let i = 0; i < 9; i++) ticker.tick();
  await settle();
  strictEqual(count("a"), AT_ONCE + 1, "a turn has ended");
  ticker.tick();
  await settle();
  strictEqual(count("a"), 2 * AT_ONCE + 1);
});

Deno.test("BodyTurns turns away the last request of the client that has most in line", async () => {
  using _ticker = ownTicker();
  const { turns, refused, takeMany } = follow();
  strictEqual(turns.turnAway(() => true), false, "nobody waits");
  takeMany("a", AT_ONCE + 1);
  takeMany("b", AT_ONCE + 2);
  strictEqual(turns.turnAway((client) => client === "c"), false);
  strictEqual(turns.turnAway((client) => client === "a"), true);
  strictEqual(turns.turnAway(() => true), true);
  await settle();
  deepStrictEqual(refused, [`a${AT_ONCE + 1}`, `b${AT_ONCE + 2}`]);
  strictEqual(turns.waiting, 1);
});

/** Returns a source of pieces of 256 KiB, and counts those that were read. */
function sourceOfPieces(): ByteSource & { reads: number; isCancelled: boolean } {
  return {
    reads: 0,
    isCancelled: false,
    read() {
      this.reads++;
      return Promise.resolve(new Uint8Array(LARGE));
    },
    cancel() {
      this.isCancelled = true;
      return Promise.resolve();
    },
  };
}

Deno.test("BodyTurns lets others pass a long body after each mebibyte of it", async () => {
  using _ticker = ownTicker();
  const { turns, begun, take, takeMany, first, end, count } = follow();
  deepStrictEqual([0, MIB, MIB + 1, undefined].map(isLong), [false, false, true, true]);
  take("a", "long", undefined);
  const long = first();
  const source = sourceOfPieces();
  const divided = turns.divide(source, long);
  takeMany("a", AT_ONCE - 1);
  for (let i = 0; i < 8; i++) await divided.read();
  strictEqual(source.reads, 8, "nobody waits");
  take("a", "next");
  take("a", "last");
  let hasRead = false;
  const reading = divided.read().then(() => hasRead = true);
  await settle();
  strictEqual(begun.at(-1)?.name, "next");
  strictEqual(source.reads, 9, "it reads on, but keeps what it reads");
  await end("a");
  strictEqual(begun.at(-1)?.name, "last");
  strictEqual(hasRead, false);
  await end("a");
  await reading;
  strictEqual(count("a"), AT_ONCE + 2);
  await divided.read();
  strictEqual(source.reads, 10);
});

Deno.test("BodyTurns fails the read of a long body that is turned away while it waits", async () => {
  using _ticker = ownTicker();
  const { turns, first, take, takeMany } = follow();
  take("a", "long", undefined);
  const source = sourceOfPieces();
  const divided = turns.divide(source, first());
  takeMany("a", AT_ONCE);
  turns.end(first());
  const failing = rejects(divided.read(), { code: "SlowDown" });
  await settle();
  strictEqual(turns.turnAway(() => true), true);
  await failing;
  strictEqual(source.isCancelled, true);
});
