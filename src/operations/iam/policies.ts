/**
 * Actions about managed policies, as they are listed and used. Their versions are in `policy_versions.ts`.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html and its neighbours
 * @module
 */

import { AMAZON_POLICIES } from "../../iam/amazon_policies.ts";
import { arnOf } from "../../iam/arns.ts";
import { findPolicy, findUsablePolicy } from "../../iam/changes/find.ts";
import * as changes from "../../iam/changes/policies.ts";
import type { QueryOperation } from "../query_operation.ts";
import { defineAction } from "./action.ts";
import { describedPolicy, listOf, policyElement, usageIn } from "./elements.ts";
import { compareTexts, pageOf, parsePage } from "./pages.ts";
import { requestTags, resourceTags } from "./resources.ts";

const createPolicy = defineAction({
  name: "CreatePolicy",
  parse: (parameters) => ({
    name: parameters.required("PolicyName"),
    path: parameters.optional("Path"),
    document: parameters.required("PolicyDocument"),
    description: parameters.optional("Description"),
    tags: parameters.tags(),
  }),
  resource: ({ name, path = "/" }, { account }) => arnOf("policy", { account, path, name }),
  conditions: ({ tags }) => requestTags(tags),
  async handle({ input, account, sources, change }) {
    const directory = await change((d) => changes.createPolicy(d, { account, ...input }, sources));
    const { name, path = "/" } = input;
    const policy = findPolicy(directory, account, arnOf("policy", { account, path, name }));
    const { Description: _, ...element } = describedPolicy(policy, usageIn(directory, account));
    return { Policy: element };
  },
});

const getPolicy = defineAction({
  name: "GetPolicy",
  parse: (parameters) => ({ arn: parameters.arn("PolicyArn") }),
  resource: ({ arn }) => arn,
  conditions: ({ arn }, { directory }) => resourceTags(directory.policyOf(arn)?.tags),
  handle({ input: { arn }, account, directory }) {
    const policy = findUsablePolicy(directory, account, arn);
    return { Policy: describedPolicy(policy, usageIn(directory, account)) };
  },
});

const listPolicies = defineAction({
  name: "ListPolicies",
  parse: (parameters) => ({
    scope: parameters.choice("Scope", ["All", "AWS", "Local"]) ?? "All",
    isAttached: parameters.flag("OnlyAttached"),
    prefix: parameters.optional("PathPrefix") ?? "/",
    usage: parameters.choice("PolicyUsageFilter", ["PermissionsPolicy", "PermissionsBoundary"]),
    page: parsePage(parameters),
  }),
  resource: () => "*",
  handle({ input: { scope, isAttached, prefix, usage, page }, account, directory }) {
    const counts = usageIn(directory, account);
    const own = scope === "AWS" ? [] : directory.membersOf(account).policies;
    const amazon = scope === "Local" ? [] : [...AMAZON_POLICIES.values()];
    const all = [...own, ...amazon].map((policy) => ({ policy, arn: arnOf("policy", policy) }));
    const found = all.filter(({ policy, arn }) => {
      if (!policy.path.startsWith(prefix)) return false;
      const [attached, boundary] = [counts.attached.has(arn), counts.boundaries.has(arn)];
      if (isAttached && !attached && !boundary) return false;
      return usage === undefined || (usage === "PermissionsPolicy" ? attached : boundary);
    });
    const { items, end } = pageOf(
      found.sort((a, b) => compareTexts(a.arn, b.arn)),
      page,
      ({ arn }) => arn,
    );
    return { Policies: listOf(items.map(({ policy }) => policyElement(policy, counts))), ...end };
  },
});

const deletePolicy = defineAction({
  name: "DeletePolicy",
  parse: (parameters) => ({ arn: parameters.arn("PolicyArn") }),
  resource: ({ arn }) => arn,
  conditions: ({ arn }, { directory }) => resourceTags(directory.policyOf(arn)?.tags),
  async handle({ input: { arn }, account, change }) {
    await change((directory) => changes.deletePolicy(directory, { account, arn }));
    return undefined;
  },
});

const listEntitiesForPolicy = defineAction({
  name: "ListEntitiesForPolicy",
  parse: (parameters) => ({
    arn: parameters.arn("PolicyArn"),
    filter: parameters.choice("EntityFilter", [
      "User",
      "Role",
      "Group",
      "LocalManagedPolicy",
      "AWSManagedPolicy",
    ]),
    prefix: parameters.optional("PathPrefix") ?? "/",
    usage: parameters.choice("PolicyUsageFilter", ["PermissionsPolicy", "PermissionsBoundary"]),
    page: parsePage(parameters),
  }),
  resource: ({ arn }) => arn,
  conditions: ({ arn }, { directory }) => resourceTags(directory.policyOf(arn)?.tags),
  handle({ input: { arn, filter, prefix, usage, page }, account, directory }) {
    findUsablePolicy(directory, account, arn);
    const { users, groups } = directory.membersOf(account);
    const isWanted = (kind: "User" | "Group"): boolean => filter === undefined || filter === kind;
    const found = [
      ...groups.filter(({ attached }) =>
        isWanted("Group") && usage !== "PermissionsBoundary" && attached.includes(arn)
      ).map((group) => ({ kind: "group" as const, ...group })),
      ...users.filter(({ attached, boundary }) =>
        isWanted("User") &&
        (usage !== "PermissionsBoundary" && attached.includes(arn) ||
          usage !== "PermissionsPolicy" && boundary === arn)
      ).map((user) => ({ kind: "user" as const, ...user })),
    ].filter(({ path }) => path.startsWith(prefix));
    const { items, end } = pageOf(found, page, ({ kind, name }) => `${kind} ${name.toLowerCase()}`);
    return {
      PolicyGroups: listOf(
        items.filter(({ kind }) => kind === "group")
          .map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      ),
      PolicyUsers: listOf(
        items.filter(({ kind }) => kind === "user")
          .map(({ name, id }) => ({ UserName: name, UserId: id })),
      ),
      PolicyRoles: listOf([]),
      ...end,
    };
  },
});

/** The actions about managed policies. */
export const POLICY_ACTIONS: readonly QueryOperation[] = [
  createPolicy,
  getPolicy,
  listPolicies,
  deletePolicy,
  listEntitiesForPolicy,
];
