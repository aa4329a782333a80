/**
 * Gateways around one JetStream, and the faults that befall them.
 * @module
 */

import type { ClusterShape } from "./cluster_shape.ts";
import type { Operations } from "./counted_store.ts";
import type { Fault } from "./faults.ts";
import { isOfGateway, strikeGateway } from "./gateway_faults.ts";
import { Gateway, GRACE, RARE_SWEEPS, type Surroundings } from "./gateway.ts";
import { EPOCH, NOWHERE } from "./home.ts";
import { JetStream } from "./jetstream/jetstream.ts";
import { Links } from "./links.ts";
import { refusalOf } from "./meta_leader.ts";
import { LARGE_CHUNK } from "./more_by_hand.ts";
import { MIN_PART } from "./multipart.ts";
import { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Home, Scheduler } from "./scheduler.ts";
import { withPage } from "./small_pages.ts";
import type { Trace } from "./trace.ts";
import type { WireMessage } from "./jetstream/wire.ts";

const MAX_PAYLOAD = 1024 * 1024;
/** Milliseconds after which a gateway has stopped, and between two syncs of the server's disk. */
const [STOPPED, SYNC] = [10_000, 2000];

/** Gateways, the server and the network between them. */
export class Cluster {
  readonly scheduler: Scheduler;
  readonly jetStream: JetStream;
  readonly network: Network;
  readonly links: Links;
  /** Where clients wait, and faults begin. */
  readonly clients: Home = { name: "clients", world: NOWHERE, isDead: false, pausedUntil: 0 };
  readonly server: Home = { name: "server", world: undefined, isDead: false, pausedUntil: 0 };
  /** Those that run, by their place; a new one takes the place of one that was killed. */
  readonly gateways: Gateway[] = [];
  /** The operations of stores, and those that were called. */
  readonly operations: Operations = { all: new Set(), called: new Set() };
  /** The server writes to its disk from time to time. */
  syncs = true;
  /** Hear of everything that clients send, and that arrives. */
  heard: ((message: WireMessage) => void) | undefined;
  arrived: ((message: WireMessage) => void) | undefined;
  /** Simulated time until which there is no meta leader. */
  #metaless = 0;
  /** Milliseconds that the copies of a stream take in addition to agree. */
  #stalled = 0;
  readonly #shared: Surroundings;
  readonly #random: Random;
  readonly #trace: Trace;
  #started = 0;

  /** @param hangs Called for a call that does not end. */
  constructor(
    scheduler: Scheduler,
    random: Random,
    trace: Trace,
    shape: ClusterShape,
    hangs: Surroundings["hangs"],
  ) {
    const { gateways, replicas, quota, page, savedFrom, readAhead, nativeLayout = "off" } = shape;
    this.scheduler = scheduler;
    this.#random = random;
    this.#trace = trace;
    const chance = random.fork();
    this.links = new Links(scheduler, this.server, (link, way, fate) => {
      trace.add(link.home.name, `a message ${way} is lost: ${fate}`);
    });
    this.network = new Network(this.links.carry, MAX_PAYLOAD);
    this.jetStream = new JetStream({
      clock: {
        now: () => EPOCH + scheduler.now,
        after: (milliseconds, run) => {
          const event = scheduler.after(milliseconds, this.server, run);
          return () => scheduler.cancel(event);
        },
      },
      random: () => chance.next(),
      send: (message) => {
        const sent = page === undefined ? message : withPage(message, page);
        trace.message("sent", sent);
        this.network.fromServer(sent);
      },
      hasInterest: (subject) => this.network.hasInterest(subject),
      majority: () => chance.between(0.1, 3) + this.#stalled,
      miscounts: () => chance.chance(0.1),
    });
    this.network.serve({
      receive: (message) => {
        trace.message("received", message);
        this.arrived?.(message);
        const refusal = this.#metaless > scheduler.now ? refusalOf(message) : undefined;
        if (refusal === undefined) return this.jetStream.receive(message);
        this.network.fromServer(refusal);
        return true;
      },
      sent: (message) => this.heard?.(message),
      subscribed: (subject) => this.jetStream.subscribed(subject),
    });
    this.#shared = {
      scheduler,
      network: this.network,
      links: this.links,
      trace,
      operations: this.operations,
      clients: this.clients,
      options: {
        replicas,
        quota,
        indexSavedFrom: savedFrom,
        readAhead,
        nativeLayout,
        grace: GRACE,
        chunkSize: shape.hasLarge ? LARGE_CHUNK : 1024,
        minPartSize: MIN_PART,
      },
      sweepEach: shape.sweepsRarely ? RARE_SWEEPS : undefined,
      lifecycle: shape.lifecycle,
      hangs,
    };
    for (let place = 0; place < gateways; place++) this.#startAt(place);
    this.#keepSyncing();
  }

  /** The gateways that accept calls. */
  get running(): readonly Gateway[] {
    return this.gateways.filter(({ home }) => !home.isDead);
  }

  /** Waits for some simulated time. */
  readonly wait = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => this.scheduler.after(milliseconds, this.clients, resolve));

  /** Lets something fail. */
  strike(fault: Fault): void {
    const { kind, target, lasts, decision } = fault;
    const place = target % this.gateways.length;
    const gateway = this.gateways[place];
    if (gateway === undefined) return;
    const { scheduler, jetStream } = this;
    const later = (run: () => void): void => {
      scheduler.after(lasts, this.clients, run);
    };
    if (isOfGateway(fault)) {
      const tell = (text: string): void => this.#trace.add(gateway.name, `fault: ${text}`);
      const replace = (): void => this.#startAt(place);
      strikeGateway(gateway, fault, { now: scheduler.now, later, tell, replace });
      return;
    }
    const streams = jetStream.names;
    const stream = streams[Math.floor(decision * streams.length)];
    switch (kind) {
      case "election": {
        if (stream === undefined) return;
        const lost = jetStream.electLeader(stream, lasts);
        this.#trace.add("server", `fault: ${stream} has no leader for ${lasts} ms; ${lost} lost`);
        break;
      }
      case "stall":
        this.#trace.add("server", `fault: copies acknowledge ${lasts} ms late`);
        this.#stalled = lasts;
        later(() => this.#stalled = 0);
        break;
      case "lag":
        if (stream === undefined) return;
        jetStream.setLag(stream, 1 + target % 2, lasts);
        this.#trace.add("server", `fault: copy ${1 + target % 2} of ${stream} is ${lasts} ms late`);
        break;
      case "meta":
        this.#metaless = Math.max(this.#metaless, scheduler.now + lasts);
        this.#trace.add("server", `fault: there is no meta leader for ${lasts} ms`);
        break;
      case "restart":
        this.restart(lasts, false);
        break;
      case "power":
        break; // clients wait for it, see `power.ts`
    }
  }

  /** Ends all faults: whatever is slow, paused, dark or dead comes back. */
  heal(): void {
    const { scheduler } = this;
    this.#trace.add("world", "all faults end");
    for (const [place, gateway] of [...this.gateways.entries()]) {
      const { link, home, connection } = gateway;
      if (home.isDead) {
        this.#startAt(place);
        continue;
      }
      link.slowness = 0;
      link.loss["to client"] = link.loss["to server"] = 0;
      home.pausedUntil = Math.min(home.pausedUntil, scheduler.now);
      if (link.isDark) gateway.cut(10);
      else if (!connection.isUp) scheduler.after(1, home, () => connection.restore());
    }
  }

  /** Replaces all gateways by others, which sweep often. */
  async sweepOften(): Promise<void> {
    this.#shared.sweepEach = undefined;
    for (const gateway of this.running) gateway.stop();
    // Locks of sweeps last as long as what is between two.
    await this.wait(Math.max(STOPPED, RARE_SWEEPS - this.scheduler.now));
    for (const [place, gateway] of [...this.gateways.entries()]) {
      gateway.kill();
      this.#startAt(place);
    }
  }

  /** Makes a mirror of a stream, as an operator does. */
  mirror(name: string, filter: string): void {
    const operator = this.network.connect("operator");
    this.links.add(operator, this.clients, this.#random.fork());
    const config = {
      name: "MIRROR",
      storage: "file",
      allow_direct: true,
      mirror_direct: true, // nats-server takes it from the origin
      mirror: { name, ...(filter !== "" && { filter_subject: filter }) },
    };
    operator.publish("$JS.API.STREAM.CREATE.MIRROR", JSON.stringify(config));
    const lag = this.#random.between(1, 50);
    this.scheduler.after(100, this.server, () => this.jetStream.setLag("MIRROR", 0, lag));
  }

  /** Restarts the server, which may forget what it has not written to its disk. */
  restart(lasts: number, losesTail: boolean): void {
    const lost = this.jetStream.restart({ losesTail });
    this.#trace.add("server", `fault: it is restarted in ${lasts} ms; ${lost} changes are lost`);
    this.server.pausedUntil = Math.max(this.server.pausedUntil, this.scheduler.now + lasts);
    for (const gateway of this.running) gateway.cut(lasts + 10);
  }

  #startAt(place: number): void {
    const skew = (this.#random.next() - 0.5) * 10_000;
    const name = `gateway${++this.#started}`;
    this.#trace.add(name, "begins");
    this.gateways[place] = new Gateway(name, this.#shared, this.#random.fork(), skew);
  }

  #keepSyncing(): void {
    this.scheduler.after(SYNC, this.server, () => {
      if (this.syncs) this.jetStream.sync();
      this.#keepSyncing();
    });
  }
}
