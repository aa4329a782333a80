/**
 * Counts the requests in flight, up to a limit, and the bodies that are still arriving.
 * @module
 */

import type { Rejection } from "../telemetry/rejections.ts";

/** A request that was let in. Calls after the first change nothing. */
export type Admission = {
  /** Reports that its body was read to the end or given up. */
  readonly arrived: () => void;
  /** Reports that it has ended. */
  readonly leave: () => void;
};

/** Why a request was not let in: too many are in flight, or the gateway is stopping. */
export type Refusal = Extract<Rejection, "requests" | "stopping">;

/** A body that is still arriving: the callbacks to call when it has arrived. */
type Body = (() => void)[];

/**
 * Counts requests up to a limit.
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

  constructor(limit: number) {
    this.limit = limit;
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
  enter({ hasBody = false }: { readonly hasBody?: boolean } = {}): Admission | Refusal {
    if (hasBody && this.#refusesBodies) return "stopping";
    if (this.#count >= this.limit) return "requests";
    this.#count++;
    const body: Body = [];
    if (hasBody) this.#bodies.add(body);
    const arrived = (): void => {
      if (this.#bodies.delete(body)) { for (const tell of body) tell(); }
    };
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      arrived();
      this.#count--;
      if (this.#count > 0) return;
      for (const tell of this.#idle) tell();
      this.#idle = [];
    };
    return { arrived, leave };
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
