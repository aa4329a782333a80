/**
 * The long version of `tests/iam/agreement_test.ts`.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { compareEvaluators } from "../iam/agreement.ts";

const COUNT = 100_000;

Deno.test(`the naive evaluator agrees on ${COUNT} random policies and requests`, () => {
  // The short version asks with the seeds before.
  const times = compareEvaluators({ first: 1_000_000, count: COUNT });
  // deno-lint-ignore no-console
  console.log(Object.fromEntries(times));
  strictEqual([...times.values()].reduce((sum, count) => sum + count, 0), COUNT);
});
