/**
 * Actions about the account: its alias, and how much it has.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html and
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
 * @module
 */

import { createAccountAlias, deleteAccountAlias } from "../../iam/changes/accounts.ts";
import { MAX_GROUPS, MAX_GROUPS_OF_USER } from "../../iam/changes/groups.ts";
import { MAX_POLICIES, MAX_VERSIONS } from "../../iam/changes/policies.ts";
import { MAX_ATTACHED } from "../../iam/changes/rights.ts";
import { MAX_USERS } from "../../iam/changes/users.ts";
import { MAX_ACCESS_KEYS } from "../../iam/entities.ts";
import { MAX_INLINE, MAX_MANAGED } from "../../iam/policy_documents.ts";
import type { QueryOperation } from "../query_operation.ts";
import { defineAction } from "./action.ts";
import { listOf } from "./elements.ts";
import { parsePage } from "./pages.ts";

const createAlias = defineAction({
  name: "CreateAccountAlias",
  parse: (parameters) => ({ alias: parameters.required("AccountAlias") }),
  resource: () => "*",
  async handle({ input, account, sources, change }) {
    await change((directory) => createAccountAlias(directory, { account, ...input }, sources));
    return undefined;
  },
});

const deleteAlias = defineAction({
  name: "DeleteAccountAlias",
  parse: (parameters) => ({ alias: parameters.required("AccountAlias") }),
  resource: () => "*",
  async handle({ input, account, change }) {
    await change((directory) => deleteAccountAlias(directory, { account, ...input }));
    return undefined;
  },
});

const listAccountAliases = defineAction({
  name: "ListAccountAliases",
  parse: parsePage,
  resource: () => "*",
  handle({ account, directory }) {
    const alias = directory.accounts.get(account)?.alias;
    return { AccountAliases: listOf(alias === undefined ? [] : [alias]), IsTruncated: false };
  },
});

const getAccountSummary = defineAction({
  name: "GetAccountSummary",
  parse: () => undefined,
  resource: () => "*",
  handle({ account, directory }) {
    const { users, groups, policies } = directory.membersOf(account);
    const versions = policies.reduce((sum, { versions }) => sum + versions.length, 0);
    const summary = {
      Users: users.length,
      UsersQuota: MAX_USERS,
      Groups: groups.length,
      GroupsQuota: MAX_GROUPS,
      GroupsPerUserQuota: MAX_GROUPS_OF_USER,
      Policies: policies.length,
      PoliciesQuota: MAX_POLICIES,
      PolicySizeQuota: MAX_MANAGED,
      PolicyVersionsInUse: versions,
      PolicyVersionsInUseQuota: MAX_POLICIES * MAX_VERSIONS,
      VersionsPerPolicyQuota: MAX_VERSIONS,
      AttachedPoliciesPerUserQuota: MAX_ATTACHED,
      AttachedPoliciesPerGroupQuota: MAX_ATTACHED,
      UserPolicySizeQuota: MAX_INLINE.user,
      GroupPolicySizeQuota: MAX_INLINE.group,
      AccessKeysPerUserQuota: MAX_ACCESS_KEYS,
      AccountAccessKeysPresent: (directory.accounts.get(account)?.keys.length ?? 0) > 0 ? 1 : 0,
      AccountMFAEnabled: 0,
      AccountPasswordPresent: 0,
      AccountSigningCertificatesPresent: 0,
      InstanceProfiles: 0,
      MFADevices: 0,
      MFADevicesInUse: 0,
      Providers: 0,
      Roles: 0,
      ServerCertificates: 0,
    };
    const entry = Object.entries(summary).map(([key, value]) => ({ key, value }));
    return { SummaryMap: { entry } };
  },
});

/** The actions about the account. */
export const ACCOUNT_ACTIONS: readonly QueryOperation[] = [
  createAlias,
  deleteAlias,
  listAccountAliases,
  getAccountSummary,
];
