/**
 * What policies would decide, without doing it.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
 *
 * A simulation knows only the values of condition keys that it is given. It says which others the policies ask for.
 * @module
 */

import { callerValues } from "./caller_values.ts";
import type { Context } from "./context.ts";
import { type Decision, evaluate, type Question } from "./evaluate.ts";
import type { CompiledPolicy } from "./policy.ts";
import type { Principal } from "./principal.ts";

/** A value of a condition key, as a request to simulate gives it. */
export type GivenValue = {
  /** In any case. */
  readonly key: string;
  readonly value: string | readonly string[];
};

/** The facts of a simulation. */
export type Simulation = {
  readonly principal: Principal;
  /** The caller is made up: there is no user whose name and ARN policies could ask for. */
  readonly isAnybody: boolean;
  readonly given: readonly GivenValue[];
  readonly resourceAccount: string;
  /** The policy of the resource. */
  readonly resource: CompiledPolicy | undefined;
};

/** The words of IAM for decisions. */
export type Verdict = "allowed" | "explicitDeny" | "implicitDeny";

/** The result for one action on one resource. */
export type Simulated = {
  readonly verdict: Verdict;
  readonly statement: Decision["statement"];
  /** Undefined without a permissions boundary. */
  readonly isWithinBoundary: boolean | undefined;
  /** Condition keys that policies ask for and that have no value, in order. */
  readonly missing: readonly string[];
};

/** Simulates one action on one resource. */
export function simulate(
  { principal, isAnybody, given, resourceAccount, resource: policy }: Simulation,
  action: string,
  resource: string,
): Simulated {
  const context = contextOf(isAnybody ? undefined : principal, given);
  const question: Question = { principal, action, resource, resourceAccount, context };
  const decision = evaluate(question, policy === undefined ? {} : { resource: policy });
  const { allowed, because, statement } = decision;
  return {
    verdict: allowed ? "allowed" : because === "explicit deny" ? "explicitDeny" : "implicitDeny",
    statement,
    isWithinBoundary: principal.limits.length === 0 ? undefined : isWithin(question, principal),
    missing: missingIn(
      [...principal.policies, ...principal.limits, ...policy === undefined ? [] : [policy]],
      action,
      context,
    ),
  };
}

function isWithin(question: Question, principal: Principal): boolean {
  return principal.limits.every((limit) =>
    evaluate({ ...question, principal: { ...principal, policies: [limit], limits: [] } }, {})
      .allowed
  );
}

function contextOf(principal: Principal | undefined, given: readonly GivenValue[]): Context {
  const values = principal === undefined
    ? new Map<string, string | readonly string[]>()
    : callerValues(principal);
  for (const { key, value } of given) values.set(key.toLowerCase(), value);
  return values;
}

function missingIn(
  policies: readonly CompiledPolicy[],
  action: string,
  context: Context,
): readonly string[] {
  const keys = policies.flatMap((policy) =>
    policy.about(action).flatMap(({ conditions, resources }) => [
      ...conditions.map(({ key }) => key),
      ...resources.list.flatMap(variablesOf),
    ])
  );
  return [...new Set(keys)].filter((key) => context.get(key) === undefined).sort();
}

/** Returns the condition keys that policies name in conditions and variables, in order. */
export function contextKeysOf(policies: readonly CompiledPolicy[]): readonly string[] {
  const keys = policies.flatMap(({ statements }) =>
    statements.flatMap(({ conditions, resources }) => [
      ...conditions.flatMap(({ key, values }) => [key, ...values.flatMap(variablesOf)]),
      ...resources.list.flatMap(variablesOf),
    ])
  );
  return [...new Set(keys)].sort();
}

/** Returns the variables of a text of a policy, in lower case. */
function variablesOf(text: string): readonly string[] {
  return text.split("${").slice(1).flatMap((rest) => {
    const [name = ""] = rest.split("}", 1)[0]?.split(",", 1) ?? [];
    const key = name.trim().toLowerCase();
    return key.includes(":") ? [key] : [];
  });
}
