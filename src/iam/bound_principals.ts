/**
 * Users whom bucket policies name: kept by their stable ids, shown by their ARNs.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-users
 *
 * A policy that is put binds each user to the id, so that a later user of the same name is somebody else. It is shown with the
 * user's ARN, and with the id once the user was deleted. Everything else in the text stays as it was put.
 * @module
 */

import { arnOf, parseUserArn } from "./arns.ts";
import type { Directory } from "./directory.ts";
import { isUserId } from "./identifiers.ts";
import { endOfString } from "./strict_json.ts";

/** Containers around a principal at most: the policy, its statements, one of them, its principals, and their list. */
const MAX_DEPTH = 5;
/** Names of the members around a principal that is a user. */
const PLACES: ReadonlySet<string> = new Set([
  "Statement Principal AWS",
  "Statement NotPrincipal AWS",
]);

/**
 * Returns a bucket policy with the ids of the users whom it names by ARN.
 *
 * @param text A policy that was parsed.
 *
 * @example Usage
 * ```ts
 * import { bindPrincipals } from "./bound_principals.ts";
 * import { Directory } from "./directory.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const text = '{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:user/nobody"}}}';
 * strictEqual(bindPrincipals(text, new Directory()), text);
 * ```
 */
export function bindPrincipals(text: string, directory: Directory): string {
  return mapPrincipals(text, (name) => {
    const located = parseUserArn(name);
    const user = located && directory.user(located.account, located.name);
    return user !== undefined && arnOf("user", user) === name ? user.id : undefined;
  });
}

/** Returns a bucket policy with the ARNs of the users whom it names by id. One that nobody can parse stays as it is. */
export function showPrincipals(text: string, directory: Directory): string {
  try {
    return mapPrincipals(text, (name) => {
      const user = isUserId(name) ? directory.userOfId(name) : undefined;
      return user && arnOf("user", user);
    });
  } catch (cause) {
    if (cause instanceof SyntaxError) return text;
    throw cause;
  }
}

/** An open object or list. */
type Container = {
  readonly isList: boolean;
  /** The member of an object that is being read. */
  member: string;
};

/**
 * Replaces principals in the text of a policy.
 *
 * @param map Returns what to write instead; undefined to leave it.
 * @throws SyntaxError
 */
function mapPrincipals(text: string, map: (name: string) => string | undefined): string {
  const open: Container[] = [];
  let isName = false;
  let written = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"') {
      const end = endOfString(text, i);
      const inner = open.at(-1);
      if (isName && inner !== undefined) inner.member = parseString(text.slice(i, end + 1));
      else if (isPrincipal(open)) {
        const other = map(parseString(text.slice(i, end + 1)));
        if (other !== undefined) {
          written += text.slice(from, i) + JSON.stringify(other);
          from = end + 1;
        }
      }
      isName = false;
      i = end;
    } else if (char === "{" || char === "[") {
      open.push({ isList: char === "[", member: "" });
      isName = char === "{";
    } else if (char === "}" || char === "]") open.pop();
    else if (char === ",") isName = open.at(-1)?.isList === false;
  }
  return written + text.slice(from);
}

function isPrincipal(open: readonly Container[]): boolean {
  if (open.length > MAX_DEPTH) return false;
  const members = open.filter(({ isList }) => !isList).map(({ member }) => member);
  return PLACES.has(members.join(" "));
}

function parseString(literal: string): string {
  return String(JSON.parse(literal));
}
