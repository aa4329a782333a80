/**
 * The vocabulary of random requests: streams, subjects, filters and numbers that often fit.
 * @module
 */

import type { Random } from "./random.ts";

/**
 * How to know the last answer: it is the only one, the status at the end, the last message that a consumer has to push, or
 * nothing comes for a while.
 */
export type Ending = "one" | "status" | "pushed" | "quiet";

/** A request, and how to know that its last answer has come. */
export type Request = {
  readonly subject: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `%INBOX%` stands for the inbox of the answers. */
  readonly data: string;
  readonly ends: Ending;
};

/** The streams. */
export const STREAMS = ["OBJ_a", "OBJ_b", "KV_c"] as const;
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  OBJ_a: [
    "$O.a.C.n1",
    "$O.a.C.n2",
    "$O.a.M.k1",
    "$O.a.M.k2",
    "$O.a.M.k3",
    "$O.a.S3.lock",
    "$O.a.S3.part.n1.1.x",
  ],
  OBJ_b: ["$O.b.C.n1", "$O.b.M.k1", "$O.b.M.k2", "$O.b.S3.lock"],
  KV_c: ["$KV.c.one", "$KV.c.two", "$KV.c.three.four"],
};
const FILTERS: Readonly<Record<string, readonly string[]>> = {
  OBJ_a: [
    "$O.a.C.>",
    "$O.a.M.>",
    "$O.a.S3.>",
    ">",
    "$O.a.*.k1",
    "$O.a.C.*",
    "$O.a.S3.part.*.*.>",
    "$O.x.>",
  ],
  OBJ_b: ["$O.b.C.>", "$O.b.M.>", ">"],
  KV_c: ["$KV.c.>", "$KV.c.*", "$KV.>"],
};

/** What later requests depend on. */
export type Memory = {
  /** Copies of each stream. */
  readonly replicas: number;
  /** Numbers of batches and consumers so far. */
  batches: number;
  consumers: number;
  /** Messages that are left of a batch. */
  readonly rest: Request[];
  /** A consumer to pull from. */
  pulled?: { readonly stream: string; readonly name: string } | undefined;
};

/** Makes a request about a stream. */
export type Make = (random: Random, stream: string, memory: Memory) => Request;

/** Returns a call of the API. */
export function api(method: string, body?: unknown, ends: Ending = "one"): Request {
  return {
    subject: `$JS.API.${method}`,
    data: body === undefined ? "" : JSON.stringify(body),
    ends,
  };
}

/** Returns a subject of a stream. */
export function subjectOf(random: Random, stream: string): string {
  return random.pick(SUBJECTS[stream] ?? []);
}

/** Returns a filter, which some message of a stream may match. */
export function filterOf(random: Random, stream: string): string {
  return random.chance(0.4) ? subjectOf(random, stream) : random.pick(FILTERS[stream] ?? []);
}

/** Sequences are small: streams are made anew now and then. */
export function sequence(random: Random): number {
  return random.below(random.chance(0.5) ? 12 : 120);
}
