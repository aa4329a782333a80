/**
 * The values of condition keys, which policies ask for.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 * @module
 */

/** The values of condition keys for one question. */
export type Context = {
  /**
   * Returns the value of a key; a list for a key with several values, undefined for one that the request does not have.
   *
   * @param key In lower case.
   */
  get(key: string): string | readonly string[] | undefined;
};
