/**
 * All actions of IAM, by name.
 * @module
 */

import type { QueryOperation } from "../query_operation.ts";
import { ABSENT_ACTIONS, UNSUPPORTED_ACTIONS } from "./absent.ts";
import { KEY_ACTIONS } from "./access_keys.ts";
import { ACCOUNT_ACTIONS } from "./accounts.ts";
import { getAccountAuthorizationDetails } from "./authorization_details.ts";
import { GROUP_ACTIONS } from "./groups.ts";
import { POLICY_ACTIONS } from "./policies.ts";
import { VERSION_ACTIONS } from "./policy_versions.ts";
import { RIGHTS_ACTIONS } from "./rights.ts";
import { SIMULATION_ACTIONS } from "./simulation.ts";
import { TAG_ACTIONS } from "./tags.ts";
import { USER_ACTIONS } from "./users.ts";

/** The actions of IAM by what they are about, as documents group them. */
export const IAM_GROUPS: Readonly<Record<string, readonly QueryOperation[]>> = {
  "Users": USER_ACTIONS,
  "Access keys": KEY_ACTIONS,
  "Groups": GROUP_ACTIONS,
  "Inline policies and attachments": RIGHTS_ACTIONS,
  "Managed policies": POLICY_ACTIONS,
  "Versions of managed policies": VERSION_ACTIONS,
  "Tags": TAG_ACTIONS,
  "Simulation": SIMULATION_ACTIONS,
  "The account": [...ACCOUNT_ACTIONS, getAccountAuthorizationDetails],
  "Empty lists, and `NoSuchEntity`": ABSENT_ACTIONS,
  "`NotImplemented`": UNSUPPORTED_ACTIONS,
};

/** The actions of IAM. */
export const IAM_ACTIONS: readonly QueryOperation[] = Object.values(IAM_GROUPS).flat();
