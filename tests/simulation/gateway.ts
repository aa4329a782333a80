/**
 * A gateway without HTTP: the store and its workers, over a simulated connection, in a world of its own.
 * @module
 */

import { createNatsStore, type NatsStore, type NatsStoreOptions } from "../../src/nats/store.ts";
import { carryOutLifecycles } from "../../src/workers/lifecycle.ts";
import { startWorkers } from "../../src/workers/start_workers.ts";
import { STORE_OPTIONS } from "../nats/store_on_server.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { countedStore, type Operations } from "./counted_store.ts";
import { GatewayHome } from "./home.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Link, Links } from "./links.ts";
import type { SimulatedConnection } from "./connection.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Trace } from "./trace.ts";
import { type Home, MOMENT, type Scheduled, type Scheduler } from "./scheduler.ts";

/** How a call of a gateway ended. */
export type Ended<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly cause: unknown }
  /** The gateway died. */
  | { readonly kind: "lost" };

/** What gateways share. */
export type Surroundings = {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly links: Links;
  readonly trace: Trace;
  /** Where clients wait. */
  readonly clients: Home;
  readonly options: Partial<NatsStoreOptions>;
  /** The operations of stores, and those that were called. */
  readonly operations: Operations;
  /** Milliseconds between two sweeps of gateways that begin; undefined for often. */
  sweepEach: number | undefined;
  /** Lifecycle rules, which gateways carry out; undefined if there are none. */
  readonly lifecycle: Lifecycle | undefined;
  /** Called for a call that does not end. */
  readonly hangs: (gateway: Gateway, what: string) => void;
};

/** Milliseconds after which replaced bytes are freed. */
export const GRACE = 4000;
/** Milliseconds between two sweeps, and the age from which they free. */
export const SWEEP = { interval: 15_000, minAge: 60_000, uploadExpiry: 60_000 } as const;
/** Milliseconds between two sweeps, where they are rare. */
export const RARE_SWEEPS = 600_000;
/** Milliseconds within which every call ends. */
const PATIENCE = 300_000;

/** Shows a log's lines in the trace. */
function logOf(tell: (text: string) => void): Log {
  const write = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    const shown = Object.entries(fields ?? {}).map(([name, value]) => ` ${name}=${value}`).join("");
    tell(`logs: ${message}${shown}`);
  };
  const log: Log = {
    ...{ debug: write, info: write, warn: write, error: write, frequent: write },
    with: () => log,
    flush: () => Promise.resolve(),
    dropped: () => 0,
  };
  return log;
}

const UNOBSERVED = { removed() {}, kept() {}, ran() {}, looked() {} };
const UNMEASURED = { emptiedTrash() {}, flattened() {}, swept() {} };

type Pending = {
  readonly end: (ended: Ended<never>) => void;
  readonly alarm: Scheduled;
};

/** Makes a store that hashes large bodies inline, too: no thread runs in a simulation. */
function withoutWorkers<T>(make: () => T): T {
  const { Worker } = globalThis;
  Reflect.set(globalThis, "Worker", undefined);
  try {
    return make();
  } finally {
    Reflect.set(globalThis, "Worker", Worker);
  }
}

/** A gateway, until it is killed. */
export class Gateway {
  readonly name: string;
  readonly home: GatewayHome;
  readonly connection: SimulatedConnection;
  readonly link: Link;
  readonly #shared: Surroundings;
  readonly #random: Random;
  readonly #pending = new Set<Pending>();
  readonly #stopping = new AbortController();
  readonly #expiring = new AbortController();
  #store: NatsStore | undefined;

  /** @param skew Milliseconds by which its clock is wrong. */
  constructor(name: string, shared: Surroundings, random: Random, skew: number) {
    this.name = name;
    this.#shared = shared;
    this.#random = random;
    this.home = new GatewayHome(name, shared.scheduler, random.fork(), skew);
    this.connection = shared.network.connect(name);
    this.link = shared.links.add(this.connection, this.home, random.fork());
    shared.scheduler.after(0, this.home, () => this.#start());
  }

  /** The store; only events of the gateway may use it. */
  get store(): NatsStore {
    if (this.#store === undefined) throw new TypeError(`${this.name} has not begun`);
    return this.#store;
  }

  /** Calls the store. The work runs in events of the gateway. */
  call<T>(what: string, work: (store: NatsStore) => Promise<T>): Promise<Ended<T>> {
    const { scheduler } = this.#shared;
    return new Promise((resolve) => {
      if (this.home.isDead) {
        resolve({ kind: "lost" });
        return;
      }
      const alarm = scheduler.after(PATIENCE, this.#shared.clients, () => {
        this.#shared.hangs(this, what);
      });
      const pending = { end: resolve, alarm };
      this.#pending.add(pending);
      const end = (ended: Ended<T>): void => {
        scheduler.cancel(alarm);
        this.#pending.delete(pending);
        resolve(ended);
      };
      scheduler.after(MOMENT, this.home, () => {
        work(this.store).then(
          (value) => end({ kind: "done", value }),
          (cause) => end({ kind: "failed", cause }),
        );
      });
    });
  }

  /** Kills it, between two of its events. */
  kill(): void {
    const { scheduler, links, clients } = this.#shared;
    this.home.isDead = true;
    this.connection.vanish();
    links.remove(this.connection);
    for (const { end, alarm } of this.#pending) {
      scheduler.cancel(alarm);
      // The client notices some time later.
      scheduler.after(1 + this.#random.below(50), clients, () => end({ kind: "lost" }));
    }
    this.#pending.clear();
  }

  /** Cuts its connection and brings it back later; what is under way is lost in part. */
  cut(milliseconds: number): void {
    const { scheduler, links } = this.#shared;
    links.cut(this.link);
    const end = scheduler.now + Math.max(1, milliseconds);
    scheduler.after(0, this.home, () => {
      this.connection.cut();
      // A gateway that is paused notices late, perhaps after the end.
      if (scheduler.now >= end) scheduler.after(1, this.home, () => this.connection.restore());
    });
    scheduler.at(end, this.home, () => this.connection.restore());
  }

  /** Lets the server deny its subscriptions for some time. */
  deny(milliseconds: number): void {
    const { scheduler } = this.#shared;
    scheduler.after(0, this.home, () => this.connection.deny(true));
    scheduler.after(milliseconds, this.home, () => this.connection.deny(false));
  }

  /** Ends it as SIGTERM does. */
  stop(): void {
    const { scheduler } = this.#shared;
    scheduler.after(0, this.home, () => {
      this.#stopping.abort(new Error("The gateway is stopping"));
      this.#expiring.abort(new Error("The gateway is stopping"));
      this.store[Symbol.dispose]();
      this.connection.close();
    });
  }

  /** Carries no lifecycle rules out any more. */
  stopLifecycle(): void {
    this.#shared.scheduler.after(0, this.home, () => {
      this.#expiring.abort(new Error("Lifecycle rules are over"));
    });
  }

  #start(): void {
    const { options, trace, operations, lifecycle, sweepEach = SWEEP.interval } = this.#shared;
    const sweep = { ...SWEEP, interval: sweepEach };
    const log = logOf((text) => trace.add(this.name, text));
    const store = withoutWorkers(() =>
      createNatsStore(this.connection.asLibrary, { ...STORE_OPTIONS, ...options, log })
    );
    this.#store = countedStore(store, operations);
    if (lifecycle?.isOver === false) {
      const { plan: { day } } = lifecycle;
      const settings = { day, log, signal: this.#expiring.signal, observe: UNOBSERVED };
      carryOutLifecycles(lifecycle.watched(this.#store), settings);
    }
    startWorkers(
      { grace: options.grace ?? GRACE, nativeLayout: options.nativeLayout ?? "off", sweep },
      {
        store: this.#store,
        users: undefined,
        metrics: UNMEASURED,
        log,
        signal: this.#stopping.signal,
      },
    );
  }
}
