import { ok } from "node:assert/strict";
import { compareEvaluators } from "./agreement.ts";

const COUNT = 10_000;
/** How often each reason must be given, so that a rule that never decides is noticed. */
const LEAST = 100;

Deno.test(`the naive evaluator agrees on ${COUNT} random policies and requests`, () => {
  const times = compareEvaluators({ first: 1, count: COUNT });
  for (
    const because of [
      ...[
        "explicit deny",
        "no allow",
        "limit",
        "other account",
        "root",
        "identity policy",
      ] as const,
      "bucket policy" as const,
    ]
  ) {
    ok((times.get(because) ?? 0) >= LEAST, `${because}: ${times.get(because)} times`);
  }
});
