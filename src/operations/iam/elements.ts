/**
 * Users, groups, policies and keys as the elements of IAM's answers.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_Types.html
 * @module
 */

import { arnOf } from "../../iam/arns.ts";
import type { Directory } from "../../iam/directory.ts";
import type {
  AccessKey,
  Group,
  ManagedPolicy,
  PolicyVersion,
  Tags,
  User,
} from "../../iam/entities.ts";
import type { XmlValue } from "../../s3/xml.ts";

type Element = { readonly [name: string]: XmlValue };

/** Returns a time as IAM writes it: `2024-05-01T10:00:00Z`. */
export function timeOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** Returns a list. */
export function listOf(members: readonly XmlValue[]): Element {
  return { member: members };
}

/** Returns a policy document as IAM sends it: encoded for a URL, by RFC 3986. */
export function documentOf(document: string): string {
  return encodeURIComponent(document.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Returns tags; undefined if there are none, as in the description of an entity. */
export function tagsOf(tags: Tags): Element | undefined {
  return tags.size === 0 ? undefined : listOf(Array.from(tags, ([Key, Value]) => ({ Key, Value })));
}

/** Returns a user. */
export function userElement(user: User): Element {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.id,
    Arn: arnOf("user", user),
    CreateDate: timeOf(user.created),
  };
}

/** Returns a user with the boundary and the tags, which lists do not have. */
export function describedUser(user: User): Element {
  return { ...userElement(user), ...boundaryElement(user), Tags: tagsOf(user.tags) };
}

/** Returns the permissions boundary of a user. */
export function boundaryElement({ boundary }: User): Element {
  return boundary === undefined ? {} : {
    PermissionsBoundary: {
      PermissionsBoundaryType: "Policy",
      PermissionsBoundaryArn: boundary,
    },
  };
}

/** Returns a group. */
export function groupElement(group: Group): Element {
  return {
    Path: group.path,
    GroupName: group.name,
    GroupId: group.id,
    Arn: arnOf("group", group),
    CreateDate: timeOf(group.created),
  };
}

/** Returns a managed policy. */
export function policyElement(policy: ManagedPolicy, usage: Usage): Element {
  const arn = arnOf("policy", policy);
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersion,
    AttachmentCount: usage.attached.get(arn) ?? 0,
    PermissionsBoundaryUsageCount: usage.boundaries.get(arn) ?? 0,
    IsAttachable: true,
    CreateDate: timeOf(policy.created),
    UpdateDate: timeOf(policy.updated),
  };
}

/** Returns a managed policy with the description and the tags, which lists do not have. */
export function describedPolicy(policy: ManagedPolicy, usage: Usage): Element {
  return {
    ...policyElement(policy, usage),
    Description: policy.description,
    Tags: tagsOf(policy.tags),
  };
}

/** Returns a version of a managed policy, without its document. */
export function versionElement({ id, created }: PolicyVersion, policy: ManagedPolicy): Element {
  return {
    VersionId: id,
    IsDefaultVersion: id === policy.defaultVersion,
    CreateDate: timeOf(created),
  };
}

/** Returns an access key without its secret. */
export function keyElement({ id, isActive, created }: AccessKey, userName?: string): Element {
  return {
    UserName: userName,
    AccessKeyId: id,
    Status: isActive ? "Active" : "Inactive",
    CreateDate: timeOf(created),
  };
}

/** Returns a managed policy as the lists of attached policies have it. */
export function attachedElement(arn: string): Element {
  return { PolicyName: arn.slice(arn.lastIndexOf("/") + 1), PolicyArn: arn };
}

/** How many users and groups of an account have a managed policy, by its ARN. */
export type Usage = {
  readonly attached: ReadonlyMap<string, number>;
  readonly boundaries: ReadonlyMap<string, number>;
};

/** Counts the use of managed policies in an account. */
export function usageIn(directory: Directory, account: string): Usage {
  const attached = new Map<string, number>();
  const boundaries = new Map<string, number>();
  const { users, groups } = directory.membersOf(account);
  for (const owner of [...users, ...groups]) {
    for (const arn of owner.attached) attached.set(arn, (attached.get(arn) ?? 0) + 1);
  }
  for (const { boundary } of users) {
    if (boundary !== undefined) boundaries.set(boundary, (boundaries.get(boundary) ?? 0) + 1);
  }
  return { attached, boundaries };
}
