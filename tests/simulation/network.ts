/**
 * The network between clients and the simulated server: it knows who subscribes to what.
 * @module
 */

import { type Carrier, type Interest, SimulatedConnection } from "./connection.ts";
import { noResponders } from "./jetstream/jetstream.ts";
import { isLiteral } from "./jetstream/subject_filter.ts";
import type { WireMessage } from "./jetstream/wire.ts";
import { libraryMessage } from "./library_message.ts";

/** The server's side of the network. */
export type ServerSide = {
  /** Takes what a client published. Returns false if nobody listens to its subject. */
  readonly receive: (message: WireMessage) => boolean;
  /** Hears of each message of a client before it is on its way. */
  readonly sent?: ((message: WireMessage) => void) | undefined;
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

const NOBODY: readonly Interest[] = [];

/** All connections of a simulation. */
export class Network implements Carrier {
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
    if (this.#literal.has(subject) || this.#below.has(above(subject))) return true;
    for (const { matches } of this.#wild) if (matches(subject)) return true;
    return false;
  }

  /** Sends a message of the server to everybody who subscribes to its subject. */
  fromServer(message: WireMessage): void {
    const { subject } = message;
    for (const interest of this.#literal.get(subject) ?? NOBODY) this.#deliver(interest, message);
    for (const interest of this.#below.get(above(subject)) ?? NOBODY) {
      this.#deliver(interest, message);
    }
    for (const interest of this.#wild) {
      if (interest.matches(subject)) this.#deliver(interest, message);
    }
  }

  /** Sends a message of a client to the server. */
  fromClient(connection: SimulatedConnection, message: WireMessage): void {
    this.#server?.sent?.(message);
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

  #deliver(interest: Interest, message: WireMessage): void {
    const { connection } = interest;
    this.#carry(connection, "to client", () => {
      if (connection.isClosed() || !connection.has(interest)) return;
      interest.callback(null, libraryMessage(message, connection));
    });
  }
}

/** Returns a subject without its last token. */
function above(subject: string): string {
  return subject.slice(0, subject.lastIndexOf("."));
}
