/**
 * Two stores that are asked the same at random: all answers must be the same.
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";
import type { Store } from "../../src/store/store.ts";
import { bucket, OWNER } from "./inputs.ts";
import { LabelledStore } from "./labelled_store.ts";
import { NAMES, RandomVersions } from "./random_versions.ts";
import { list } from "./steps.ts";

/** Steps between two comparisons of everything. */
const FULL = 50;
/** Operations that a failure shows. */
const SHOWN = 30;

/** How often each operation was answered so: by its first word and the code of its error, or `ok`. */
export type Answers = ReadonlyMap<string, number>;

/**
 * Carries out the same random operations on two empty stores and compares all answers, and what the stores show of each
 * key that was changed.
 *
 * @throws AssertionError at the first difference, with the seed and the last operations
 */
export async function compareStores(
  stores: readonly [Store, Store],
  { seed, steps }: { readonly seed: number; readonly steps: number },
): Promise<Answers> {
  const [one, other] = stores.map((store) => new LabelledStore(store)) as [
    LabelledStore,
    LabelledStore,
  ];
  for (const { store } of [one, other]) await store.createBucket(bucket, OWNER);
  const random = new RandomVersions(seed, (name) => one.labelsOf(name));
  const texts: string[] = [];
  const answers = new Map<string, number>();

  const compare = async (ask: (on: LabelledStore) => Promise<unknown>): Promise<unknown> => {
    const [a, b] = await Promise.all([one.answer(ask(one)), other.answer(ask(other))]);
    const shown = texts.slice(-SHOWN).join("\n");
    try {
      deepStrictEqual(a, b);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`seed ${seed}, step ${texts.length}: ${message}\nafter\n${shown}`, { cause });
    }
    return a;
  };

  for (let step = 1; step <= steps; step++) {
    const { text, name, run } = random.next();
    texts.push(text);
    const answer = await compare(run);
    const kind = `${text.split(" ")[0]} ${codeIn(answer)}`;
    answers.set(kind, (answers.get(kind) ?? 0) + 1);
    await compare((on) => on.key(name));
    if (step % FULL === 0 || step === steps) {
      for (const name of NAMES) await compare((on) => on.key(name));
      await compare((on) => on.pages({ prefix: "", delimiter: "", limit: 4 }));
      await compare(async ({ store }) => (await list(store)).keys);
    }
  }
  return answers;
}

function codeIn(answer: unknown): string {
  const code = typeof answer === "object" && answer !== null && "code" in answer && answer.code;
  return typeof code === "string" ? code : "ok";
}
