import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { enterWorld } from "../../world/world.ts";
import { keepAlive } from "./heartbeat.ts";

type Scene = {
  /** Lets the interval pass; `messages` arrive before, and the pongs of all pings if `isAnswered`. */
  readonly pass: (messages: number, isAnswered: boolean) => Promise<void>;
  readonly status: (type: string) => Promise<void>;
  readonly close: () => Promise<void>;
  readonly seen: { pings: number; reconnects: number; ticks: number };
};

function scene(): Scene {
  const seen = { pings: 0, reconnects: 0, ticks: 0 };
  let inMsgs = 0;
  let pongs: (() => void)[] = [];
  let tick: (() => void) | undefined;
  const closed = Promise.withResolvers<void>();
  const statuses = new TransformStream<{ type: string }, { type: string }>();
  const writer = statuses.writable.getWriter();
  const connection: Partial<NatsConnection> = {
    isClosed: () => false,
    stats: () => ({ inBytes: 0, outBytes: 0, inMsgs, outMsgs: 0 }),
    flush() {
      seen.pings++;
      return new Promise((resolve) => pongs.push(resolve));
    },
    reconnect() {
      seen.reconnects++;
      return Promise.resolve();
    },
    closed: () => closed.promise,
    status: () => statuses.readable as unknown as ReturnType<NatsConnection["status"]>,
  };
  const world = {
    wallClock: () => 0,
    monotonic: () => 0,
    startTimer: () => 0,
    stopTimer() {},
    startTicker(_milliseconds: number, run: () => void) {
      tick = run;
      return 0;
    },
    stopTicker: () => void (tick = undefined),
    randomBytes: (length: number) => new Uint8Array(length),
  };
  using _ = enterWorld(world);
  keepAlive(connection as NatsConnection);
  const settle = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve));
  return {
    async pass(messages, isAnswered) {
      inMsgs += messages;
      if (isAnswered) { for (const pong of pongs.splice(0)) pong(); }
      await settle();
      if (tick === undefined) return;
      seen.ticks++;
      tick();
    },
    async status(type) {
      pongs = [];
      await writer.write({ type });
      await settle();
    },
    async close() {
      using _ = enterWorld(world);
      closed.resolve();
      await settle();
    },
    seen,
  };
}

Deno.test("a server that answers pings keeps its connection", async () => {
  const { pass, seen } = scene();
  for (let n = 0; n < 10; n++) await pass(0, true);
  deepStrictEqual([seen.pings, seen.reconnects], [10, 0]);
});

Deno.test("a server keeps its connection while messages arrive, though its pongs are behind them", async () => {
  const { pass, seen } = scene();
  for (let n = 0; n < 10; n++) await pass(1000, false);
  strictEqual(seen.reconnects, 0);
});

Deno.test("the connection to a silent server is made again at the third interval", async () => {
  const { pass, status, seen } = scene();
  await pass(1, true);
  await pass(0, false);
  strictEqual(seen.reconnects, 0);
  await pass(0, false);
  strictEqual(seen.reconnects, 1);
  await status("disconnect");
  for (let n = 0; n < 5; n++) await pass(0, false);
  await status("reconnect");
  await pass(0, false);
  deepStrictEqual([seen.pings, seen.reconnects], [3, 1]); // it got its time anew
});

Deno.test("pings end with the connection", async () => {
  const { pass, close, seen } = scene();
  await pass(0, true);
  await close();
  await pass(0, true);
  strictEqual(seen.ticks, 1);
});
