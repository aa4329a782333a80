/**
 * Actions about versions of managed policies.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html and its neighbours
 * @module
 */

import { findPolicy, findUsablePolicy } from "../../iam/changes/find.ts";
import * as changes from "../../iam/changes/policies.ts";
import type { QueryOperation } from "../query_operation.ts";
import { defineAction, type Scene } from "./action.ts";
import { documentOf, listOf, versionElement } from "./elements.ts";
import { pageOf, parsePage } from "./pages.ts";
import type { Parameters } from "./parameters.ts";
import { resourceTags } from "./resources.ts";

type OfPolicy = { readonly arn: string };

const resource = ({ arn }: OfPolicy): string => arn;
const conditions = ({ arn }: OfPolicy, { directory }: Scene) =>
  resourceTags(directory.policyOf(arn)?.tags);

const createPolicyVersion = defineAction({
  name: "CreatePolicyVersion",
  parse: (parameters) => ({
    arn: parameters.arn("PolicyArn"),
    document: parameters.required("PolicyDocument"),
    isDefault: parameters.flag("SetAsDefault"),
  }),
  resource,
  conditions,
  async handle({ input, account, sources, change }) {
    let count = 0;
    const directory = await change((d) => {
      const changed = changes.createPolicyVersion(d, { account, ...input }, sources);
      count = findPolicy(d, account, input.arn).versionCount + 1;
      return changed;
    });
    const policy = findPolicy(directory, account, input.arn);
    return { PolicyVersion: versionElement(changes.findVersion(policy, `v${count}`), policy) };
  },
});

const parseVersion = (parameters: Parameters) => ({
  arn: parameters.arn("PolicyArn"),
  version: parameters.required("VersionId"),
});

const getPolicyVersion = defineAction({
  name: "GetPolicyVersion",
  parse: parseVersion,
  resource,
  conditions,
  handle({ input: { arn, version }, account, directory }) {
    const policy = findUsablePolicy(directory, account, arn);
    const found = changes.findVersion(policy, version);
    return {
      PolicyVersion: { ...versionElement(found, policy), Document: documentOf(found.document) },
    };
  },
});

const listPolicyVersions = defineAction({
  name: "ListPolicyVersions",
  parse: (parameters) => ({ arn: parameters.arn("PolicyArn"), page: parsePage(parameters) }),
  resource,
  conditions,
  handle({ input: { arn, page }, account, directory }) {
    const policy = findUsablePolicy(directory, account, arn);
    // Newest first, as on Amazon: the position falls as the number rises.
    const versions = policy.versions.toReversed();
    const { items, end } = pageOf(
      versions,
      page,
      ({ id }) => String(Number.MAX_SAFE_INTEGER - Number(id.slice(1))),
    );
    return { Versions: listOf(items.map((item) => versionElement(item, policy))), ...end };
  },
});

/** Returns an action that changes one version of a policy. */
function changeOf(
  name: "DeletePolicyVersion" | "SetDefaultPolicyVersion",
  plan: typeof changes.deletePolicyVersion,
): QueryOperation {
  return defineAction({
    name,
    parse: parseVersion,
    resource,
    conditions,
    async handle({ input, account, sources, change }) {
      await change((d) => plan(d, { account, ...input }, sources));
      return undefined;
    },
  });
}

/** The actions about versions of managed policies. */
export const VERSION_ACTIONS: readonly QueryOperation[] = [
  createPolicyVersion,
  getPolicyVersion,
  listPolicyVersions,
  changeOf("DeletePolicyVersion", changes.deletePolicyVersion),
  changeOf("SetDefaultPolicyVersion", changes.setDefaultPolicyVersion),
];
