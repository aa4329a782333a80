import { strictEqual } from "node:assert/strict";
import { parseTemplate } from "./template.ts";

type Row = readonly [pattern: string, text: string, matches: boolean];

const USER = "${aws:username}";

/** Patterns with wildcards alone; whether a policy has variables makes no difference. */
const WILDCARDS: readonly Row[] = [
  ["", "", true],
  ["", "a", false],
  ["a", "a", true],
  ["a", "A", false],
  ["a", "aa", false],
  ["*", "", true],
  ["*", "a/b:c", true],
  ["**", "", true],
  ["***", "abc", true],
  ["?", "a", true],
  ["?", "", false],
  ["?", "ab", false],
  ["?", "é", true],
  ["?", "☃", true],
  ["??", "ab", true],
  ["?*", "", false],
  ["?*", "a", true],
  ["*?", "ab", true],
  ["*?", "", false],
  ["a*", "a", true],
  ["a*", "abc", true],
  ["a*", "ba", false],
  ["*a", "ba", true],
  ["*a", "ab", false],
  ["*a", "aba", true],
  ["a*a", "a", false],
  ["a*a", "aa", true],
  ["a*a", "aba", true],
  ["a*b*c", "abc", true],
  ["a*b*c", "a1b2c", true],
  ["a*b*c", "acb", false],
  ["a*b*c", "abcbc", true],
  ["*ab*ab*", "abab", true],
  ["*ab*ab*", "aba", false],
  ["*aab", "aaab", true],
  ["a?c*", "abcd", true],
  ["a?c*", "acd", false],
  ["*?b*?d", "abcd", true],
  ["*?b*?d", "bcd", false],
  ["*.jpg", "a.b.jpg", true],
  ["*.jpg", "ajpg", false],
  ["[a]", "a", false],
  ["[a]", "[a]", true],
  ["a+", "aa", false],
  ["a\\*", "a\\b", true],
  ["(a|b)", "a", false],
  ["^a$", "a", false],
  ["arn:aws:s3:::b*", "arn:aws:s3:::b/a/c", true],
  ["arn:aws:s3:::b/*", "arn:aws:s3:::b", false],
  ["arn:aws:s3:::b/*", "arn:aws:s3:::b/", true],
  ["arn:aws:s3:::?/a", "arn:aws:s3:::b/a", true],
];

/** Patterns of a policy of 2012. */
const VARIABLES: readonly Row[] = [
  [USER, "ann", true],
  [USER, "bob", false],
  [USER, USER, false],
  ["${AWS:UserName}", "ann", true],
  ["${ aws:username }", "ann", true],
  [`home/${USER}/*`, "home/ann/a", true],
  [`home/${USER}/*`, "home/bob/a", false],
  [`home/${USER}/*`, "home/annabel/a", false],
  [`${USER}${USER}`, "annann", true],
  [`*${USER}?`, "x/anny", true],
  ["${aws:username, 'nobody'}", "ann", true],
  ["${aws:PrincipalTag/star}", "*", true],
  ["${aws:PrincipalTag/star}", "abc", false],
  ["${aws:PrincipalTag/star}*", "*abc", true],
  ["${aws:PrincipalTag/star}*", "abc", false],
  ["${aws:PrincipalTag/dots}", "???", true],
  ["${aws:PrincipalTag/dots}", "abc", false],
  ["${aws:PrincipalTag/nested}", USER, true],
  ["${aws:PrincipalTag/nested}", "ann", false],
  ["${aws:PrincipalTag/empty}", "", true],
  ["a${aws:PrincipalTag/empty}b", "ab", true],
  ["${aws:PrincipalTag/none}", "", false],
  ["${aws:PrincipalTag/none}", "none", false],
  ["*${aws:PrincipalTag/none}*", "anything", false],
  ["${aws:PrincipalTag/none, 'team'}", "team", true],
  ["${aws:PrincipalTag/none,'team'}", "team", true],
  ["${ aws:PrincipalTag/none , 'team' }", "team", true],
  ["${aws:PrincipalTag/none, 'Team'}", "team", false],
  ["${aws:PrincipalTag/none, ''}", "", true],
  ["${aws:PrincipalTag/none, '*'}", "*", true],
  ["${aws:PrincipalTag/none, '*'}", "a", false],
  ["${aws:PrincipalTag/none, team}", "team", false],
  ["${aws:PrincipalTag/none, 'a, b'}", "a, b", true],
  ["${aws:PrincipalTag/empty, 'team'}", "", true],
  ["${aws:PrincipalTag/empty, 'team'}", "team", false],
  ["${aws:TagKeys}", "a", false],
  ["${aws:TagKeys, 'several'}", "several", true],
  ["${*}", "*", true],
  ["${*}", "a", false],
  ["a${*}*", "a*b", true],
  ["a${*}*", "ab", false],
  ["${?}", "?", true],
  ["${?}", "a", false],
  ["${$}", "$", true],
  ["${$}{aws:username}", USER, true],
  ["${", "${", true],
  ["${aws:username", "${aws:username", true],
  ["$a}", "$a}", true],
  ["${}", "", false],
];

/** Patterns of a policy of 2008, which knows no variables. */
const LITERALS: readonly Row[] = [
  [USER, USER, true],
  [USER, "ann", false],
  [`${USER}/*`, `${USER}/a`, true],
  ["${*}", "${abc}", true],
  ["${?}", "${a}", true],
  ["${$}", "${$}", true],
];

const CONTEXT: Readonly<Record<string, string | readonly string[]>> = {
  "aws:username": "ann",
  "aws:principaltag/star": "*",
  "aws:principaltag/dots": "???",
  "aws:principaltag/nested": USER,
  "aws:principaltag/empty": "",
  "aws:tagkeys": ["a"],
};

function check(rows: readonly Row[], hasVariables: boolean): void {
  const year = hasVariables ? 2012 : 2008;
  for (const [pattern, text, matches] of rows) {
    const verb = matches ? "matches" : "does not match";
    Deno.test(`in a policy of ${year} "${pattern}" ${verb} "${text}"`, () => {
      const context = { get: (key: string) => CONTEXT[key] };
      strictEqual(parseTemplate(pattern, hasVariables).matches(text, context), matches);
    });
  }
}

check([...WILDCARDS, ...VARIABLES], true);
check([...WILDCARDS, ...LITERALS], false);
