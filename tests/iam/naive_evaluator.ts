/**
 * A second evaluator of policies, which shares no code with `src/iam/`. It reads the JSON of every policy at every question,
 * and follows Amazon's documentation one sentence at a time:
 *
 * - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 * - https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 * - https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
 * - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 * @module
 */

import type { Decision, Question } from "../../src/iam/evaluate.ts";
import type { Principal } from "../../src/iam/principal.ts";
import { conditionsHold, type Json, patternOf } from "./naive_conditions.ts";

/** The texts of all policies that a question meets. */
export type PolicyTexts = {
  readonly own: readonly string[];
  readonly boundaries: readonly string[];
  readonly sessions: readonly string[];
  readonly bucket: string | undefined;
};

/** What may be the reason. There are two, if the policies of the caller and of the bucket both allow. */
export type Verdict = {
  readonly allowed: boolean;
  readonly reasons: readonly Decision["because"][];
};

/** A statement with the version of its policy. */
export type Raw = { readonly json: Json; readonly isNew: boolean };

/** How strongly a bucket policy names a caller. */
type Strength = "self" | "everybody" | "account";

const NEVER_LOCKED = /^s3:(get|put|delete)bucketpolicy$/i;

/** Decides. */
export function judge(question: Question, texts: PolicyTexts): Verdict {
  const { principal, resourceAccount } = question;
  const isOwner = principal !== undefined && principal.account === resourceAccount;
  const isRootHere = principal !== undefined &&
    (principal.isAdmin || principal.isRoot && isOwner);
  const hasBoundary = texts.boundaries.length > 0;
  const own = texts.own.flatMap(statementsOf);
  const limits = [...texts.boundaries, ...texts.sessions].map(statementsOf);
  const bucket = texts.bucket === undefined ? [] : statementsOf(texts.bucket);
  const mine = (effect: string) => (raw: Raw): boolean =>
    raw.json["Effect"] === effect && isAbout(raw, question);

  const denies = [...own, ...limits.flat()].some(mine("Deny")) ||
    !(isRootHere && NEVER_LOCKED.test(question.action)) &&
      bucket.some((raw) => mine("Deny")(raw) && isDenied(raw.json, principal, hasBoundary));
  if (denies) return { allowed: false, reasons: ["explicit deny"] };

  const allows = (list: readonly Raw[]): boolean => list.some(mine("Allow"));
  const sessionsAllow = texts.sessions.map(statementsOf).every(allows);
  const limitsAllow = limits.every(allows);
  if (isRootHere) {
    return limitsAllow
      ? { allowed: true, reasons: ["root"] }
      : { allowed: false, reasons: ["limit"] };
  }
  const strengths = bucket.filter(mine("Allow")).flatMap(({ json }) => strengthOf(json, principal));
  if (principal === undefined) {
    return strengths.includes("everybody")
      ? { allowed: true, reasons: ["bucket policy"] }
      : { allowed: false, reasons: ["no allow"] };
  }
  const ownAllows = allows(own);
  if (!isOwner) {
    const bothAllow = strengths.length > 0 && (principal.isRoot || ownAllows);
    if (!bothAllow) return { allowed: false, reasons: ["other account"] };
    if (!limitsAllow) return { allowed: false, reasons: ["limit"] };
    return { allowed: true, reasons: [principal.isRoot ? "bucket policy" : "identity policy"] };
  }
  const reasons: Decision["because"][] = [];
  if (ownAllows && limitsAllow) reasons.push("identity policy");
  const isNamed = strengths.includes("self") && sessionsAllow;
  if (isNamed || strengths.includes("everybody") && limitsAllow) reasons.push("bucket policy");
  if (reasons.length > 0) return { allowed: true, reasons };
  const isAnyAllow = ownAllows || strengths.some((strength) => strength !== "account");
  return { allowed: false, reasons: [isAnyAllow ? "limit" : "no allow"] };
}

/** Returns the statements of a policy. */
export function statementsOf(text: string): readonly Raw[] {
  const { Version: version, Statement: statement } = JSON.parse(text);
  const isNew = version === "2012-10-17";
  const list: readonly Json[] = Array.isArray(statement) ? statement : [statement];
  return list.map((json) => ({ json, isNew }));
}

/** Returns whether the action, the resource and the conditions of a statement match. */
export function isAbout({ json, isNew }: Raw, { action, resource, context }: Question): boolean {
  const some = (element: unknown, value: string, flags: string, hasVariables: boolean): boolean =>
    textsOf(element).some((text) =>
      patternOf(text, { context, isNew: hasVariables, flags })?.test(value)
    );
  const hasAction = "Action" in json
    ? some(json["Action"], action, "i", false)
    : !some(json["NotAction"], action, "i", false);
  const hasResource = "Resource" in json
    ? some(json["Resource"], resource, "", isNew)
    : !some(json["NotResource"], resource, "", isNew);
  return hasAction && hasResource && conditionsHold(json["Condition"], context, isNew);
}

function textsOf(element: unknown): readonly string[] {
  return (Array.isArray(element) ? element : [element]) as readonly string[];
}

/** Returns how an element names a caller: as itself, as one of its account, or as everybody. */
export function namings(element: unknown, principal: Principal | undefined): readonly Strength[] {
  if (element === "*") return ["everybody"];
  const { AWS: names = [] } = element as Json;
  return textsOf(names).flatMap((name): readonly Strength[] => {
    if (name === "*") return ["everybody"];
    if (principal === undefined) return [];
    if (name === principal.arn && !name.endsWith(":root")) return ["self"];
    const isAccount = name === principal.account ||
      name === `arn:aws:iam::${principal.account}:root`;
    return isAccount ? [principal.isRoot ? "self" : "account"] : [];
  });
}

function isDenied(json: Json, principal: Principal | undefined, hasBoundary: boolean): boolean {
  if ("Principal" in json) return namings(json["Principal"], principal).length > 0;
  // NotPrincipal always denies a user who has a permissions boundary.
  return hasBoundary || !isExcepted(json["NotPrincipal"], principal);
}

function strengthOf(json: Json, principal: Principal | undefined): readonly Strength[] {
  if ("Principal" in json) return namings(json["Principal"], principal);
  return isExcepted(json["NotPrincipal"], principal) ? [] : ["everybody"];
}

/** The account alone does not except its users. */
function isExcepted(element: unknown, principal: Principal | undefined): boolean {
  return namings(element, principal).some((naming) => naming !== "account");
}
