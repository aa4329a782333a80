import { strictEqual } from "node:assert/strict";
import { type Decision, evaluate } from "./evaluate.ts";
import { parsePolicy } from "./policy.ts";
import type { Principal } from "./principal.ts";

const [MINE, OTHER] = ["111122223333", "444455556666"];

type Who = "anonymous" | "admin" | "root" | "ann" | "other root" | "bob";

/** ann is a user of the account that owns the bucket, and bob one of another account. */
function principalOf(
  who: Who,
  own: readonly string[],
  limits: readonly string[],
  kind: "identity" | "session",
): Principal | undefined {
  if (who === "anonymous") return undefined;
  const account = who === "bob" || who === "other root" ? OTHER : MINE;
  const isRoot = who.endsWith("root") || who === "admin";
  const compile = (texts: readonly string[], kind: "identity" | "session") =>
    texts.map((text) => parsePolicy(identity(text), kind, { origin: "own" }));
  return {
    account,
    arn: `arn:aws:iam::${account}:${isRoot ? "root" : `user/${who}`}`,
    userId: "AIDA",
    name: isRoot ? undefined : who,
    isRoot,
    isAdmin: who === "admin",
    tags: new Map(),
    policies: compile(own, "identity"),
    limits: compile(limits, kind),
  };
}

/** Statements in short: `+` allows and `-` denies the action that follows, on all objects of the bucket. */
function identity(text: string): string {
  return document(text.split(" ").map((word) => ({ ...statement(word) })));
}

function bucketPolicy(text: string): string {
  return document(
    text.split(" ").map((word) => {
      const [what = "", ...who] = word.split("@");
      const aws = who.join("@").replace("!", "").split(",").map((name) =>
        name.replace("ann", `arn:aws:iam::${MINE}:user/ann`)
          .replace("bob", `arn:aws:iam::${OTHER}:user/bob`)
          .replace(/^mine$/, MINE).replace(/^other$/, OTHER)
      );
      const isNot = who.join("@").startsWith("!");
      return { ...statement(what), [isNot ? "NotPrincipal" : "Principal"]: { AWS: aws } };
    }),
  );
}

function statement(word: string): Record<string, unknown> {
  return {
    Effect: word.startsWith("+") ? "Allow" : "Deny",
    Action: word.slice(1),
    Resource: ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
  };
}

function document(statements: readonly unknown[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

type Row = readonly [
  who: Who,
  own: string,
  bucket: string,
  because: Decision["because"],
  /** A permissions boundary; a session, if it begins with "session". */
  limits?: string,
];

/** Everybody asks for s3:GetObject of b/k. */
const ROWS: readonly Row[] = [
  ["anonymous", "", "", "no allow"],
  ["anonymous", "", "+s3:GetObject@*", "bucket policy"],
  ["anonymous", "", "+s3:PutObject@*", "no allow"],
  ["anonymous", "", "+s3:GetObject@mine", "no allow"],
  ["anonymous", "", "+s3:*@* -s3:GetObject@*", "explicit deny"],
  ["anonymous", "", "+s3:*@* -s3:*@ann", "bucket policy"],
  ["root", "", "", "root"],
  ["root", "", "-s3:*@*", "explicit deny"],
  ["root", "", "-s3:*@mine", "explicit deny"],
  ["root", "", "-s3:*@other", "root"],
  ["admin", "", "", "root"],
  ["admin", "", "-s3:GetObject@*", "explicit deny"],
  ["ann", "", "", "no allow"],
  ["ann", "+s3:GetObject", "", "identity policy"],
  ["ann", "+s3:Get*", "", "identity policy"],
  ["ann", "+S3:GETOBJECT", "", "identity policy"],
  ["ann", "+s3:PutObject", "", "no allow"],
  ["ann", "+* -s3:GetObject", "", "explicit deny"],
  ["ann", "+s3:*", "-s3:GetObject@ann", "explicit deny"],
  ["ann", "+s3:*", "-s3:GetObject@bob", "identity policy"],
  ["ann", "+s3:*", "-s3:GetObject@mine", "explicit deny"],
  ["ann", "", "+s3:GetObject@ann", "bucket policy"],
  ["ann", "", "+s3:GetObject@bob", "no allow"],
  ["ann", "", "+s3:GetObject@*", "bucket policy"],
  ["ann", "", "+s3:GetObject@mine", "no allow"],
  ["ann", "+s3:GetObject", "+s3:GetObject@mine", "identity policy"],
  ["ann", "-s3:GetObject", "+s3:GetObject@ann", "explicit deny"],
  ["ann", "+s3:*", "", "identity policy", "+s3:Get*"],
  ["ann", "+s3:*", "", "limit", "+s3:Put*"],
  ["ann", "+s3:*", "", "explicit deny", "-s3:Get*"],
  ["ann", "", "+s3:*@ann", "bucket policy", "+s3:Put*"],
  ["ann", "", "+s3:*@*", "limit", "+s3:Put*"],
  ["ann", "", "+s3:*@*", "bucket policy", "+s3:Get*"],
  ["ann", "", "+s3:*@ann", "explicit deny", "-s3:Get*"],
  ["bob", "", "", "other account"],
  ["bob", "+s3:*", "", "other account"],
  ["bob", "", "+s3:*@bob", "other account"],
  ["bob", "", "+s3:*@*", "other account"],
  ["bob", "+s3:*", "+s3:GetObject@bob", "identity policy"],
  ["bob", "+s3:*", "+s3:GetObject@other", "identity policy"],
  ["bob", "+s3:*", "+s3:GetObject@*", "identity policy"],
  ["bob", "+s3:*", "+s3:GetObject@mine", "other account"],
  ["bob", "+s3:*", "+s3:*@* -s3:*@other", "explicit deny"],
  ["bob", "+s3:*", "+s3:*@bob", "limit", "+s3:Put*"],
  ["other root", "", "", "other account"],
  ["other root", "", "+s3:*@other", "bucket policy"],
  ["other root", "", "+s3:*@*", "bucket policy"],
  ["other root", "", "+s3:*@bob", "other account"],
  ["other root", "", "+s3:*@other -s3:Get*@*", "explicit deny"],
  ["root", "", "", "limit", "session +s3:Put*"],
  ["root", "", "", "root", "session +s3:Get*"],
  ["root", "", "", "explicit deny", "session +s3:* -s3:Get*"],
  ["admin", "", "", "limit", "session +s3:Put*"],
  ["admin", "", "+s3:*@*", "limit", "session +s3:Put*"],
  ["ann", "+s3:*", "", "identity policy", "session +s3:Get*"],
  ["ann", "+s3:*", "", "limit", "session +s3:Put*"],
  ["ann", "", "+s3:*@ann", "limit", "session +s3:Put*"],
  ["ann", "", "+s3:*@ann", "bucket policy", "session +s3:Get*"],
  ["bob", "+s3:*", "+s3:*@bob", "limit", "session +s3:Put*"],
  ["other root", "", "+s3:*@other", "limit", "session +s3:Put*"],
  ["other root", "", "+s3:*@other", "bucket policy", "session +s3:Get*"],
  ["ann", "+s3:*", "-s3:*@!ann", "identity policy"],
  ["ann", "+s3:*", "-s3:*@!bob", "explicit deny"],
  ["ann", "+s3:*", "-s3:*@!mine", "explicit deny"],
  ["ann", "+s3:*", "-s3:*@!ann,mine", "identity policy"],
  ["ann", "+s3:*", "-s3:*@!ann", "explicit deny", "+s3:*"],
  ["ann", "+s3:*", "-s3:*@!ann", "identity policy", "session +s3:*"],
  ["ann", "+s3:*", "-s3:*@!*", "identity policy"],
  ["root", "", "-s3:*@!ann", "explicit deny"],
  ["root", "", "-s3:*@!mine", "root"],
  ["anonymous", "", "+s3:*@* -s3:*@!ann", "explicit deny"],
  ["anonymous", "", "+s3:*@* -s3:*@!*", "bucket policy"],
  ["bob", "+s3:*", "+s3:*@* -s3:*@!bob", "identity policy"],
  ["bob", "+s3:*", "+s3:*@* -s3:*@!ann", "explicit deny"],
];

for (const [who, own, bucket, because, limits = ""] of ROWS) {
  const limited = limits === "" ? "" : ` within ${limits}`;
  Deno.test(`evaluate(): ${who} with "${own}"${limited} on "${bucket}": ${because}`, () => {
    const some = (text: string): readonly string[] => text === "" ? [] : [text];
    const isSession = limits.startsWith("session ");
    const kind = isSession ? "session" : "identity";
    const decision = evaluate({
      principal: principalOf(who, some(own), some(limits.replace("session ", "")), kind),
      action: "s3:GetObject",
      resource: "arn:aws:s3:::b/k",
      resourceAccount: MINE,
      context: { get: () => undefined },
    }, {
      ...bucket !== "" && {
        resource: parsePolicy(bucketPolicy(bucket), "bucket", { origin: "bucket", bucket: "b" }),
      },
    });
    strictEqual(decision.because, because);
    const allows = ["root", "identity policy", "bucket policy"].includes(because);
    strictEqual(decision.allowed, allows);
  });
}
