/**
 * The values of condition keys that follow from the caller alone, whatever the request.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
 * @module
 */

import type { Principal } from "./principal.ts";

/** Returns the value of `aws:PrincipalType`. */
export function principalType(principal: Principal | undefined): string {
  if (principal === undefined) return "Anonymous";
  return principal.isRoot ? "Account" : "User";
}

/**
 * Returns the values by key, in lower case. Two tags whose keys differ in case alone are one key with two values.
 *
 * @param principal Undefined for an anonymous caller.
 */
export function callerValues(
  principal: Principal | undefined,
): Map<string, string | readonly string[]> {
  const values = new Map<string, string | readonly string[]>([
    ["aws:principalaccount", principal?.account ?? "anonymous"],
    ["aws:principalisawsservice", "false"],
    ["aws:principaltype", principalType(principal)],
    ["aws:userid", principal?.userId ?? "anonymous"],
    ["aws:viaawsservice", "false"],
  ]);
  if (principal === undefined) return values;
  values.set("aws:principalarn", principal.arn);
  if (principal.name !== undefined) values.set("aws:username", principal.name);
  for (const [key, value] of principal.tags) {
    const name = `aws:principaltag/${key.toLowerCase()}`;
    const before = values.get(name);
    values.set(name, before === undefined ? value : [before, value].flat());
  }
  return values;
}
