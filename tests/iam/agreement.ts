/**
 * Compares the evaluator with the naive one.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { type Decision, evaluate } from "../../src/iam/evaluate.ts";
import { parsePolicy } from "../../src/iam/policy.ts";
import { seeded } from "../nats/mutations.ts";
import { judge, type Verdict } from "./naive_evaluator.ts";
import { type Case, randomCase } from "./random_questions.ts";

/** Asks the evaluator. */
export function ask({ question, texts: { bucket } }: Case): Decision {
  const origin = "bucket policy";
  return evaluate(question, {
    ...bucket !== undefined && {
      resource: parsePolicy(bucket, "bucket", { origin, bucket: "b" }),
    },
  });
}

/**
 * Asks both evaluators as many questions; one seed each, from the first. It returns how often each reason was given, and
 * throws at the first disagreement.
 */
export function compareEvaluators(
  { first, count }: { readonly first: number; readonly count: number },
): ReadonlyMap<Decision["because"], number> {
  const times = new Map<Decision["because"], number>();
  for (let seed = first; seed < first + count; seed++) {
    const random = seeded(Math.imul(seed, 2654435761));
    const asked = randomCase(random);
    const decision = ask(asked);
    const verdict = judge(asked.question, asked.texts);
    const agrees = decision.allowed === verdict.allowed &&
      verdict.reasons.includes(decision.because);
    if (!agrees) strictEqual(describe(decision, verdict, asked), "", `seed ${seed}`);
    times.set(decision.because, (times.get(decision.because) ?? 0) + 1);
  }
  return times;
}

function describe(decision: Decision, verdict: Verdict, { question, texts }: Case): string {
  const { principal, action, resource, resourceAccount, context } = question;
  const keys = [
    ...["aws:username", "aws:principalarn", "aws:sourcearn", "aws:principaltag/team"],
    ...["s3:prefix", "s3:max-keys", "aws:currenttime", "aws:epochtime", "aws:securetransport"],
    ...["aws:sourceip", "aws:tagkeys", "aws:referer"],
  ];
  const values = Object.fromEntries(keys.map((key) => [key, context.get(key)]));
  const who = principal && `${principal.arn}${principal.isAdmin ? " (admin)" : ""}`;
  return [
    `The evaluator says ${decision.because}, and the naive one ${verdict.reasons.join(" or ")}.`,
    `${who} asks for ${action} of ${resource}, which is ${resourceAccount}'s`,
    ...texts.own.map((text) => `own: ${text}`),
    ...texts.boundaries.map((text) => `boundary: ${text}`),
    ...texts.sessions.map((text) => `session: ${text}`),
    `bucket: ${texts.bucket}`,
    JSON.stringify(values),
  ].join("\n");
}
