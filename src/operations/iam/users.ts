/**
 * Actions about users.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html and its neighbours
 * @module
 */

import { arnOf, rootArn } from "../../iam/arns.ts";
import * as changes from "../../iam/changes/users.ts";
import { findUser } from "../../iam/changes/find.ts";
import { defineAction } from "./action.ts";
import { describedUser, listOf, timeOf, userElement } from "./elements.ts";
import { pageOf, parsePage, positionOfName } from "./pages.ts";
import {
  holderArn,
  parseHolder,
  renamedArn,
  requestTags,
  userArn,
  userConditions,
} from "./resources.ts";
import type { QueryOperation } from "../query_operation.ts";

const createUser = defineAction({
  name: "CreateUser",
  parse: (parameters) => ({
    name: parameters.required("UserName"),
    path: parameters.optional("Path"),
    boundary: parameters.optional("PermissionsBoundary"),
    tags: parameters.tags(),
  }),
  resource: ({ name, path = "/" }, { account }) => arnOf("user", { account, path, name }),
  conditions: ({ tags, boundary }) => ({
    ...requestTags(tags),
    "iam:permissionsboundary": boundary,
  }),
  async handle({ input, account, sources, change }) {
    const directory = await change((d) => changes.createUser(d, { account, ...input }, sources));
    return { User: describedUser(findUser(directory, account, input.name)) };
  },
});

const getUser = defineAction({
  name: "GetUser",
  parse: (parameters, caller) => ({ name: parseHolder(parameters, caller) }),
  resource: ({ name }, scene) => holderArn(name, scene),
  conditions: ({ name }, scene) => name === undefined ? {} : userConditions(name, scene),
  handle({ input: { name }, account, directory }) {
    if (name !== undefined) return { User: describedUser(findUser(directory, account, name)) };
    const created = directory.accounts.get(account)?.created ?? new Date(0);
    const Arn = rootArn(account);
    return { User: { UserId: account, Arn, CreateDate: timeOf(created) } };
  },
});

const listUsers = defineAction({
  name: "ListUsers",
  parse: (parameters) => ({
    prefix: parameters.optional("PathPrefix") ?? "/",
    page: parsePage(parameters),
  }),
  resource: ({ prefix }, { account }) => `arn:aws:iam::${account}:user${prefix}`,
  handle({ input: { prefix, page }, account, directory }) {
    const users = directory.membersOf(account).users.filter(({ path }) => path.startsWith(prefix));
    const { items, end } = pageOf(users, page, positionOfName);
    return { Users: listOf(items.map(userElement)), ...end };
  },
});

const updateUser = defineAction({
  name: "UpdateUser",
  parse: (parameters) => ({
    name: parameters.name("UserName"),
    newName: parameters.optional("NewUserName"),
    newPath: parameters.optional("NewPath"),
  }),
  resource: ({ name }, scene) => userArn(name, scene),
  others: (
    { name, newName, newPath },
    scene,
  ) => [renamedArn("user", { name, newName, newPath }, scene)],
  conditions: ({ name }, scene) => userConditions(name, scene),
  async handle({ input, account, change }) {
    await change((directory) => changes.updateUser(directory, { account, ...input }));
    return undefined;
  },
});

const deleteUser = defineAction({
  name: "DeleteUser",
  parse: (parameters) => ({ name: parameters.name("UserName") }),
  resource: ({ name }, scene) => userArn(name, scene),
  conditions: ({ name }, scene) => userConditions(name, scene),
  async handle({ input: { name }, account, change }) {
    await change((directory) => changes.deleteUser(directory, { account, name }));
    return undefined;
  },
});

const putUserPermissionsBoundary = defineAction({
  name: "PutUserPermissionsBoundary",
  parse: (parameters) => ({
    name: parameters.name("UserName"),
    boundary: parameters.arn("PermissionsBoundary"),
  }),
  resource: ({ name }, scene) => userArn(name, scene),
  conditions: ({ name, boundary }, scene) => ({
    ...userConditions(name, scene),
    "iam:permissionsboundary": boundary,
  }),
  async handle({ input, account, change }) {
    await change((directory) => changes.setBoundary(directory, { account, ...input }));
    return undefined;
  },
});

const deleteUserPermissionsBoundary = defineAction({
  name: "DeleteUserPermissionsBoundary",
  parse: (parameters) => ({ name: parameters.name("UserName") }),
  resource: ({ name }, scene) => userArn(name, scene),
  conditions: ({ name }, scene) => userConditions(name, scene),
  async handle({ input: { name }, account, change }) {
    await change((d) => changes.setBoundary(d, { account, name, boundary: undefined }));
    return undefined;
  },
});

/** The actions about users. */
export const USER_ACTIONS: readonly QueryOperation[] = [
  createUser,
  getUser,
  listUsers,
  updateUser,
  deleteUser,
  putUserPermissionsBoundary,
  deleteUserPermissionsBoundary,
];
