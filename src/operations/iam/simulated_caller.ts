/**
 * The caller whom a simulation is about: a user or group with the policies that it has, or anybody with given policies.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
 * @module
 */

import { arnOf, parseGroupArn, parseUserArn } from "../../iam/arns.ts";
import { findGroup, findUser } from "../../iam/changes/find.ts";
import type { Group, User } from "../../iam/entities.ts";
import { type CompiledPolicy, parsePolicy, type PolicyKind } from "../../iam/policy.ts";
import { PolicyError } from "../../iam/policy_error.ts";
import { type Principal, rootOf } from "../../iam/principal.ts";
import { invalidInput, noSuch } from "../../iam/refusals.ts";
import type { GivenValue, Simulation } from "../../iam/simulation.ts";
import { compileIdentity, principalOf } from "../../iam/user_principal.ts";
import type { Scene } from "./action.ts";
import type { Parameters } from "./parameters.ts";

const BOUNDARIES = "PermissionsBoundaryPolicyInputList";

/**
 * Parses a simulation of policies that a request brings along.
 *
 * @param resources ARNs of the resources.
 * @throws S3Error `InvalidInput`
 */
export function customCaller(
  parameters: Parameters,
  caller: Principal,
  resources: readonly string[],
): Simulation {
  const named = parseCaller(parameters);
  const account = named?.account ?? caller.account;
  const principal: Principal = {
    ...rootOf(account, { isAdmin: false }),
    ...named,
    isRoot: false,
    policies: compileList(parameters, "PolicyInputList"),
    limits: compileList(parameters, BOUNDARIES),
  };
  return {
    principal,
    isAnybody: named === undefined,
    ...parseCommon(parameters, account, resources),
  };
}

/**
 * Parses a simulation of the policies of a user or a group, with those that the request adds.
 *
 * @returns A function that finds the user or the group; it throws `NoSuchEntity`.
 * @throws S3Error `InvalidInput`
 */
export function sourceCaller(
  parameters: Parameters,
  resources: readonly string[],
): (scene: Scene) => Simulation {
  const arn = parameters.arn("PolicySourceArn");
  const isUser = parseUserArn(arn) !== undefined;
  const source = parseUserArn(arn) ?? parseGroupArn(arn);
  if (source === undefined) {
    throw invalidInput(
      `Invalid Entity Arn: ${arn} does not clearly define entity type and name.`,
    );
  }
  const added = compileList(parameters, "PolicyInputList");
  const boundaries = compileList(parameters, BOUNDARIES);
  const named = parseCaller(parameters);
  const common = parseCommon(parameters, source.account, resources);
  return (scene) => {
    const own = isUser ? ofUser(arn, source.name, scene) : ofGroup(arn, source.name, scene);
    const principal = {
      ...own,
      ...named,
      policies: [...own.policies, ...added],
      limits: boundaries.length > 0 ? boundaries : own.limits,
    };
    return { principal, isAnybody: !isUser && named === undefined, ...common };
  };
}

function ofUser(arn: string, name: string, scene: Scene): Principal {
  const user = findUser(scene.directory, scene.account, name);
  if (arnOf("user", user) !== arn) throw noSuch("user", name);
  return principalIn(scene, user);
}

/** Returns a principal with the policies of a group, as its only member would have them. */
function ofGroup(arn: string, name: string, scene: Scene): Principal {
  const group: Group = findGroup(scene.directory, scene.account, name);
  if (arnOf("group", group) !== arn) throw noSuch("group", name);
  const member: User = {
    ...group,
    inline: new Map(),
    attached: [],
    tags: new Map(),
    keys: [],
    groups: [group.id],
    boundary: undefined,
    isDisabled: false,
  };
  return { ...principalIn(scene, member), arn, name: undefined };
}

function principalIn({ directory, account }: Scene, user: User): Principal {
  const holder = directory.accounts.get(account) ??
    { id: account, name: account, alias: undefined, created: user.created, keys: [] };
  return principalOf(directory, { account: holder, user }, compileIdentity);
}

/**
 * Compiles the policies of a list.
 *
 * @throws S3Error `InvalidInput`
 */
export function compileList(parameters: Parameters, name: string): readonly CompiledPolicy[] {
  return parameters.list(name).map((text, i) =>
    compile(text, "identity", { origin: `${name}.${i + 1}` })
  );
}

function compile(
  text: string,
  kind: PolicyKind,
  options: { readonly origin: string; readonly bucket?: string },
): CompiledPolicy {
  try {
    return parsePolicy(text, kind, options);
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    throw invalidInput(`Invalid Input ${options.origin}: ${cause.message}`);
  }
}

function parseCommon(
  parameters: Parameters,
  account: string,
  resources: readonly string[],
): Pick<Simulation, "given" | "resource" | "resourceAccount"> {
  const owner = parameters.optional("ResourceOwner");
  const text = parameters.optional("ResourcePolicy");
  const [, bucket] = /^arn:aws:s3:::([^/]+)/.exec(resources[0] ?? "") ?? [];
  if (text !== undefined && bucket === undefined) {
    throw invalidInput("A resource policy needs the ARN of a bucket or an object in ResourceArns.");
  }
  return {
    given: parseGiven(parameters),
    resource: text === undefined || bucket === undefined
      ? undefined
      : compile(text, "bucket", { origin: "ResourcePolicy", bucket }),
    resourceAccount: owner === undefined ? account : ownerOf(owner),
  };
}

/** Parses the account that owns the resources: its number, or an ARN in it. */
function ownerOf(text: string): string {
  const account = text.startsWith("arn:") ? text.split(":", 5)[4] : text;
  if (account === undefined || !/^\d{12}$/.test(account)) {
    throw invalidInput(`Invalid Resource Owner: ${text}`);
  }
  return account;
}

/** Parses the user whom a simulation is about. */
function parseCaller(
  parameters: Parameters,
): Pick<Principal, "account" | "arn" | "name" | "userId"> | undefined {
  const arn = parameters.optional("CallerArn");
  if (arn === undefined) return undefined;
  const located = parseUserArn(arn);
  if (located === undefined) throw invalidInput(`Invalid Caller Arn: ${arn}`);
  const { account, name } = located;
  return { account, arn, name, userId: name };
}

function parseGiven(parameters: Parameters): readonly GivenValue[] {
  const fields = ["ContextKeyName", "ContextKeyType", "ContextKeyValues"];
  return parameters.structures("ContextEntries", fields).map((entry) => {
    const values = entry.list("ContextKeyValues");
    const isList = entry.optional("ContextKeyType")?.endsWith("List") ?? values.length > 1;
    const [first] = values;
    return {
      key: entry.required("ContextKeyName"),
      value: isList || first === undefined ? values : first,
    };
  });
}
