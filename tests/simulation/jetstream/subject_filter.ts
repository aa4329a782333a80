/**
 * Subjects with wildcards, as nats-server matches them.
 * See https://docs.nats.io/nats-concepts/subjects
 * @module
 */

/** Tells whether a subject has no wildcard. */
export function isLiteral(subject: string): boolean {
  if (!subject.includes("*") && !subject.includes(">")) return true;
  return !/(?:^|\.)[*>](?:$|\.)/.test(subject);
}

/** A function that tells whether a literal subject matches a filter. */
export type Matcher = (subject: string) => boolean;

const matchers = new Map<string, Matcher>();

/** Returns the matcher of a filter; the empty filter matches everything. */
export function matcherOf(filter: string): Matcher {
  let matcher = matchers.get(filter);
  if (matcher === undefined) {
    if (matchers.size > 10_000) matchers.clear();
    matcher = createMatcher(filter);
    matchers.set(filter, matcher);
  }
  return matcher;
}

function createMatcher(filter: string): Matcher {
  if (filter === "" || filter === ">") return () => true;
  if (isLiteral(filter)) return (subject) => subject === filter;
  const tokens = filter.split(".");
  const wildcard = tokens.findIndex((token) => token === "*" || token === ">");
  const prefix = tokens.slice(0, wildcard).map((token) => `${token}.`).join("");
  if (wildcard === tokens.length - 1 && tokens[wildcard] === ">") {
    return (subject) => subject.length > prefix.length && subject.startsWith(prefix);
  }
  return (subject) => {
    if (!subject.startsWith(prefix)) return false;
    const parts = subject.split(".");
    for (const [i, token] of tokens.entries()) {
      if (token === ">") return parts.length > i;
      if (parts[i] === undefined || (token !== "*" && token !== parts[i])) return false;
    }
    return parts.length === tokens.length;
  };
}

/** Tells whether some subject matches both filters. */
export function collide(one: string, other: string): boolean {
  const [a, b] = [one.split("."), other.split(".")];
  for (let i = 0;; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === undefined || y === undefined) return x === y;
    if (x === ">" || y === ">") return true;
    if (x !== "*" && y !== "*" && x !== y) return false;
  }
}
