/**
 * Counts the requests in flight, up to a limit, and the bodies that are still arriving.
 * @module
 */

import type { Rejection } from "../telemetry/rejections.ts";

/** A request that was let in. Calls after the first change nothing. */
export type Admission = {
  /**
   * Counts the request for this client from now on.
   *
   * @returns false if the request must be turned away: there is no place for this client, or it has left too many
   * responses unread
   */
  readonly countFor: (client: string | undefined) => boolean;
  /** Reports that its body was read to the end or given up. */
  readonly arrived: () => void;
  /**
   * Reports that it has ended.
   *
   * @param unread Settles when the client has taken the rest of a response that was given up, or has disconnected. Until
   * then the runtime keeps the rest.
   */
  readonly leave: (unread?: Promise<unknown>) => void;
};

/** Stands in for the admission of a request that was not let in. */
export const NOT_ADMITTED: Admission = { arrived: () => {}, leave: () => {}, countFor: () => true };

/** Why a request was not let in: too many are in flight, or the gateway is stopping. */
export type Refusal = Extract<Rejection, "requests" | "stopping">;

/** Requests that may enter beyond the limit until it is known whose they are. */
const UNKNOWN = 64;
/** The part of the limit that other clients get beyond it while one holds its share and none of its requests can end. */
const BEYOND = 1 / 16;

/** A body that is still arriving: the callbacks to call when it has arrived. */
type Body = (() => void)[];

/** How places are shared when all are taken. */
export type Sharing = {
  /** The part of the places that one client may hold, above 0 and at most 1. */
  readonly share: number;
  /**
   * Ends a request whose client has stood still for long, or turns one away that waits for its turn, if `accepts` is
   * true of its client.
   *
   * @returns whether there was one
   */
  readonly end: (accepts: (client: string | undefined) => boolean) => boolean;
};

/**
 * Counts requests up to a limit. When all places are taken, a client that holds its share gets none, and the request of
 * another one ends a request that stands still: one of a client with its share, if there is one. If none can end, a few of
 * those that hold less enter beyond the limit. Whose a request is turns out after it has entered, so some more may enter
 * until then.
 *
 * @example Usage
 * ```ts
 * import { InFlight } from "./in_flight.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const inFlight = new InFlight(1);
 * const admission = inFlight.enter();
 * strictEqual(inFlight.enter(), "requests");
 * if (typeof admission !== "string") admission.leave();
 * strictEqual(inFlight.count, 0);
 * ```
 */
export class InFlight {
  readonly limit: number;
  #count = 0;
  #isStopping = false;
  #refusesBodies = false;
  readonly #bodies = new Set<Body>();
  #idle: (() => void)[] = [];

  /** Requests of each client. */
  readonly #held = new Map<string, number>();
  /** Responses of each client that were given up and are still kept by the runtime. */
  readonly #unread = new Map<string, number>();
  readonly #sharing: Sharing | undefined;

  constructor(limit: number, sharing?: Sharing) {
    this.limit = limit;
    this.#sharing = sharing;
  }

  /** Requests that have entered and not left. */
  get count(): number {
    return this.#count;
  }

  /** Requests in flight whose bodies were neither read to the end nor given up. */
  get arriving(): number {
    return this.#bodies.size;
  }

  /** Lets one more request in, or returns why not. */
  enter(
    { hasBody = false, client }: {
      readonly hasBody?: boolean;
      readonly client?: string | undefined;
    } = {},
  ): Admission | Refusal {
    if (hasBody && this.#refusesBodies) return "stopping";
    const unknown = this.#sharing === undefined ? 0 : UNKNOWN + this.#beyond;
    if (this.#count >= this.limit + unknown) return "requests";
    this.#count++;
    let holder = client;
    this.#add(this.#held, holder, 1);
    const body: Body = [];
    if (hasBody) this.#bodies.add(body);
    const arrived = (): void => {
      if (this.#bodies.delete(body)) { for (const tell of body) tell(); }
    };
    let left = false;
    const leave = (unread?: Promise<unknown>): void => {
      if (left) return;
      left = true;
      arrived();
      this.#add(this.#held, holder, -1);
      if (unread !== undefined) {
        this.#add(this.#unread, holder, 1);
        const forget = (): void => this.#add(this.#unread, holder, -1);
        unread.then(forget, forget);
      }
      this.#count--;
      if (this.#count > 0) return;
      for (const tell of this.#idle) tell();
      this.#idle = [];
    };
    const countFor = (other: string | undefined): boolean => {
      if (left) return true;
      this.#add(this.#held, holder, -1);
      const hasPlace = !this.#hasTooMuch(other) && this.#hasRoom(other);
      this.#add(this.#held, holder = other, 1);
      return hasPlace;
    };
    return { arrived, leave, countFor };
  }

  #add(counts: Map<string, number>, client: string | undefined, change: 1 | -1): void {
    if (client === undefined || this.#sharing === undefined) return;
    const count = (counts.get(client) ?? 0) + change;
    if (count === 0) counts.delete(client);
    else counts.set(client, count);
  }

  /** Returns whether a client has left as many responses unread as it may have requests. */
  #hasTooMuch(client: string | undefined): boolean {
    if (client === undefined || this.#unread.size === 0 || this.#sharing === undefined) {
      return false;
    }
    return (this.#unread.get(client) ?? 0) >= this.limit * this.#sharing.share;
  }

  /** Makes room for a client's request, which has entered, if there is none; returns whether there is room now. */
  #hasRoom(client: string | undefined): boolean {
    if (this.#count <= this.limit || this.#sharing === undefined) return true;
    const { share, end } = this.#sharing;
    const holdsShare = (one: string | undefined): boolean =>
      one !== undefined && (this.#held.get(one) ?? 0) >= this.limit * share;
    if (holdsShare(client)) return false;
    // A request whose body stood still takes a moment to end. Until then there is one more than the limit.
    if (end(holdsShare) || end(() => true)) return true;
    return this.#count <= this.limit + this.#beyond && this.#held.keys().some(holdsShare);
  }

  get #beyond(): number {
    return Math.floor(this.limit * BEYOND);
  }

  /** Whether clients should send their next request to another gateway. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Tells clients from now on to use another gateway; lets requests in as before. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Refuses requests with a body from now on. */
  refuseBodies(): void {
    this.#refusesBodies = true;
  }

  /** Resolves when the bodies that are arriving now have arrived; it does not wait for later ones. */
  async bodiesArrived(): Promise<void> {
    const bodies = [...this.#bodies];
    await Promise.all(bodies.map((body) => new Promise<void>((tell) => body.push(tell))));
  }

  /** Resolves when no request is in flight. */
  async ended(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((tell) => this.#idle.push(tell));
  }
}
