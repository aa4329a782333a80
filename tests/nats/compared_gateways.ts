/**
 * Gateways on one nats-server and a gateway on a memory store, which are asked the same at random: all answers must be the same,
 * and what is shown of each key. Processes may be killed meanwhile: then a request without a response had its whole effect,
 * or none.
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Random } from "../simulation/random.ts";
import { LOCKED, NAMES, PLAIN } from "./version_headers.ts";
import { RandomVersionRequests, type VersionRequest } from "./version_requests.ts";
import type { Answered, AskedOfSide, SendTo } from "./version_side.ts";
import { VersionSides } from "./version_sides.ts";

/** The gateways to compare, and the requests and kills of a comparison. */
export type Comparison = {
  /** Sends to the gateway on a memory store. */
  readonly model: SendTo;
  /** Sends to one of the other gateways, chosen at random. */
  readonly real: SendTo;
  readonly seed: number;
  readonly steps: number;
  /** Kills a process, and resolves with a description when all processes serve again; undefined for no kills. */
  readonly kill?: ((random: Random) => Promise<string>) | undefined;
  /** Whether the only bucket has versioning from its beginning. One that gets it later waits for other gateways. */
  readonly onlyLocked?: boolean;
  /** Milliseconds until what a killed gateway sent has been stored. */
  readonly settled?: number;
  /** Milliseconds after which it ends earlier. */
  readonly limit?: number;
  /** Receives a line now and then. */
  readonly note?: ((line: string) => void) | undefined;
};

/** What happened. */
export type Compared = {
  readonly steps: number;
  /** How often each kind of request was answered so, by its first word and the status; 0 for no response. */
  readonly answers: ReadonlyMap<string, number>;
  readonly kills: ReadonlyMap<string, number>;
  /** Requests without a response that had their effect, and those that had none. */
  readonly lost: { readonly done: number; readonly undone: number };
};

/** Requests that are sent at once, and rounds of them for each kill. */
const [AT_ONCE, ROUNDS_PER_KILL] = [4, 12];
/** Steps between two comparisons of everything, and steps that a failure shows. */
const [FULL, SHOWN] = [100, 40];
const SETTLED = 500;

/**
 * Compares them.
 *
 * @throws Error at the first difference, with the seed and the last requests
 */
export async function compareGateways(comparison: Comparison): Promise<Compared> {
  return await new Comparing(comparison).run();
}

class Comparing {
  readonly #sides: VersionSides;
  readonly #comparison: Comparison;
  readonly #random: Random;
  readonly #requests: RandomVersionRequests;
  readonly #buckets: readonly string[];
  readonly #texts: string[] = [];
  readonly #answers = new Map<string, number>();
  readonly #kills = new Map<string, number>();
  readonly #lost = { done: 0, undone: 0 };
  #next: VersionRequest | undefined;

  constructor(comparison: Comparison) {
    this.#comparison = comparison;
    const { model, real, kill } = comparison;
    this.#sides = new VersionSides({ model, real, mayLose: kill !== undefined });
    this.#random = new Random(comparison.seed ^ 0x5eed);
    this.#buckets = comparison.onlyLocked === true ? [LOCKED] : [LOCKED, PLAIN];
    this.#requests = new RandomVersionRequests({
      seed: comparison.seed,
      buckets: this.#buckets,
      labelsOf: (bucket, key) => this.#sides.labelsOf(bucket, key),
    });
  }

  async run(): Promise<Compared> {
    const { steps, seed, kill, note, limit = Infinity } = this.#comparison;
    const began = performance.now();
    try {
      await this.#begin();
      for (let full = FULL; this.#texts.length < steps && performance.now() - began < limit;) {
        const isContest = kill === undefined && this.#random.chance(0.05);
        if (isContest) await this.#contest();
        else await this.#round();
        if (this.#texts.length < full) continue;
        full += FULL;
        await this.#sides.compareAll(this.#buckets);
        if (this.#texts.length % 1000 < AT_ONCE) note?.(`${this.#texts.length} steps`);
      }
      await this.#sides.compareAll(this.#buckets);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      const shown = this.#texts.slice(-SHOWN).join("\n");
      const where = `seed ${seed}, step ${this.#texts.length}`;
      throw new Error(`${where}: ${message}\nafter\n${shown}`, { cause });
    }
    return {
      steps: this.#texts.length,
      answers: this.#answers,
      kills: this.#kills,
      lost: this.#lost,
    };
  }

  async #begin(): Promise<void> {
    const headers = { "x-amz-bucket-object-lock-enabled": "true" };
    const held = { "x-amz-object-lock-legal-hold": "ON" };
    const on = { key: "z" };
    for (
      const asked of [
        { method: "PUT", bucket: LOCKED, headers },
        { method: "PUT", bucket: PLAIN },
        { method: "PUT", bucket: LOCKED, on, headers: held, body: "never deleted" },
      ] satisfies AskedOfSide[]
    ) await this.#sides.both(asked);
  }

  async #round(): Promise<void> {
    const requests = this.#choose();
    for (const { text } of requests) this.#texts.push(text);
    const killing = this.#kill();
    const heard = await Promise.all(requests.map((request) => this.#askReal(request)));
    await killing;
    if (heard.includes(undefined)) await delay(this.#comparison.settled ?? SETTLED);
    for (const [i, request] of requests.entries()) {
      const answered = heard[i];
      if (answered === undefined) await this.#explainLost(request);
      else await this.#follow(request, answered);
      this.#count(request, answered?.status ?? 0);
      for (const key of request.keys) await this.#sides.compareKey(request.asked.bucket, key);
    }
  }

  /** Chooses requests that do not depend on each other. */
  #choose(): readonly VersionRequest[] {
    const chosen: VersionRequest[] = [];
    const keys = new Set<string>();
    while (chosen.length < AT_ONCE) {
      const request = this.#next ?? this.#requests.next();
      this.#next = undefined;
      if (request.keys.length === 0) {
        if (chosen.length === 0) return [request];
        this.#next = request;
        return chosen;
      }
      const places = request.keys.map((key) => `${request.asked.bucket}/${key}`);
      if (places.some((place) => keys.has(place))) continue;
      for (const place of places) keys.add(place);
      chosen.push(request);
    }
    return chosen;
  }

  async #kill(): Promise<void> {
    const { kill } = this.#comparison;
    const random = this.#random;
    if (kill === undefined || !random.chance(1 / ROUNDS_PER_KILL)) return;
    await delay(random.below(12));
    const what = await kill(random);
    this.#kills.set(what, (this.#kills.get(what) ?? 0) + 1);
  }

  /** Returns undefined if there was no response. */
  async #askReal({ asked, twice }: VersionRequest): Promise<Answered | undefined> {
    if (twice === "same") return await this.#sides.insist(asked);
    const answered = await this.#sides.try(asked);
    if (answered !== undefined || twice === "other effect") return answered;
    // Nobody learns how the first attempt would have been answered.
    await this.#sides.insist(asked);
    return undefined;
  }

  async #follow({ asked, done, text }: VersionRequest, answered: Answered): Promise<void> {
    const upload = await this.#sides.follow(asked, answered, text);
    if (upload !== undefined) done?.(upload);
  }

  /** Finds out whether a request without a response had its effect, and does the same to the model. */
  async #explainLost(request: VersionRequest): Promise<void> {
    const { asked: { bucket, deletes, ...asked }, keys, twice, done, lost } = request;
    lost?.();
    if (twice === "other answer") {
      await this.#sides.model.ask(request.asked);
      done?.("");
      return;
    }
    // The keys of one multi-delete change one after the other.
    const parts = deletes === undefined
      ? [{ asked: request.asked, keys }]
      : deletes.map((one) => ({ asked: { ...asked, bucket, deletes: [one] }, keys: [one.key] }));
    for (const part of parts) {
      if (await this.#sides.isAlike(bucket, part.keys)) {
        this.#lost.undone++;
        continue;
      }
      const expected = await this.#sides.model.ask(part.asked);
      this.#sides.model.show(expected);
      this.#lost.done++;
      if (deletes === undefined && asked.query !== "uploads=" && expected.status < 300) done?.("");
    }
  }

  /** Sends two writes under the same condition at once: one wins. */
  async #contest(): Promise<void> {
    const bucket = this.#random.pick(this.#buckets);
    const key = this.#random.pick(NAMES);
    const on = { key };
    const now = await this.#sides.model.ask({ method: "HEAD", bucket, on });
    const etag = now.headers.get("etag");
    const isMatch = etag !== null && this.#random.chance(0.7);
    const headers: Record<string, string> = isMatch
      ? { "if-match": etag }
      : { "if-none-match": "*" };
    const writes = ["one", "other"].map((body): VersionRequest => ({
      text: `contest ${body} ${bucket}/${key} ${JSON.stringify(headers)}`,
      asked: { method: "PUT", bucket, on, headers, body },
      keys: [key],
      twice: "other effect",
    }));
    for (const { text } of writes) this.#texts.push(text);
    const heard = await Promise.all(writes.map(({ asked }) => this.#sides.real.ask(asked)));
    const order = heard[1]?.status === 200 ? [1, 0] : [0, 1];
    for (const i of order) {
      const [write, answered] = [writes[i], heard[i]];
      ok(write !== undefined && answered !== undefined);
      this.#count(write, answered.status);
      if (answered.status === 409) {
        // The other one was not done yet.
        const { status } = await this.#sides.model.ask(write.asked);
        deepStrictEqual(status, 412, write.text);
      } else await this.#follow(write, answered);
    }
    await this.#sides.compareKey(bucket, key);
  }

  #count({ text }: VersionRequest, status: number): void {
    const kind = `${text.split(" ")[0]} ${status}`;
    this.#answers.set(kind, (this.#answers.get(kind) ?? 0) + 1);
  }
}
