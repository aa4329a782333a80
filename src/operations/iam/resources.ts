/**
 * The resources of actions: whom a request is about, and the ARN that policies name.
 * See https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 * @module
 */

import { arnOf, rootArn } from "../../iam/arns.ts";
import type { Tags } from "../../iam/entities.ts";
import type { Tag } from "../../iam/entity_tags.ts";
import type { Principal } from "../../iam/principal.ts";
import { invalid } from "../../iam/refusals.ts";
import type { ConditionValues } from "../query_operation.ts";
import type { Scene } from "./action.ts";
import type { Parameters } from "./parameters.ts";

/** Returns the ARN of a user, whether it exists or not. */
export function userArn(name: string, { directory, account }: Scene): string {
  return arnOf("user", directory.user(account, name) ?? { account, path: "/", name });
}

/** Returns the ARN of a group, whether it exists or not. */
export function groupArn(name: string, { directory, account }: Scene): string {
  return arnOf("group", directory.group(account, name) ?? { account, path: "/", name });
}

/**
 * Returns the ARN that a user or a group has after a change of the name or the path. Amazon demands that the caller may
 * change both.
 */
export function renamedArn(
  kind: "user" | "group",
  { name, newName, newPath }: {
    readonly name: string;
    readonly newName: string | undefined;
    readonly newPath: string | undefined;
  },
  { directory, account }: Scene,
): string {
  const found = kind === "user" ? directory.user(account, name) : directory.group(account, name);
  const { path, name: before } = found ?? { path: "/", name };
  return arnOf(kind, { account, path: newPath ?? path, name: newName ?? before });
}

/** Returns the ARN of a user, or that of the root if no name is given. */
export function holderArn(name: string | undefined, scene: Scene): string {
  return name === undefined ? rootArn(scene.account) : userArn(name, scene);
}

/** Returns the user that a request names, else the caller; undefined if that is the root of an account. */
export function parseHolder(parameters: Parameters, { name }: Principal): string | undefined {
  return parameters.optionalName("UserName") ?? name;
}

/**
 * Returns the user that a request names, else the caller.
 *
 * @throws S3Error `ValidationError` if that is the root of an account
 */
export function parseUser(parameters: Parameters, caller: Principal): string {
  const name = parseHolder(parameters, caller);
  if (name === undefined) {
    throw invalid("Must specify userName when calling with non-User credentials");
  }
  return name;
}

/** Returns the condition keys of tags that a request sets. */
export function requestTags(tags: readonly Tag[]): ConditionValues {
  return {
    ...Object.fromEntries(
      tags.map(({ key, value }) => [`aws:requesttag/${key.toLowerCase()}`, value]),
    ),
    "aws:tagkeys": tags.map(({ key }) => key),
  };
}

/** Returns the condition keys of tags that a resource has. */
export function resourceTags(tags: Tags | undefined): ConditionValues {
  return Object.fromEntries(
    [...tags ?? []].flatMap(([key, value]) => [
      [`aws:resourcetag/${key.toLowerCase()}`, value],
      [`iam:resourcetag/${key.toLowerCase()}`, value],
    ]),
  );
}

/** Returns the condition keys of a user's tags and boundary. */
export function userConditions(name: string, { directory, account }: Scene): ConditionValues {
  const user = directory.user(account, name);
  return { ...resourceTags(user?.tags), "iam:permissionsboundary": user?.boundary };
}
