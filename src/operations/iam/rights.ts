/**
 * Actions about what users and groups may do: their inline policies, and the managed policies that are attached to them.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html,
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html and their neighbours
 * @module
 */

import * as changes from "../../iam/changes/rights.ts";
import { noSuch } from "../../iam/refusals.ts";
import type { ConditionValues, QueryOperation } from "../query_operation.ts";
import { defineAction, type Scene } from "./action.ts";
import { attachedElement, documentOf, listOf } from "./elements.ts";
import { compareTexts, pageOf, parsePage } from "./pages.ts";
import type { Parameters } from "./parameters.ts";
import { groupArn, userArn, userConditions } from "./resources.ts";

/** Returns the actions of one kind of owner: `PutUserPolicy` and `PutGroupPolicy` differ in names only. */
function actionsOf(kind: "user" | "group"): readonly QueryOperation[] {
  const Kind = kind === "user" ? "User" : "Group";
  const nameOf = (parameters: Parameters): string => parameters.name(`${Kind}Name`);
  const resource = ({ name }: { readonly name: string }, scene: Scene): string =>
    kind === "user" ? userArn(name, scene) : groupArn(name, scene);
  const conditions = ({ name }: { readonly name: string }, scene: Scene): ConditionValues =>
    kind === "user" ? userConditions(name, scene) : {};
  const withArn = (input: { readonly name: string; readonly arn: string }, scene: Scene) => ({
    ...conditions(input, scene),
    "iam:policyarn": input.arn,
  });

  const put = defineAction({
    name: `Put${Kind}Policy`,
    parse: (parameters) => ({
      name: nameOf(parameters),
      policy: parameters.required("PolicyName"),
      document: parameters.required("PolicyDocument"),
    }),
    resource,
    conditions,
    async handle({ input, account, change }) {
      await change((directory) => changes.putInlinePolicy(directory, { kind, account, ...input }));
      return undefined;
    },
  });

  const get = defineAction({
    name: `Get${Kind}Policy`,
    parse: (parameters) => ({ name: nameOf(parameters), policy: parameters.name("PolicyName") }),
    resource,
    conditions,
    handle({ input: { name, policy }, account, directory }) {
      const owner = changes.findOwner(directory, { kind, account, name });
      const document = owner.inline.get(policy);
      if (document === undefined) throw noSuch(`${kind} policy`, policy);
      return {
        [`${Kind}Name`]: owner.name,
        PolicyName: policy,
        PolicyDocument: documentOf(document),
      };
    },
  });

  const list = defineAction({
    name: `List${Kind}Policies`,
    parse: (parameters) => ({ name: nameOf(parameters), page: parsePage(parameters) }),
    resource,
    conditions,
    handle({ input: { name, page }, account, directory }) {
      const { inline } = changes.findOwner(directory, { kind, account, name });
      const { items, end } = pageOf([...inline.keys()].sort(compareTexts), page, (text) => text);
      return { PolicyNames: listOf(items), ...end };
    },
  });

  const remove = defineAction({
    name: `Delete${Kind}Policy`,
    parse: (parameters) => ({ name: nameOf(parameters), policy: parameters.name("PolicyName") }),
    resource,
    conditions,
    async handle({ input, account, change }) {
      await change((d) => changes.deleteInlinePolicy(d, { kind, account, ...input }));
      return undefined;
    },
  });

  const attach = defineAction({
    name: `Attach${Kind}Policy`,
    parse: (parameters) => ({ name: nameOf(parameters), arn: parameters.arn("PolicyArn") }),
    resource,
    conditions: withArn,
    async handle({ input, account, change }) {
      await change((directory) => changes.attachPolicy(directory, { kind, account, ...input }));
      return undefined;
    },
  });

  const detach = defineAction({
    name: `Detach${Kind}Policy`,
    parse: (parameters) => ({ name: nameOf(parameters), arn: parameters.arn("PolicyArn") }),
    resource,
    conditions: withArn,
    async handle({ input, account, change }) {
      await change((directory) => changes.detachPolicy(directory, { kind, account, ...input }));
      return undefined;
    },
  });

  const listAttached = defineAction({
    name: `ListAttached${Kind}Policies`,
    parse: (parameters) => ({
      name: nameOf(parameters),
      prefix: parameters.optional("PathPrefix") ?? "/",
      page: parsePage(parameters),
    }),
    resource,
    conditions,
    handle({ input: { name, prefix, page }, account, directory }) {
      const { attached } = changes.findOwner(directory, { kind, account, name });
      const found = attached.filter((arn) => arn.split(":policy", 2)[1]?.startsWith(prefix));
      const { items, end } = pageOf(found.toSorted(compareTexts), page, (arn) => arn);
      return { AttachedPolicies: listOf(items.map(attachedElement)), ...end };
    },
  });

  return [put, get, list, remove, attach, detach, listAttached];
}

/** The actions about the rights of users and groups. */
export const RIGHTS_ACTIONS: readonly QueryOperation[] = [
  ...actionsOf("user"),
  ...actionsOf("group"),
];
