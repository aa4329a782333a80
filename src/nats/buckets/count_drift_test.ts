import { strictEqual } from "node:assert/strict";
import { enterWorld, type World } from "../../world/world.ts";
import { watchCountDrift } from "./count_drift.ts";

const NO_WORLD: World = {
  wallClock: () => 0,
  monotonic: () => 0,
  startTimer: () => 0,
  stopTimer: () => {},
  startTicker: () => 0,
  stopTicker: () => {},
  randomBytes: (length) => new Uint8Array(length),
};

/** Watches a feed through some looks. Returns the number of restarts. */
function restarts(
  { barrier, positions, isDelivering = true }: {
    readonly barrier: number | undefined;
    readonly positions: readonly number[];
    readonly isDelivering?: boolean;
  },
): number {
  let look = (): void => {};
  let count = 0;
  using _world = enterWorld({
    ...NO_WORLD,
    startTicker(_milliseconds, run) {
      look = run;
      return 1;
    },
    stopTicker(timer) {
      strictEqual(timer, 1);
      look = () => count = NaN;
    },
  });
  const feed = { position: 0, isDelivering };
  const watch = watchCountDrift(feed, barrier, () => count++);
  for (const position of positions) {
    feed.position = position;
    look();
  }
  watch[Symbol.dispose]();
  return count;
}

Deno.test("watchCountDrift() restarts a consumer that is idle behind the barrier", () => {
  strictEqual(restarts({ barrier: 5, positions: [1, 3, 7, 7] }), 1);
  strictEqual(restarts({ barrier: 5, positions: [7, 7, 7, 7, 7] }), 2);
});

Deno.test("watchCountDrift() gives a consumer that goes on delivering more time", () => {
  const positions = Array.from({ length: 40 }, (_, i) => 10 + i);
  strictEqual(restarts({ barrier: 5, positions: positions.slice(0, 19) }), 0);
  strictEqual(restarts({ barrier: 5, positions }), 2);
});

Deno.test("watchCountDrift() lets a consumer be that has not come to the barrier, or has none", () => {
  const positions = Array.from({ length: 40 }, () => 4);
  strictEqual(restarts({ barrier: 5, positions }), 0);
  strictEqual(restarts({ barrier: undefined, positions }), 0);
});

Deno.test("watchCountDrift() lets a consumer be that does not deliver yet", () => {
  strictEqual(restarts({ barrier: 5, positions: [7, 7, 7, 7, 7], isDelivering: false }), 0);
});
