/**
 * What happens to messages on their way: they take time, keep their order, and are lost when a connection is cut or a
 * server between the two ends drops them.
 * @module
 */

import type { SimulatedConnection } from "./connection.ts";
import type { Carry, Way } from "./network.ts";
import type { Random } from "./random.ts";
import { type Home, MOMENT, type Scheduler } from "./scheduler.ts";

/** One connection's way to the server and back. */
export class Link {
  readonly home: Home;
  /** Milliseconds that each message takes in addition: always, and during a fault. */
  readonly distance: number;
  slowness = 0;
  /** Nothing arrives any more, and nobody has noticed. */
  isDark = false;
  /** The probability that a message is lost between servers, by its way. */
  readonly loss: Record<Way, number> = { "to server": 0, "to client": 0 };
  /** Counts the times that it was cut. */
  epoch = 0;
  /** Of the messages to the server that were under way at the last cut: the last that arrives. */
  lastToArrive = 0;
  readonly random: Random;
  readonly latest: Record<Way, number> = { "to server": 0, "to client": 0 };
  sent = 0;
  arrived = 0;

  constructor(home: Home, random: Random) {
    this.home = home;
    this.random = random;
    this.distance = random.chance(0.4) ? random.between(1, 40) : 0;
  }
}

/** Tells what became of messages. */
export type LinkObserver = (link: Link, way: Way, fate: "lost" | "cut") => void;

/** Shortest and longest time of a message, in milliseconds. */
const [FASTEST, SLOWEST] = [0.05, 3];

/** The links of all connections. */
export class Links {
  readonly #scheduler: Scheduler;
  readonly #server: Home;
  readonly #observe: LinkObserver;
  readonly #links = new Map<SimulatedConnection, Link>();

  constructor(scheduler: Scheduler, server: Home, observe: LinkObserver) {
    this.#scheduler = scheduler;
    this.#server = server;
    this.#observe = observe;
  }

  /** Adds the link of a connection. */
  add(connection: SimulatedConnection, home: Home, random: Random): Link {
    const link = new Link(home, random);
    this.#links.set(connection, link);
    return link;
  }

  /** Removes the link of a connection that is gone; some of what it has sent arrives. */
  remove(connection: SimulatedConnection): void {
    const link = this.#links.get(connection);
    if (link !== undefined) this.cut(link);
    this.#links.delete(connection);
  }

  /** Cuts a link: what is under way to the client is lost, and the end of what is under way to the server. */
  cut(link: Link): void {
    link.epoch++;
    link.lastToArrive = link.arrived + link.random.below(link.sent - link.arrived + 1);
    link.isDark = false;
    // What still arrives of the old connection may come after what the new one brings.
    link.latest["to server"] = 0;
    link.latest["to client"] = 0;
  }

  /** Carries a message. */
  readonly carry: Carry = (connection, way, run, isForServer = false) => {
    const link = this.#links.get(connection);
    if (link === undefined) return;
    const { random, latest, epoch } = link;
    if (link.isDark || (!isForServer && link.loss[way] > 0 && random.chance(link.loss[way]))) {
      this.#observe(link, way, link.isDark ? "cut" : "lost");
      return;
    }
    const delay = random.between(FASTEST, SLOWEST) + link.distance + link.slowness;
    const at = Math.max(latest[way] + MOMENT, this.#scheduler.now + delay);
    latest[way] = at;
    if (way === "to client") {
      this.#scheduler.at(at, link.home, () => {
        if (link.epoch === epoch && !link.isDark) run();
      });
      return;
    }
    const number = ++link.sent;
    this.#scheduler.at(at, this.#server, () => {
      link.arrived = number;
      if (link.epoch === epoch || (link.epoch === epoch + 1 && number <= link.lastToArrive)) run();
    });
  };
}
