/**
 * Actions about access keys.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html and its neighbours
 *
 * A secret is in one answer only: that of CreateAccessKey. The gateway does not record when a key was used, so every key
 * seems never to have been.
 * @module
 */

import * as changes from "../../iam/changes/keys.ts";
import { noSuchKey } from "../../iam/refusals.ts";
import type { QueryOperation } from "../query_operation.ts";
import { defineAction, type Scene } from "./action.ts";
import { keyElement, listOf } from "./elements.ts";
import { pageOf, parsePage } from "./pages.ts";
import { holderArn, parseHolder, userArn, userConditions } from "./resources.ts";

const conditions = ({ name }: { readonly name: string | undefined }, scene: Scene) =>
  name === undefined ? {} : userConditions(name, scene);

const createAccessKey = defineAction({
  name: "CreateAccessKey",
  parse: (parameters, caller) => ({ name: parseHolder(parameters, caller) }),
  resource: ({ name }, scene) => holderArn(name, scene),
  conditions,
  async handle({ input: { name }, account, sources, change }) {
    const before = new Set<string>();
    const directory = await change((d) => {
      before.clear();
      for (const { id } of changes.keysOf(d, { account, name }, sources.now)) before.add(id);
      return changes.createAccessKey(d, { account, name }, sources);
    });
    const key = changes.keysOf(directory, { account, name }, sources.now)
      .find(({ id }) => !before.has(id));
    if (key === undefined) throw new TypeError("Cannot find the access key that was made");
    return { AccessKey: { ...keyElement(key, name), SecretAccessKey: key.secret } };
  },
});

const listAccessKeys = defineAction({
  name: "ListAccessKeys",
  parse: (parameters, caller) => ({
    name: parseHolder(parameters, caller),
    page: parsePage(parameters),
  }),
  resource: ({ name }, scene) => holderArn(name, scene),
  conditions,
  handle({ input: { name, page }, account, directory, sources }) {
    const keys = changes.keysOf(directory, { account, name }, sources.now)
      .toSorted((a, b) => a.id < b.id ? -1 : 1);
    const { items, end } = pageOf(keys, page, ({ id }) => id);
    return {
      UserName: name,
      AccessKeyMetadata: listOf(items.map((key) => keyElement(key, name))),
      ...end,
    };
  },
});

const updateAccessKey = defineAction({
  name: "UpdateAccessKey",
  parse: (parameters, caller) => ({
    name: parseHolder(parameters, caller),
    id: parameters.name("AccessKeyId"),
    isActive: parameters.requiredChoice("Status", ["Active", "Inactive"]) === "Active",
  }),
  resource: ({ name }, scene) => holderArn(name, scene),
  conditions,
  async handle({ input, account, sources, change }) {
    await change((d) => changes.updateAccessKey(d, { account, ...input }, sources));
    return undefined;
  },
});

const deleteAccessKey = defineAction({
  name: "DeleteAccessKey",
  parse: (parameters, caller) => ({
    name: parseHolder(parameters, caller),
    id: parameters.name("AccessKeyId"),
  }),
  resource: ({ name }, scene) => holderArn(name, scene),
  conditions,
  async handle({ input, account, sources, change }) {
    await change((d) => changes.deleteAccessKey(d, { account, ...input }, sources));
    return undefined;
  },
});

const getAccessKeyLastUsed = defineAction({
  name: "GetAccessKeyLastUsed",
  parse: (parameters) => ({ id: parameters.name("AccessKeyId") }),
  resource({ id }, scene) {
    const user = ownHolder(id, scene)?.user;
    return user === undefined ? "*" : userArn(user.name, scene);
  },
  handle(call) {
    const { input: { id } } = call;
    const holder = ownHolder(id, call);
    if (holder === undefined) throw noSuchKey(id);
    return {
      UserName: holder.user?.name,
      AccessKeyLastUsed: { ServiceName: "N/A", Region: "N/A" },
    };
  },
});

/** Returns the holder of a key, if the caller's account has it. */
function ownHolder(id: string, { directory, account }: Scene) {
  const holder = directory.holderOf(id);
  return holder?.account.id === account ? holder : undefined;
}

/** The actions about access keys. */
export const KEY_ACTIONS: readonly QueryOperation[] = [
  createAccessKey,
  listAccessKeys,
  updateAccessKey,
  deleteAccessKey,
  getAccessKeyLastUsed,
];
