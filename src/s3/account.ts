/**
 * The account that owns all buckets: a number of 12 digits, as on AWS.
 * See https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html
 * @module
 */

/** The account unless the operator names another one. */
export const DEFAULT_ACCOUNT = "000000000000";

/** Returns whether a text is the number of an account. */
export function isAccountId(text: string): boolean {
  return /^\d{12}$/.test(text);
}
