/**
 * Requests in flight: how many there are, and may be, and whose bodies still arrive.
 * @module
 */

/** A request that was let in. */
export type Admission = {
  /** Its body was read to the end, or given up; calls after the first change nothing. */
  readonly arrived: () => void;
  /** It has ended; calls after the first change nothing. */
  readonly leave: () => void;
};

/** Why a request was not let in: there are too many, or the gateway is stopping. */
export type Refusal = "requests" | "stopping";

/** A body that still arrives: what to call in the end. */
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

  /** Those of them whose bodies have not been read to their end, or given up. */
  get arriving(): number {
    return this.#bodies.size;
  }

  /** Lets one more in, unless there are too many. */
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

  /** Whether clients are to go elsewhere with their next request. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** From now on clients are told to go elsewhere; requests are let in as before. */
  stop(): void {
    this.#isStopping = true;
  }

  /** From now on requests with a body are refused. */
  refuseBodies(): void {
    this.#refusesBodies = true;
  }

  /** Resolves when the bodies that arrive now have arrived; those that begin later do not matter. */
  async bodiesArrived(): Promise<void> {
    const bodies = [...this.#bodies];
    await Promise.all(bodies.map((body) => new Promise<void>((tell) => body.push(tell))));
  }

  /** Resolves when no request is in flight. */
  async ended(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((tell) => this.#idle.push(tell));
  }
}
