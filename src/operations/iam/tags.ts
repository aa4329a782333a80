/**
 * Actions about tags of users and managed policies.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html and its neighbours
 * @module
 */

import { findUsablePolicy, findUser } from "../../iam/changes/find.ts";
import {
  tagPolicy as planTagPolicy,
  untagPolicy as planUntagPolicy,
} from "../../iam/changes/policies.ts";
import { tagUser as planTagUser, untagUser as planUntagUser } from "../../iam/changes/users.ts";
import type { Tags } from "../../iam/entities.ts";
import type { XmlValue } from "../../s3/xml.ts";
import type { QueryOperation } from "../query_operation.ts";
import { defineAction } from "./action.ts";
import { listOf } from "./elements.ts";
import { compareTexts, pageOf, type PageRequest, parsePage } from "./pages.ts";
import { requestTags, resourceTags, userArn, userConditions } from "./resources.ts";

const tagUser = defineAction({
  name: "TagUser",
  parse: (parameters) => ({ name: parameters.name("UserName"), tags: parameters.tags() }),
  resource: ({ name }, scene) => userArn(name, scene),
  conditions: ({ name, tags }, scene) => ({ ...userConditions(name, scene), ...requestTags(tags) }),
  async handle({ input, account, change }) {
    await change((directory) => planTagUser(directory, { account, ...input }));
    return undefined;
  },
});

const untagUser = defineAction({
  name: "UntagUser",
  parse: (parameters) => ({ name: parameters.name("UserName"), keys: parameters.list("TagKeys") }),
  resource: ({ name }, scene) => userArn(name, scene),
  conditions: ({ name, keys }, scene) => ({ ...userConditions(name, scene), "aws:tagkeys": keys }),
  async handle({ input, account, change }) {
    await change((directory) => planUntagUser(directory, { account, ...input }));
    return undefined;
  },
});

const listUserTags = defineAction({
  name: "ListUserTags",
  parse: (parameters) => ({ name: parameters.name("UserName"), page: parsePage(parameters) }),
  resource: ({ name }, scene) => userArn(name, scene),
  conditions: ({ name }, scene) => userConditions(name, scene),
  handle: ({ input: { name, page }, account, directory }) =>
    tagPage(findUser(directory, account, name).tags, page),
});

const tagPolicy = defineAction({
  name: "TagPolicy",
  parse: (parameters) => ({ arn: parameters.arn("PolicyArn"), tags: parameters.tags() }),
  resource: ({ arn }) => arn,
  conditions: ({ arn, tags }, { directory }) => ({
    ...resourceTags(directory.policyOf(arn)?.tags),
    ...requestTags(tags),
  }),
  async handle({ input, account, change }) {
    await change((directory) => planTagPolicy(directory, { account, ...input }));
    return undefined;
  },
});

const untagPolicy = defineAction({
  name: "UntagPolicy",
  parse: (parameters) => ({ arn: parameters.arn("PolicyArn"), keys: parameters.list("TagKeys") }),
  resource: ({ arn }) => arn,
  conditions: ({ arn, keys }, { directory }) => ({
    ...resourceTags(directory.policyOf(arn)?.tags),
    "aws:tagkeys": keys,
  }),
  async handle({ input, account, change }) {
    await change((directory) => planUntagPolicy(directory, { account, ...input }));
    return undefined;
  },
});

const listPolicyTags = defineAction({
  name: "ListPolicyTags",
  parse: (parameters) => ({ arn: parameters.arn("PolicyArn"), page: parsePage(parameters) }),
  resource: ({ arn }) => arn,
  conditions: ({ arn }, { directory }) => resourceTags(directory.policyOf(arn)?.tags),
  handle: ({ input: { arn, page }, directory, account }) =>
    tagPage(findUsablePolicy(directory, account, arn).tags, page),
});

function tagPage(tags: Tags, page: PageRequest): XmlValue {
  const sorted = [...tags].sort(([a], [b]) => compareTexts(a, b));
  const { items, end } = pageOf(sorted, page, ([key]) => key);
  return { Tags: listOf(items.map(([Key, Value]) => ({ Key, Value }))), ...end };
}

/** The actions about tags. */
export const TAG_ACTIONS: readonly QueryOperation[] = [
  tagUser,
  untagUser,
  listUserTags,
  tagPolicy,
  untagPolicy,
  listPolicyTags,
];
