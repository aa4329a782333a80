/**
 * The network between clients and the simulated server: connections that keep the order of their messages, and that are cut.
 * @module
 */

import type {
  Msg,
  MsgHdrs,
  NatsConnection,
  PublishOptions,
  Status,
  Subscription,
  SubscriptionOptions,
} from "@nats-io/nats-core";
import { type MsgHdrsImpl, MsgImpl } from "@nats-io/nats-core/internal";
import { noResponders } from "./jetstream/jetstream.ts";
import { isLiteral, matcherOf } from "./jetstream/subject_filter.ts";
import type { WireMessage } from "./jetstream/wire.ts";

/** The server's side of the network. */
export type ServerSide = {
  /** Takes what a client published. Returns false if nobody listens to its subject. */
  readonly receive: (message: WireMessage) => boolean;
  readonly subscribed: (subject: string) => void;
};

/**
 * Carries a message over a connection: runs something later, or never.
 *
 * @param isForServer The message is for the server at the other end, so no other server loses it.
 */
export type Carry = (
  connection: SimulatedConnection,
  way: Way,
  run: () => void,
  isForServer?: boolean,
) => void;

/** The way of a message. */
export type Way = "to server" | "to client";

type Callback = NonNullable<SubscriptionOptions["callback"]>;
type Interest = {
  readonly connection: SimulatedConnection;
  readonly subject: string;
  readonly matches: (subject: string) => boolean;
  readonly callback: Callback;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NOTHING = new Uint8Array();
const NOBODY: readonly Interest[] = [];

/** All connections of a simulation. */
export class Network {
  readonly maxPayload: number;
  readonly #carry: Carry;
  #server: ServerSide | undefined;
  /** Subscriptions to literal subjects, to literal subjects and one more token, and the others. */
  readonly #literal = new Map<string, Interest[]>();
  readonly #below = new Map<string, Interest[]>();
  readonly #wild = new Set<Interest>();

  /** @param carry Carries each message. */
  constructor(carry: Carry, maxPayload: number) {
    this.#carry = carry;
    this.maxPayload = maxPayload;
  }

  /** Sets the server. */
  serve(server: ServerSide): void {
    this.#server = server;
  }

  /** Makes a connection that is up. */
  connect(name: string): SimulatedConnection {
    return new SimulatedConnection(this, name);
  }

  /** Tells whether somebody subscribes to a subject. */
  hasInterest(subject: string): boolean {
    for (const _ of this.#interests(subject)) return true;
    return false;
  }

  /** Sends a message of the server to everybody who subscribes to its subject. */
  fromServer(message: WireMessage): void {
    for (const interest of this.#interests(message.subject)) {
      const { connection } = interest;
      this.#carry(connection, "to client", () => {
        if (connection.isClosed() || !connection.has(interest)) return;
        interest.callback(null, messageOf(message, connection));
      });
    }
  }

  /** Sends a message of a client to the server. */
  fromClient(connection: SimulatedConnection, message: WireMessage): void {
    this.#carry(connection, "to server", () => {
      const isTaken = this.#server?.receive(message) === true;
      const isHeard = this.hasInterest(message.subject);
      if (isHeard) this.fromServer(message);
      if (!isTaken && !isHeard && message.reply !== "") {
        this.fromServer(noResponders(message));
      }
    });
  }

  /** Adds a subscription on its way to the server. */
  subscribe(interest: Interest): void {
    this.#carry(interest.connection, "to server", () => {
      if (!interest.connection.isUp || !interest.connection.has(interest)) return;
      this.remove(interest); // what was under way when the connection was cut may arrive as well
      this.add(interest);
      this.#server?.subscribed(interest.subject);
    }, true);
  }

  /** Refuses a subscription on its way to the server: the client learns of it later. */
  refuse({ connection }: Interest, tell: () => void): void {
    this.#carry(connection, "to server", () => this.#carry(connection, "to client", tell));
  }

  /** Adds a subscription that has arrived. */
  add(interest: Interest): void {
    const { list, key } = this.#listOf(interest);
    if (list === undefined) {
      this.#wild.add(interest);
      return;
    }
    const others = list.get(key);
    if (others === undefined) list.set(key, [interest]);
    else others.push(interest);
  }

  /** Removes a subscription. */
  remove(interest: Interest): void {
    this.#wild.delete(interest);
    const { list, key } = this.#listOf(interest);
    const others = list?.get(key);
    if (list === undefined || others === undefined) return;
    const index = others.indexOf(interest);
    if (index >= 0) others.splice(index, 1);
    if (others.length === 0) list.delete(key);
  }

  #listOf({ subject }: Interest): {
    readonly list: Map<string, Interest[]> | undefined;
    readonly key: string;
  } {
    if (isLiteral(subject)) return { list: this.#literal, key: subject };
    const before = subject.slice(0, -2);
    const isBelow = subject.endsWith(".*") && isLiteral(before);
    return { list: isBelow ? this.#below : undefined, key: before };
  }

  *#interests(subject: string): Generator<Interest> {
    yield* this.#literal.get(subject) ?? NOBODY;
    yield* this.#below.get(subject.slice(0, subject.lastIndexOf("."))) ?? NOBODY;
    for (const interest of this.#wild) if (interest.matches(subject)) yield interest;
  }
}

/** Returns a message as the library hands it out, with headers whose bytes the gateway reads. */
function messageOf(
  { subject, deliveredAs = subject, reply, headers, data }: WireMessage,
  connection: SimulatedConnection,
): Msg {
  const { length } = headers;
  const bytes = new Uint8Array(length + data.length); // the reader may free it
  for (let i = 0; i < length; i++) bytes[i] = headers.charCodeAt(i);
  bytes.set(data, length);
  const parts = { size: bytes.length, hdr: length === 0 ? -1 : length, sid: 1 };
  const message = new MsgImpl(parts as never, bytes, connection as never);
  // The library would decode both, which costs more than all the rest.
  return Object.assign(message, { _subject: deliveredAs, _reply: reply }) as unknown as Msg;
}

/** One client's connection: what the store uses of the library's. */
export class SimulatedConnection {
  readonly name: string;
  readonly #network: Network;
  readonly #interests = new Set<Interest>();
  readonly #listeners = new Set<(status: Status | undefined) => void>();
  #isUp = true;
  #isDenied = false;
  #isClosed = false;

  constructor(network: Network, name: string) {
    this.#network = network;
    this.name = name;
  }

  /** As the library's type; the store calls only what this class has. */
  get asLibrary(): NatsConnection {
    return this as unknown as NatsConnection;
  }

  get info(): { readonly max_payload: number; readonly version: string } {
    return { max_payload: this.#network.maxPayload, version: "2.15.2" };
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
    const headers = encodeHeaders(options.headers);
    if (bytes.length + headers.length > this.#network.maxPayload) {
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

function encodeHeaders(headers: MsgHdrs | undefined): string {
  if (headers === undefined) return "";
  return decoder.decode((headers as MsgHdrsImpl).encode());
}
