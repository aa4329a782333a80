/**
 * Who may sign requests.
 * @module
 */

/** Who signed a request. */
export type Identity = {
  readonly accessKeyId: string;
};

/** The secrets that signatures are checked with. */
export interface Credentials {
  /** The secret access keys that are valid now for this access key id (two during a rotation); empty when unknown. */
  secretsOf(accessKeyId: string): readonly string[];
}
