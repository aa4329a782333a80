import { ok } from "node:assert/strict";
import { type Random, seeded } from "../nats/mutations.ts";
import { ask } from "./agreement.ts";
import { isAbout, namings, type PolicyTexts, type Raw, statementsOf } from "./naive_evaluator.ts";
import { randomConditions } from "./random_conditions.ts";
import {
  bucketStatement,
  type Case,
  identityStatement,
  randomCase,
  randomPolicy,
  withTexts,
} from "./random_questions.ts";

const COUNT = 3000;
/** How many cases each property must be tested on, of those that the random ones give. */
const LEAST = 300;

/** Calls a function with random cases until it has tested enough of them; it returns whether it tested one. */
function forCases(test: (asked: Case, random: Random, seed: number) => boolean): void {
  let tested = 0;
  for (let seed = 1; seed <= COUNT; seed++) {
    const random = seeded(Math.imul(seed, 2654435761));
    if (test(randomCase(random), random, seed)) tested++;
  }
  ok(tested >= LEAST, `${tested} cases were tested`);
}

function isAllowed(asked: Case): boolean {
  return ask(asked).allowed;
}

/** Returns the statements about a question of the policies that the caller carries. */
function carried({ question, texts: { own, boundaries, sessions } }: Case): readonly Raw[] {
  return [...own, ...boundaries, ...sessions].flatMap(statementsOf)
    .filter((raw) => isAbout(raw, question));
}

/** Returns the statements about a question of the bucket's policy, for its caller. */
function ofBucket({ question, texts: { bucket } }: Case): readonly Raw[] {
  if (bucket === undefined) return [];
  return statementsOf(bucket).filter((raw) => {
    const { Principal: is, NotPrincipal: isNot } = raw.json;
    const names = is === undefined
      ? !namings(isNot, question.principal).some((naming) => naming !== "account")
      : namings(is, question.principal).length > 0;
    return names && isAbout(raw, question);
  });
}

function isOwner({ question: { principal, resourceAccount } }: Case): boolean {
  if (principal === undefined) return false;
  return principal.isAdmin || principal.isRoot && principal.account === resourceAccount;
}

/** Returns whether an owner asks for the policy of the bucket, which that policy cannot deny. */
function isGettingBackIn(asked: Case): boolean {
  return isOwner(asked) && /BucketPolicy$/i.test(asked.question.action);
}

const has = (effect: string) => ({ json }: Raw): boolean => json["Effect"] === effect;

/** Returns policies with one more statement in one of them; undefined if there are none. */
function withStatement(
  { own, boundaries, sessions, bucket }: PolicyTexts,
  effect: "Allow" | "Deny",
  random: Random,
): PolicyTexts | undefined {
  const add = (text: string, make: (random: Random) => Readonly<Record<string, unknown>>) => {
    const { Version, Statement: old } = JSON.parse(text);
    const { NotPrincipal: isNot, ...elements } = make(random);
    const principals = isNot === undefined
      ? {}
      : { [effect === "Deny" ? "NotPrincipal" : "Principal"]: isNot };
    const added = { Effect: effect, ...elements, ...principals, ...randomConditions(random) };
    return JSON.stringify({ Version, Statement: [old, added].flat() });
  };
  const addToOne = (texts: readonly string[]): readonly string[] => {
    const chosen = random(texts.length);
    return texts.map((text, i) => i === chosen ? add(text, identityStatement) : text);
  };
  const choices: (() => PolicyTexts)[] = [];
  const texts = { own, boundaries, sessions, bucket };
  if (own.length > 0) choices.push(() => ({ ...texts, own: addToOne(own) }));
  if (boundaries.length > 0) choices.push(() => ({ ...texts, boundaries: addToOne(boundaries) }));
  if (sessions.length > 0) choices.push(() => ({ ...texts, sessions: addToOne(sessions) }));
  if (bucket !== undefined) {
    choices.push(() => ({ ...texts, bucket: add(bucket, bucketStatement) }));
  }
  return choices[random(choices.length)]?.();
}

Deno.test("nothing is allowed that a matching statement denies", () => {
  forCases((asked, _random, seed) => {
    const isDenied = carried(asked).some(has("Deny")) ||
      !isGettingBackIn(asked) && ofBucket(asked).some(has("Deny"));
    ok(!isDenied || !isAllowed(asked), `seed ${seed}`);
    return isDenied;
  });
});

Deno.test("nothing is allowed that neither a statement nor ownership allows", () => {
  forCases((asked, _random, seed) => {
    const mayBe = isOwner(asked) || [...carried(asked), ...ofBucket(asked)].some(has("Allow"));
    ok(mayBe || !isAllowed(asked), `seed ${seed}`);
    return !mayBe;
  });
});

Deno.test("one more Deny never allows more", () => {
  forCases((asked, random, seed) => {
    const texts = withStatement(asked.texts, "Deny", random);
    if (texts === undefined) return false;
    ok(isAllowed(asked) || !isAllowed(withTexts(asked, texts)), `seed ${seed}`);
    return true;
  });
});

Deno.test("one more Allow never denies more", () => {
  forCases((asked, random, seed) => {
    const texts = withStatement(asked.texts, "Allow", random);
    if (texts === undefined || !isAllowed(asked)) return false;
    ok(isAllowed(withTexts(asked, texts)), `seed ${seed}`);
    return true;
  });
});

Deno.test("one more policy of the caller never denies more, if it only allows", () => {
  forCases((asked, random, seed) => {
    if (asked.question.principal === undefined || !isAllowed(asked)) return false;
    const { own, ...others } = asked.texts;
    const added = randomPolicy(random, identityStatement).replaceAll('"Deny"', '"Allow"');
    ok(isAllowed(withTexts(asked, { ...others, own: [...own, added] })), `seed ${seed}`);
    return true;
  });
});

for (const kind of ["boundaries", "sessions"] as const) {
  Deno.test(`one more limit never allows more: ${kind}`, () => {
    forCases((asked, random, seed) => {
      if (asked.question.principal === undefined || isAllowed(asked)) return false;
      const added = randomPolicy(random, identityStatement);
      const texts = { ...asked.texts, [kind]: [...asked.texts[kind], added] };
      ok(!isAllowed(withTexts(asked, texts)), `seed ${seed}`);
      return true;
    });
  });
}
