/**
 * One client's connection to the simulated server, with what the store uses of the library's.
 * @module
 */

import type {
  Msg,
  NatsConnection,
  PublishOptions,
  Status,
  Subscription,
  SubscriptionOptions,
} from "@nats-io/nats-core";
import { matcherOf } from "./jetstream/subject_filter.ts";
import type { WireMessage } from "./jetstream/wire.ts";
import { headerBlock } from "./library_message.ts";

/** A subscription of a connection. */
export type Interest = {
  readonly connection: SimulatedConnection;
  readonly subject: string;
  readonly matches: (subject: string) => boolean;
  readonly callback: NonNullable<SubscriptionOptions["callback"]>;
};

/** The network, as a connection uses it. */
export type Carrier = {
  readonly maxPayload: number;
  /** Sends a message of a client to the server. */
  readonly fromClient: (connection: SimulatedConnection, message: WireMessage) => void;
  /** Adds a subscription on its way to the server. */
  readonly subscribe: (interest: Interest) => void;
  /** Refuses a subscription on its way to the server: the client learns of it later. */
  readonly refuse: (interest: Interest, tell: () => void) => void;
  /** Removes a subscription. */
  readonly remove: (interest: Interest) => void;
};

const encoder = new TextEncoder();
const NOTHING = new Uint8Array();

/** One client's connection: what the store uses of the library's. */
export class SimulatedConnection {
  readonly name: string;
  /** The server's `max_payload`, in bytes. */
  maxPayload: number;
  readonly #network: Carrier;
  readonly #interests = new Set<Interest>();
  readonly #listeners = new Set<(status: Status | undefined) => void>();
  #isUp = true;
  #isDenied = false;
  #isClosed = false;

  constructor(network: Carrier, name: string) {
    this.#network = network;
    this.maxPayload = network.maxPayload;
    this.name = name;
  }

  /** As the library's type; the store calls only what this class has. */
  get asLibrary(): NatsConnection {
    return this as unknown as NatsConnection;
  }

  get info(): { readonly max_payload: number; readonly version: string } {
    return { max_payload: this.maxPayload, version: "2.15.2" };
  }

  /** Tells whether it is up. */
  get isUp(): boolean {
    return this.#isUp && !this.#isClosed;
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  /** Tells whether a subscription stands. */
  has(interest: Interest): boolean {
    return this.#interests.has(interest);
  }

  publish(
    subject: string,
    data: Uint8Array | string = NOTHING,
    options: PublishOptions = {},
  ): void {
    if (this.#isClosed) throw new Error("The connection is closed");
    const bytes = typeof data === "string" ? encoder.encode(data) : data.slice();
    const headers = headerBlock(options.headers);
    if (bytes.length + headers.length > this.maxPayload) {
      throw new RangeError("The message is larger than max_payload");
    }
    if (!this.#isUp) return; // it is lost
    this.#network.fromClient(this, { subject, reply: options.reply ?? "", headers, data: bytes });
  }

  subscribe(subject: string, { callback }: SubscriptionOptions = {}): Subscription {
    if (callback === undefined) {
      throw new TypeError("Only subscriptions with a callback are simulated");
    }
    const interest = { connection: this, subject, matches: matcherOf(subject), callback };
    this.#interests.add(interest);
    if (this.#isUp) this.#network.subscribe(interest);
    if (this.#isDenied) this.#network.refuse(interest, () => this.#refuse(interest));
    return {
      unsubscribe: () => {
        this.#interests.delete(interest);
        this.#network.remove(interest);
      },
    } as unknown as Subscription;
  }

  async *status(): AsyncGenerator<Status> {
    const waiting: (Status | undefined)[] = [];
    let wake = (): void => {};
    const listener = (status: Status | undefined): void => {
      waiting.push(status);
      wake();
    };
    this.#listeners.add(listener);
    for (;;) {
      while (waiting.length > 0) {
        const status = waiting.shift();
        if (status === undefined) return;
        yield status;
      }
      await new Promise<void>((resolve) => wake = resolve);
    }
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.drop();
    for (const listener of this.#listeners) listener(undefined);
    return Promise.resolve();
  }

  /** Removes its subscriptions from the server, as the end of a connection does. */
  drop(): void {
    for (const interest of this.#interests) this.#network.remove(interest);
  }

  /** Ends it without a word to the client: its process is dead. */
  vanish(): void {
    this.#isClosed = true;
    this.drop();
  }

  /** Cuts it. The client notices; what is under way is lost by whoever carries it. */
  cut(): void {
    if (!this.isUp) return;
    this.#isUp = false;
    this.drop();
    this.#tell({ type: "disconnect", server: "simulation" });
  }

  /** Denies its subscriptions from now on, or none any more, as a server does whose configuration was loaded anew. */
  deny(isDenied: boolean): void {
    this.#isDenied = isDenied;
    if (isDenied) { for (const interest of [...this.#interests]) this.#refuse(interest); }
  }

  /** The library tells the callback of a refusal, and forgets the subscription. */
  #refuse(interest: Interest): void {
    if (!this.#interests.delete(interest)) return;
    this.#network.remove(interest);
    interest.callback(new Error("Permissions Violation for Subscription"), {} as Msg);
  }

  /** Brings it back. */
  restore(): void {
    if (this.#isUp || this.#isClosed) return;
    this.#isUp = true;
    for (const interest of this.#interests) this.#network.subscribe(interest);
    this.#tell({ type: "reconnect", server: "simulation" });
  }

  #tell(status: Status): void {
    for (const listener of this.#listeners) listener(status);
  }
}
