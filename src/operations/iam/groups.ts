/**
 * Actions about groups and their members.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html and its neighbours
 * @module
 */

import { arnOf } from "../../iam/arns.ts";
import { findGroup, findUser } from "../../iam/changes/find.ts";
import * as changes from "../../iam/changes/groups.ts";
import type { QueryOperation } from "../query_operation.ts";
import { defineAction } from "./action.ts";
import { groupElement, listOf, userElement } from "./elements.ts";
import { pageOf, parsePage, positionOfName } from "./pages.ts";
import { groupArn, renamedArn, userArn, userConditions } from "./resources.ts";

const createGroup = defineAction({
  name: "CreateGroup",
  parse: (parameters) => ({
    name: parameters.required("GroupName"),
    path: parameters.optional("Path"),
  }),
  resource: ({ name, path = "/" }, { account }) => arnOf("group", { account, path, name }),
  async handle({ input, account, sources, change }) {
    const directory = await change((d) => changes.createGroup(d, { account, ...input }, sources));
    return { Group: groupElement(findGroup(directory, account, input.name)) };
  },
});

const getGroup = defineAction({
  name: "GetGroup",
  parse: (parameters) => ({ name: parameters.name("GroupName"), page: parsePage(parameters) }),
  resource: ({ name }, scene) => groupArn(name, scene),
  handle({ input: { name, page }, account, directory }) {
    const group = findGroup(directory, account, name);
    const members = directory.membersOf(account).users
      .filter(({ groups }) => groups.includes(group.id));
    const { items, end } = pageOf(members, page, positionOfName);
    return { Group: groupElement(group), Users: listOf(items.map(userElement)), ...end };
  },
});

const listGroups = defineAction({
  name: "ListGroups",
  parse: (parameters) => ({
    prefix: parameters.optional("PathPrefix") ?? "/",
    page: parsePage(parameters),
  }),
  resource: ({ prefix }, { account }) => `arn:aws:iam::${account}:group${prefix}`,
  handle({ input: { prefix, page }, account, directory }) {
    const { groups } = directory.membersOf(account);
    const found = groups.filter(({ path }) => path.startsWith(prefix));
    const { items, end } = pageOf(found, page, positionOfName);
    return { Groups: listOf(items.map(groupElement)), ...end };
  },
});

const updateGroup = defineAction({
  name: "UpdateGroup",
  parse: (parameters) => ({
    name: parameters.name("GroupName"),
    newName: parameters.optional("NewGroupName"),
    newPath: parameters.optional("NewPath"),
  }),
  resource: ({ name }, scene) => groupArn(name, scene),
  others: (
    { name, newName, newPath },
    scene,
  ) => [renamedArn("group", { name, newName, newPath }, scene)],
  async handle({ input, account, change }) {
    await change((directory) => changes.updateGroup(directory, { account, ...input }));
    return undefined;
  },
});

const deleteGroup = defineAction({
  name: "DeleteGroup",
  parse: (parameters) => ({ name: parameters.name("GroupName") }),
  resource: ({ name }, scene) => groupArn(name, scene),
  async handle({ input, account, change }) {
    await change((directory) => changes.deleteGroup(directory, { account, ...input }));
    return undefined;
  },
});

const addUserToGroup = defineAction({
  name: "AddUserToGroup",
  parse: (parameters) => ({
    group: parameters.name("GroupName"),
    user: parameters.name("UserName"),
  }),
  resource: ({ group }, scene) => groupArn(group, scene),
  async handle({ input, account, change }) {
    await change((directory) => changes.addUserToGroup(directory, { account, ...input }));
    return undefined;
  },
});

const removeUserFromGroup = defineAction({
  name: "RemoveUserFromGroup",
  parse: (parameters) => ({
    group: parameters.name("GroupName"),
    user: parameters.name("UserName"),
  }),
  resource: ({ group }, scene) => groupArn(group, scene),
  async handle({ input, account, change }) {
    await change((directory) => changes.removeUserFromGroup(directory, { account, ...input }));
    return undefined;
  },
});

const listGroupsForUser = defineAction({
  name: "ListGroupsForUser",
  parse: (parameters) => ({ name: parameters.name("UserName"), page: parsePage(parameters) }),
  resource: ({ name }, scene) => userArn(name, scene),
  conditions: ({ name }, scene) => userConditions(name, scene),
  handle({ input: { name, page }, account, directory }) {
    const user = findUser(directory, account, name);
    const groups = directory.membersOf(account).groups.filter(({ id }) => user.groups.includes(id));
    const { items, end } = pageOf(groups, page, positionOfName);
    return { Groups: listOf(items.map(groupElement)), ...end };
  },
});

/** The actions about groups. */
export const GROUP_ACTIONS: readonly QueryOperation[] = [
  createGroup,
  getGroup,
  listGroups,
  updateGroup,
  deleteGroup,
  addUserToGroup,
  removeUserFromGroup,
  listGroupsForUser,
];
