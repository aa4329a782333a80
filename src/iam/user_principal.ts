/**
 * The principal of an access key in the directory: what its holder may do, as policies say at this moment.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html
 * @module
 */

import { arnOf } from "./arns.ts";
import type { Directory, KeyHolder } from "./directory.ts";
import type { InlinePolicies, User } from "./entities.ts";
import { type CompiledPolicy, parsePolicy } from "./policy.ts";
import { PolicyError } from "./policy_error.ts";
import { type Principal, rootOf } from "./principal.ts";

/**
 * Compiles the text of a policy of users and groups; returns undefined if it cannot be understood.
 *
 * @param origin Where the policy comes from, for explanations.
 */
export type CompilePolicy = (text: string, origin: string) => CompiledPolicy | undefined;

/** Compiles the text of an identity policy. */
export function compileIdentity(text: string, origin: string): CompiledPolicy | undefined {
  try {
    return parsePolicy(text, "identity", { origin });
  } catch (cause) {
    if (cause instanceof PolicyError) return undefined;
    throw cause;
  }
}

/** Stands for policies that nobody understands: they might deny anything, which a bucket policy may allow. */
const DENIES_EVERYTHING = parsePolicy(
  '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}',
  "identity",
  { origin: "a policy that cannot be understood" },
);

/** A policy that is in force, with its origin. */
type Source = { readonly text: string | undefined; readonly origin: string };

/**
 * Returns the principal of an access key's holder. A holder of a policy that nobody understands may do nothing, because it
 * might deny.
 */
export function principalOf(
  directory: Directory,
  { account, user }: Pick<KeyHolder, "account" | "user">,
  compile: CompilePolicy,
): Principal {
  if (user === undefined) return rootOf(account.id, { isAdmin: false });
  const limits = user.boundary === undefined ? [] : [managed(directory, user.boundary)];
  const [policies, boundaries] = [sourcesOf(directory, user), limits].map((sources) =>
    sources.map(({ text, origin }) => text === undefined ? undefined : compile(text, origin))
  ) as [(CompiledPolicy | undefined)[], (CompiledPolicy | undefined)[]];
  const understood = policies.filter((policy) => policy !== undefined);
  const bounds = boundaries.filter((policy) => policy !== undefined);
  const isUnderstood = understood.length === policies.length && bounds.length === boundaries.length;
  return {
    account: user.account,
    arn: arnOf("user", user),
    userId: user.id,
    name: user.name,
    isRoot: false,
    isAdmin: false,
    tags: user.tags,
    policies: isUnderstood ? understood : [DENIES_EVERYTHING],
    limits: isUnderstood ? bounds : [],
  };
}

/** Returns the policies of a user and of the user's groups. A group that is not there counts as a policy that nobody understands. */
function sourcesOf(directory: Directory, user: User): readonly Source[] {
  const { groups: all } = directory.membersOf(user.account);
  const groups = all.filter(({ id }) => user.groups.includes(id));
  const lost = user.groups.filter((id) => !groups.some((group) => group.id === id));
  return [
    ...lost.map((id) => ({ text: undefined, origin: `group ${id}, which cannot be read` })),
    ...inlineOf(user.inline, `user ${user.name}`),
    ...user.attached.map((arn) => managed(directory, arn)),
    ...groups.flatMap(({ name, inline, attached }) => [
      ...inlineOf(inline, `group ${name}`),
      ...attached.map((arn) => managed(directory, arn)),
    ]),
  ];
}

function inlineOf(inline: InlinePolicies, holder: string): readonly Source[] {
  return Array.from(inline, ([name, text]) => ({
    text,
    origin: `inline policy ${name} of ${holder}`,
  }));
}

/** Returns a managed policy. One that is not there counts as one that nobody understands. */
function managed(directory: Directory, arn: string): Source {
  const policy = directory.policyOf(arn);
  const version = policy?.versions.find(({ id }) => id === policy.defaultVersion);
  return { text: version?.document, origin: arn };
}
