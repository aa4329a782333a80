/** The scheduler of simulations. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { monotonic, pause, randomBytes, wallClock } from "../../src/world/world.ts";
import { EPOCH, GatewayHome } from "./home.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";

Deno.test("Scheduler runs each gateway's events in its own world, in the order of time", async () => {
  const scheduler = new Scheduler();
  const lines: string[] = [];
  const begin = (name: string, skew: number, wait: number): GatewayHome => {
    const home = new GatewayHome(name, scheduler, new Random(1), skew);
    scheduler.after(0, home, () => {
      (async () => {
        for (let turn = 0; turn < 2; turn++) {
          await pause(wait);
          lines.push(`${name} ${monotonic()} ${wallClock().getTime() - EPOCH}`);
        }
      })();
    });
    return home;
  };
  begin("one", 0, 10);
  begin("two", 1000, 15);
  await scheduler.run(() => false);
  deepStrictEqual(lines, ["one 10 10", "two 15 1015", "one 20 20", "two 30 1030"]);
});

Deno.test("Scheduler lets a paused gateway's events come late and a dead one's never", async () => {
  const scheduler = new Scheduler();
  const home = new GatewayHome("one", scheduler, new Random(1), 0);
  const seen: [number, string][] = [];
  const add = (at: number, name: string): void => {
    scheduler.after(at, home, () => seen.push([scheduler.now, name]));
  };
  add(1, "before");
  add(5, "during");
  add(6, "also during");
  add(30, "after");
  const server = { name: "server", world: undefined, isDead: false, pausedUntil: 0 };
  scheduler.after(2, server, () => home.pausedUntil = 20);
  scheduler.after(25, server, () => home.isDead = true);
  await scheduler.run(() => false);
  deepStrictEqual(seen, [[1, "before"], [20, "during"], [20, "also during"]]);
});

Deno.test("GatewayHome gives the randomness of its seed, and counts its timers", async () => {
  const scheduler = new Scheduler();
  const bytes: string[] = [];
  for (const seed of [1, 1, 2]) {
    const home = new GatewayHome(`of ${seed}`, scheduler, new Random(seed), 0);
    scheduler.after(0, home, () => bytes.push(randomBytes(8).toHex()));
    const timer = home.world.startTimer(5, () => {});
    const ticker = home.world.startTicker(5, () => {});
    strictEqual(home.timers, 2);
    home.world.stopTimer(timer);
    home.world.stopTicker(ticker);
    strictEqual(home.timers, 0);
  }
  await scheduler.run(() => false);
  strictEqual(bytes[0], bytes[1]);
  strictEqual(bytes[0] === bytes[2], false);
});
