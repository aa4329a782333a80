/**
 * Access control lists (ACLs), which are disabled in every bucket: the owner has full control, and nobody else any.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html
 *
 * As on AWS under `BucketOwnerEnforced`, an ACL that says exactly this is accepted. So is `private`, which AWS refuses: it
 * grants nothing, and many tools send it.
 * @module
 */

import { isS3Error, S3Error } from "./errors.ts";
import type { BucketName } from "./names.ts";
import type { S3Request } from "./request.ts";
import type { RequestHeaders } from "./request_headers.ts";
import { childrenOf, optionalTextOf, parseXml, textOf, type XmlElement } from "./xml_reader.ts";

/** The canned ACLs that would widen access. */
export const WIDENING_ACLS = [
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "log-delivery-write",
] as const;

/** Stands for the headers that grant something to somebody, such as `x-amz-grant-read`. */
export const GRANTS = "grants";

/** Whether writes with ACLs that would widen access are refused, or such ACLs are ignored. */
export const ACL_HEADERS = ["refuse", "ignore"] as const;

/** What a write asked for that was dropped. */
export type DroppedAcl = typeof WIDENING_ACLS[number] | typeof GRANTS;

/** Called for each write to a bucket whose ACL is dropped instead of refused. */
export type DropAcl = (bucket: BucketName, acl: DroppedAcl) => void;

/**
 * Checks the ACL that the headers of a write name.
 *
 * @param drop Drops ACLs that would widen access; without it they are refused.
 * @throws S3Error `AccessControlListNotSupported`, `InvalidArgument` for an unknown canned ACL
 */
export function checkAclHeaders(
  { headers, target }: Pick<S3Request, "headers" | "target">,
  drop: DropAcl | undefined,
): void {
  const canned = headers.get("x-amz-acl");
  const widening = canned !== null && isWidening(canned) ? canned : undefined;
  const acl = widening ?? (hasGrants(headers) ? GRANTS : undefined);
  if (acl === undefined) return;
  if (drop === undefined || !("bucket" in target)) {
    throw new S3Error("AccessControlListNotSupported");
  }
  drop(target.bucket, acl);
}

/**
 * Returns whether a canned ACL would widen access.
 *
 * @throws S3Error `InvalidArgument` for an unknown one
 */
export function isWidening(canned: string): canned is typeof WIDENING_ACLS[number] {
  if (canned === "private" || canned === "bucket-owner-full-control") return false;
  if ((WIDENING_ACLS as readonly string[]).includes(canned)) return true;
  throw new S3Error("InvalidArgument", { ArgumentName: "x-amz-acl", ArgumentValue: canned });
}

/** Returns whether headers grant something to somebody. */
export function hasGrants(headers: RequestHeaders): boolean {
  for (const name of headers.keys()) if (name.startsWith("x-amz-grant-")) return true;
  return false;
}

/** The canned ACLs that grant something to everybody, or to everybody whom AWS knows. */
const PUBLIC_ACLS: ReadonlySet<string> = new Set([
  "authenticated-read",
  "public-read",
  "public-read-write",
]);
/** The groups that are everybody, in the headers that grant something. */
const PUBLIC_GROUPS = ["/groups/global/AllUsers", "/groups/global/AuthenticatedUsers"];

/** Returns whether headers name an ACL that AWS takes for public. */
export function namesPublicAcl(headers: Pick<RequestHeaders, "get" | "keys">): boolean {
  const canned = headers.get("x-amz-acl");
  if (canned !== null && PUBLIC_ACLS.has(canned)) return true;
  for (const name of headers.keys()) {
    if (!name.startsWith("x-amz-grant-")) continue;
    const value = headers.get(name) ?? "";
    if (PUBLIC_GROUPS.some((group) => value.includes(group))) return true;
  }
  return false;
}

/** An `AccessControlPolicy`. */
export type Acl = {
  readonly owner: string;
  readonly grants: readonly {
    /** Undefined for a group and for somebody who is named by an address. */
    readonly id: string | undefined;
    readonly permission: string;
  }[];
};

const PERMISSIONS: ReadonlySet<string> = new Set([
  "FULL_CONTROL",
  "READ",
  "READ_ACP",
  "WRITE",
  "WRITE_ACP",
]);
/** Number of tags of an ACL with 100 grants, which is AWS's maximum. */
const MAX_TAGS = 2000;

/**
 * Parses an `AccessControlPolicy`.
 *
 * @throws S3Error `MalformedACLError`
 *
 * @example Usage
 * ```ts
 * import { isOwnersAlone, parseAcl } from "./acl.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const acl = parseAcl(
 *   "<AccessControlPolicy><Owner><ID>ann</ID></Owner><AccessControlList><Grant><Grantee><ID>ann</ID></Grantee>" +
 *     "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>",
 * );
 * strictEqual(isOwnersAlone(acl, "ann"), true);
 * strictEqual(isOwnersAlone(acl, "bob"), false);
 * ```
 */
export function parseAcl(text: string): Acl {
  try {
    const root = parseXml(text, "AccessControlPolicy", MAX_TAGS);
    const grants = childrenOf(only(root, "AccessControlList"), "Grant");
    return { owner: textOf(only(root, "Owner"), "ID"), grants: grants.map(parseGrant) };
  } catch (cause) {
    throw isS3Error(cause, "MalformedXML") ? new S3Error("MalformedACLError") : cause;
  }
}

function parseGrant(grant: XmlElement): Acl["grants"][number] {
  const id = optionalTextOf(only(grant, "Grantee"), "ID");
  const permission = textOf(grant, "Permission");
  if (!PERMISSIONS.has(permission)) throw new S3Error("MalformedXML");
  return { id, permission };
}

function only(element: XmlElement, name: string): XmlElement {
  const [child, ...others] = childrenOf(element, name);
  if (child === undefined || others.length > 0) throw new S3Error("MalformedXML");
  return child;
}

/** Returns whether an ACL gives the owner full control, and nothing to anybody else. */
export function isOwnersAlone({ owner, grants }: Acl, expected: string | undefined): boolean {
  const [grant, ...others] = grants;
  return owner === expected && grant?.id === expected && grant.permission === "FULL_CONTROL" &&
    others.length === 0;
}
