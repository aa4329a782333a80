/**
 * GetAccountAuthorizationDetails: everything that an account has, with all policies.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
 *
 * Of the policies that Amazon manages, those that the account uses are shown.
 * @module
 */

import { AMAZON_POLICIES } from "../../iam/amazon_policies.ts";
import { arnOf } from "../../iam/arns.ts";
import type { Group, InlinePolicies, ManagedPolicy, User } from "../../iam/entities.ts";
import { violates } from "../../iam/refusals.ts";
import type { XmlValue } from "../../s3/xml.ts";
import type { QueryOperation } from "../query_operation.ts";
import { defineAction } from "./action.ts";
import {
  attachedElement,
  boundaryElement,
  documentOf,
  groupElement,
  listOf,
  policyElement,
  tagsOf,
  type Usage,
  usageIn,
  userElement,
  versionElement,
} from "./elements.ts";
import { pageOf, parsePage } from "./pages.ts";
import type { Parameters } from "./parameters.ts";

const FILTERS = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"] as const;
type Filter = typeof FILTERS[number];

/** An entity of the answer. */
type Detail =
  | { readonly kind: "User"; readonly value: User }
  | { readonly kind: "Group"; readonly value: Group }
  | { readonly kind: "LocalManagedPolicy" | "AWSManagedPolicy"; readonly value: ManagedPolicy };

export const getAccountAuthorizationDetails: QueryOperation = defineAction({
  name: "GetAccountAuthorizationDetails",
  parse: (parameters) => ({ filters: parseFilters(parameters), page: parsePage(parameters) }),
  resource: () => "*",
  handle({ input: { filters, page }, account, directory }) {
    const usage = usageIn(directory, account);
    const { users, groups, policies } = directory.membersOf(account);
    const all: readonly Detail[] = [
      ...[...AMAZON_POLICIES.values()].filter((policy) => isUsed(policy, usage))
        .map((value) => ({ kind: "AWSManagedPolicy" as const, value })),
      ...groups.map((value) => ({ kind: "Group" as const, value })),
      ...policies.map((value) => ({ kind: "LocalManagedPolicy" as const, value })),
      ...users.map((value) => ({ kind: "User" as const, value })),
    ];
    const wanted = filters.length === 0 ? all : all.filter(({ kind }) => filters.includes(kind));
    const { items, end } = pageOf(
      wanted,
      page,
      ({ kind, value }) => `${kind} ${value.name.toLowerCase()}`,
    );
    const groupNames = new Map(groups.map(({ id, name }) => [id, name]));
    return {
      UserDetailList: listOf(
        items.flatMap((item) => item.kind === "User" ? [userDetail(item.value, groupNames)] : []),
      ),
      GroupDetailList: listOf(
        items.flatMap((item) => item.kind === "Group" ? [groupDetail(item.value)] : []),
      ),
      RoleDetailList: listOf([]),
      Policies: listOf(
        items.flatMap((item) =>
          item.kind === "LocalManagedPolicy" || item.kind === "AWSManagedPolicy"
            ? [policyDetail(item.value, usage)]
            : []
        ),
      ),
      ...end,
    };
  },
});

function parseFilters(parameters: Parameters): readonly Filter[] {
  return parameters.list("Filter").map((text) => {
    const found = FILTERS.find((filter) => filter === text);
    if (found === undefined) {
      throw violates("filter", `Member must satisfy enum value set: [${FILTERS.join(", ")}]`);
    }
    return found;
  });
}

function isUsed(policy: ManagedPolicy, { attached, boundaries }: Usage): boolean {
  const arn = arnOf("policy", policy);
  return attached.has(arn) || boundaries.has(arn);
}

function userDetail(user: User, groupNames: ReadonlyMap<string, string>): XmlValue {
  return {
    ...userElement(user),
    UserPolicyList: inlineList(user.inline),
    GroupList: listOf(user.groups.flatMap((id) => groupNames.get(id) ?? [])),
    AttachedManagedPolicies: listOf(user.attached.map(attachedElement)),
    ...boundaryElement(user),
    Tags: tagsOf(user.tags),
  };
}

function groupDetail(group: Group): XmlValue {
  return {
    ...groupElement(group),
    GroupPolicyList: inlineList(group.inline),
    AttachedManagedPolicies: listOf(group.attached.map(attachedElement)),
  };
}

function policyDetail(policy: ManagedPolicy, usage: Usage): XmlValue {
  return {
    ...policyElement(policy, usage),
    Description: policy.description,
    PolicyVersionList: listOf(
      policy.versions.toReversed().map((version) => ({
        Document: documentOf(version.document),
        ...versionElement(version, policy),
      })),
    ),
  };
}

function inlineList(inline: InlinePolicies): XmlValue {
  return listOf(
    Array.from(inline, ([PolicyName, document]) => ({
      PolicyName,
      PolicyDocument: documentOf(document),
    })),
  );
}
