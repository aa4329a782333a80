import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { sourceOf } from "./byte_source.ts";
import { enterWorld } from "../world/world.ts";
import { StallWatch } from "./stall_watch.ts";
import type { ReaderOptions } from "./watched_streams.ts";

const LIMIT = 200;

/** Returns a stream that is fed by hand, with a record of its cancellations. */
function createSource<T = number>(): {
  readonly stream: ReadableStream<T>;
  readonly cancelled: unknown[];
  readonly send: (value: T) => void;
} {
  const cancelled: unknown[] = [];
  let controller: ReadableStreamDefaultController<T>;
  const stream = new ReadableStream<T>({
    start: (its) => void (controller = its),
    cancel: (reason) => void cancelled.push(reason),
  }, { highWaterMark: 0 });
  return { stream, cancelled, send: (value) => controller.enqueue(value) };
}

function options(change: Partial<ReaderOptions> = {}): ReaderOptions {
  return { signal: new AbortController().signal, ended: () => {}, ...change };
}

Deno.test("watchSource() ends a read that waits too long, and cancels the source", async () => {
  const stalls = new StallWatch(LIMIT);
  const { stream, cancelled, send } = createSource<Uint8Array>();
  const source = stalls.watchSource(sourceOf(stream), { stalled: () => new Error("silent") });
  const began = performance.now();
  for (let i = 0; i < 4; i++) { // each within the limit, all together beyond it
    setTimeout(() => send(new Uint8Array([i])), LIMIT / 2);
    deepStrictEqual(await source.read(), new Uint8Array([i]));
  }
  ok(performance.now() - began > LIMIT);

  const before = performance.now();
  await rejects(source.read(), /silent/);
  const waited = performance.now() - before;
  ok(waited >= LIMIT * 0.9, `${waited} ms`);
  strictEqual(String(cancelled), "Error: silent");
  await rejects(source.read(), /silent/);
});

Deno.test("watchSource() lets its own reader take any time", async () => {
  const stalls = new StallWatch(LIMIT);
  const pieces = [new Uint8Array([1]), new Uint8Array([2])];
  const source = stalls.watchSource(
    sourceOf(ReadableStream.from(pieces)),
    { stalled: () => new Error("silent") },
  );
  strictEqual(await source.read(), pieces[0]);
  await delay(LIMIT * 2);
  strictEqual(await source.read(), pieces[1]);
  strictEqual(await source.read(), undefined);
});

Deno.test("watchSource() passes a cancellation on and stops watching", async () => {
  const stalls = new StallWatch(LIMIT);
  const { stream, cancelled } = createSource<Uint8Array>();
  const source = stalls.watchSource(sourceOf(stream), { stalled: () => new Error("silent") });
  const reading = source.read();
  await source.cancel("enough");
  strictEqual(await reading, undefined);
  await delay(LIMIT * 2);
  deepStrictEqual(cancelled, ["enough"]);
});

Deno.test("watchReader() ends a stream that is not read, and cancels the source", async () => {
  const stalls = new StallWatch(LIMIT);
  const { stream, cancelled, send } = createSource();
  const ended: boolean[] = [];
  const reader = stalls.watchReader(stream, options({ ended: (broken) => ended.push(broken) }))
    .getReader();
  for (let i = 0; i < 3; i++) {
    setTimeout(() => send(i), LIMIT * 1.5); // the source may take its time
    strictEqual((await reader.read()).value, i);
    await delay(LIMIT / 2);
  }
  deepStrictEqual(ended, []);
  await delay(LIMIT * 2);
  deepStrictEqual(ended, [true]);
  strictEqual(cancelled.length, 1);
  await rejects(reader.read(), /The client read nothing/);
});

Deno.test("watchReader() ends when the reader disconnects, even before the first read", async () => {
  const stalls = new StallWatch(60_000);
  for (const early of [true, false]) {
    const controller = new AbortController();
    const { stream, cancelled } = createSource();
    const ended: boolean[] = [];
    if (early) controller.abort("gone");
    const watched = stalls.watchReader(
      stream,
      options({ signal: controller.signal, ended: (broken) => ended.push(broken) }),
    );
    controller.abort("gone");
    deepStrictEqual(ended, [true]);
    deepStrictEqual(cancelled, ["gone"]);
    deepStrictEqual(await Array.fromAsync(watched), []);
  }
});

Deno.test("watchReader() reports once how a stream ended", async () => {
  const stalls = new StallWatch(60_000);
  const ended: boolean[] = [];
  const about = options({ ended: (broken) => ended.push(broken) });
  deepStrictEqual(
    await Array.fromAsync(stalls.watchReader(ReadableStream.from([1, 2]), about)),
    [1, 2],
  );
  deepStrictEqual(ended, [false]);

  const { stream, cancelled } = createSource();
  await stalls.watchReader(stream, about).cancel("enough");
  deepStrictEqual(ended, [false, false]);
  deepStrictEqual(cancelled, ["enough"]);

  const broken = new ReadableStream({
    pull: () => Promise.reject(new Error("broken")),
  }, { highWaterMark: 0 });
  await rejects(Array.fromAsync(stalls.watchReader(broken, about)), /broken/);
  deepStrictEqual(ended, [false, false, true]);
});

Deno.test("watchSource() reports its end after the last read, a failure or a cancellation", async () => {
  const stalls = new StallWatch(LIMIT);
  const silent = (): Error => new Error("silent");
  const endings: Readonly<Record<string, (ended: () => void) => Promise<unknown>>> = {
    async read(ended) {
      const source = stalls.watchSource(sourceOf(ReadableStream.from([new Uint8Array([1])])), {
        stalled: silent,
        ended,
      });
      await source.read();
      await source.read();
    },
    async failed(ended) {
      const read = (): Promise<never> => Promise.reject(new Error("broken"));
      const broken = { read, cancel: () => Promise.resolve() };
      await rejects(stalls.watchSource(broken, { stalled: silent, ended }).read(), /broken/);
    },
    async cancelled(ended) {
      const { stream } = createSource<Uint8Array>();
      await stalls.watchSource(sourceOf(stream), { stalled: silent, ended }).cancel();
    },
    async stalled(ended) {
      const { stream } = createSource<Uint8Array>();
      const source = stalls.watchSource(sourceOf(stream), { stalled: silent, ended });
      await rejects(source.read(), /silent/);
    },
  };
  for (const [name, end] of Object.entries(endings)) {
    let told = 0;
    await end(() => told++);
    ok(told > 0, name);
  }
});

Deno.test("breakOff() fails sources, breaks readers off and counts none of them as stalled", async () => {
  const stalls = new StallWatch(60_000);
  const one = createSource<Uint8Array>();
  const source = stalls.watchSource(sourceOf(one.stream), { stalled: () => new Error("silent") });
  const two = createSource();
  const broken: boolean[] = [];
  const reader = stalls.watchReader(two.stream, options({ ended: (how) => broken.push(how) }))
    .getReader();
  const reads = [rejects(source.read(), /stopping/), rejects(reader.read(), /stopping/)];
  stalls.breakOff(new Error("stopping"));
  await Promise.all(reads);
  deepStrictEqual([one.cancelled.length, two.cancelled.length, broken], [1, 1, [true]]);
  deepStrictEqual(stalls.ended, { sources: 0, readers: 0 });
});

Deno.test("a lasting watch has one ticker until it is disposed, and others one while there are streams", async () => {
  for (const isLasting of [true, false]) {
    let started = 0;
    const running = new Set<number>();
    using _world = enterWorld({
      monotonic: () => 0,
      wallClock: () => 0,
      startTimer: () => 0,
      stopTimer: () => {},
      startTicker() {
        running.add(++started);
        return started;
      },
      stopTicker: (timer) => void running.delete(timer as number),
      randomBytes: (length) => new Uint8Array(length),
    });
    const stalls = new StallWatch(60_000, { isLasting });
    for (let i = 0; i < 3; i++) {
      const source = stalls.watchSource(
        sourceOf(ReadableStream.from([new Uint8Array(1)])),
        { stalled: () => new Error("silent") },
      );
      while (await source.read() !== undefined);
    }
    deepStrictEqual([started, running.size], isLasting ? [1, 1] : [3, 0]);
    stalls[Symbol.dispose]();
    strictEqual(running.size, 0);
  }
});

Deno.test("endStillest() counts a source that gets a few bytes now and then as standing still", async () => {
  let now = 0;
  using _world = enterWorld({
    monotonic: () => now,
    wallClock: () => now,
    startTimer: () => 0,
    stopTimer: () => {},
    startTicker: () => 0,
    stopTicker: () => {},
    randomBytes: (length) => new Uint8Array(length),
  });
  const stalls = new StallWatch(60_000);
  const read = (client: string) => {
    const { stream, send } = createSource<Uint8Array>();
    const owner = { client };
    const source = stalls.watchSource(sourceOf(stream), {
      owner,
      stalled: () => new Error(client),
    });
    return { source, send };
  };
  const trickling = read("trickling");
  const steady = read("steady");
  for (let i = 0; i < 4; i++) { // half a second each
    const reads = [trickling.source.read(), steady.source.read()];
    now += 500;
    trickling.send(new Uint8Array(1));
    steady.send(new Uint8Array(16 * 1024));
    await Promise.all(reads);
    now += 60_000; // the gateway may take its time
  }
  const last = [trickling.source.read(), steady.source.read()].map((one) =>
    one.then(() => "read", String)
  );
  now += 500;
  strictEqual(stalls.endStillest(1000, () => true), true);
  strictEqual(await last[0], "Error: trickling");
  strictEqual(stalls.endStillest(1000, () => true), false, "the other one makes progress");
  steady.send(new Uint8Array(1));
  strictEqual(await last[1], "read");
  await steady.source.cancel();
});
