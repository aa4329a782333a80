/**
 * `nats-s3 users explain`: whether somebody may do something, and which statement decides.
 *
 * A shell knows no request, so condition keys about one have no value unless `--context` gives it.
 * @module
 */

import { accountOf, decideIn } from "../access/decide.ts";
import { parseUserArn } from "../iam/arns.ts";
import { findUser } from "../iam/changes/find.ts";
import { callerValues } from "../iam/caller_values.ts";
import type { Context } from "../iam/context.ts";
import type { Directory } from "../iam/directory.ts";
import type { Decision } from "../iam/evaluate.ts";
import { type Principal, rootOf } from "../iam/principal.ts";
import { compileIdentity, principalOf } from "../iam/user_principal.ts";
import { shown } from "../config/shown_text.ts";
import { isAction } from "../operations/actions.ts";
import { parseBucketName } from "../s3/names.ts";
import { wallClock } from "../world/world.ts";
import { type BucketFacts, readBucketFacts } from "./bucket_facts.ts";
import { accountNumber } from "./iam_operands.ts";
import { parseOperand, type Verb } from "./verb.ts";

/** `explain`: says whether a user may do something, and why. */
export const EXPLAIN: Verb = {
  usage: "USER ACTION RESOURCE",
  help:
    "Says whether somebody may do something, and which statement decides. USER is ACCOUNT/NAME, ACCOUNT/root, an ARN, an access key or anonymous; RESOURCE an ARN or *",
  flags: ["context", "json"],
  plan({ operands: [who = "", action = "", resource = ""], flags, repeated }) {
    const given = parseContext(repeated.get("context") ?? []);
    if (!action.includes(":")) {
      throw new RangeError(`Cannot use action "${action}": it has no service, as s3:GetObject has`);
    }
    const bucketName = parseOperand("resource", resource, parseResource);
    const isKnown = isAction(action);
    return async (context) => {
      if (!isKnown) {
        context.warn(`The gateway knows no action${shown(action)}: no request asks for it`);
      }
      const facts = await readBucketFacts(context);
      const principal = findPrincipal(who, facts, await context.store.users.read());
      const bucket = bucketName && await facts.buckets.read(bucketName, false);
      const values = new KnownValues(given, principal, accountOf(principal, bucket));
      const decision = bucket?.isBroken === true
        ? { allowed: false, because: "the policy of the bucket cannot be read" } as const
        : decideIn(values, { principal, bucket, action, resource });
      const unknown = [...values.unknown].sort();
      if (flags.get("json") === "true") {
        context.print(JSON.stringify({ ...decision, unknown }, null, 2));
        return;
      }
      context.print(describe(decision));
      if (unknown.length > 0) {
        context.print(`Condition keys without a value (see --context): ${unknown.join(", ")}`);
      }
    };
  },
};

type Explained = Omit<Decision, "because"> & { readonly because: string };

/** Reasons that no statement tells. */
const REASONS: Readonly<Record<string, string>> = {
  "no allow": "no policy allows it",
  limit: "a permissions boundary does not allow it",
  "other account":
    "the policy of the bucket and one of the user must both allow it across accounts",
  "public access block": "a public access block restricts the bucket to its own account",
  root: "the root of the bucket's account may do everything",
} satisfies Partial<Record<Decision["because"], string>>;

function describe({ allowed, because, statement }: Explained): string {
  const result = allowed ? "Allowed" : "Denied";
  return statement === undefined
    ? `${result}: ${REASONS[because] ?? because}`
    : `${result} by statement ${statement.sid ?? statement.number} of ${statement.origin}`;
}

/** Values of condition keys by key, in lower case. */
type Given = ReadonlyMap<string, string | readonly string[]>;

/** Parses texts such as `aws:SourceIp=192.0.2.1`. A key that is there more than once has a list of values. */
function parseContext(texts: readonly string[]): Given {
  const values = new Map<string, string | readonly string[]>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    if (equals < 1) throw new RangeError(`Cannot use --context${shown(text)}: it is not KEY=VALUE`);
    const key = text.slice(0, equals).toLowerCase();
    const before = values.get(key);
    const value = text.slice(equals + 1);
    values.set(key, before === undefined ? value : [before, value].flat());
  }
  return values;
}

const S3_ARN = "arn:aws:s3:::";

/** Returns the bucket that a resource is, or is in; undefined for a resource of another service. */
function parseResource(resource: string): ReturnType<typeof parseBucketName> | undefined {
  if (resource === "*") return undefined;
  if (!resource.startsWith("arn:")) throw new RangeError("it is neither an ARN nor *");
  if (!resource.startsWith(S3_ARN)) return undefined;
  const [name = ""] = resource.slice(S3_ARN.length).split("/", 1);
  try {
    return parseBucketName(name);
  } catch (cause) {
    throw new RangeError("it names no bucket", { cause });
  }
}

/**
 * Returns whom an operand means; undefined for anonymous callers.
 *
 * @throws RangeError for the user
 */
function findPrincipal(
  who: string,
  { credentials }: BucketFacts,
  directory: Directory,
): Principal | undefined {
  if (who === "anonymous") return undefined;
  const key = credentials.find(who);
  if (key !== undefined) return key.principal;
  const located = parseUserArn(who);
  const slash = who.indexOf("/");
  const [account, name] = located === undefined
    ? [who.slice(0, Math.max(slash, 0)), who.slice(slash + 1)]
    : [located.account, located.name];
  if (account === "") {
    throw new RangeError(
      `Cannot use user "${who}": it is no active access key, no ARN of a user and not ACCOUNT/NAME`,
    );
  }
  const id = accountNumber(directory, account);
  if (name === "root") return rootOf(id, { isAdmin: false });
  const user = findUser(directory, id, name);
  const holder = directory.accounts.get(id);
  if (holder === undefined) throw new RangeError(`There is no account "${account}"`);
  if (user.isDisabled) throw new RangeError(`User "${user.name}" is disabled and may do nothing`);
  return principalOf(directory, { account: holder, user }, compileIdentity);
}

/** The values that the operator gives, and those that follow from the caller. It remembers what else was asked for. */
class KnownValues implements Context {
  readonly unknown = new Set<string>();
  readonly #values: Given;

  constructor(
    given: Given,
    principal: Principal | undefined,
    account: string | undefined,
  ) {
    const now = wallClock();
    const values = callerValues(principal);
    values.set("aws:currenttime", now.toISOString());
    values.set("aws:epochtime", String(Math.floor(now.getTime() / 1000)));
    if (account !== undefined) {
      values.set("aws:resourceaccount", account);
      values.set("s3:resourceaccount", account);
    }
    this.#values = new Map([...values, ...given]);
  }

  get(key: string): string | readonly string[] | undefined {
    const value = this.#values.get(key);
    if (value === undefined) this.unknown.add(key);
    return value;
  }
}
