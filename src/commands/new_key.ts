/**
 * How `accounts add`, `users add` and `users rotate` print a new access key: as lines, as JSON, or as a profile of aws-cli.
 * @module
 */

import type { AccessKey } from "../iam/entities.ts";
import type { VerbInput } from "./verb.ts";

/** The flags that choose the form of a new key. */
export const NEW_KEY_FLAGS = ["json", "profile"] as const;

/** The holder of a new key: an account's root, which has a `name` if the account is new, or a user. */
export type Holder = {
  readonly account: string;
  readonly name?: string;
  readonly user?: string | undefined;
};

/** Returns a new key with its secret as the lines of one form. */
export type KeyPrinter = (key: AccessKey, holder: Holder) => readonly string[];

/**
 * Returns what prints a new key in the form that the flags ask for. A profile has the form of `~/.aws/credentials`, which
 * aws-cli, the SDKs and Terraform read.
 *
 * @see {@link https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html}
 * @throws RangeError for the user
 */
export function keyPrinter(flags: VerbInput["flags"]): KeyPrinter {
  const profile = flags.get("profile");
  const isJson = flags.get("json") === "true";
  if (profile === undefined) return isJson ? toJson : toLines;
  if (isJson) throw new RangeError("Choose one: --json or --profile");
  if (!/^[\w.-]+$/.test(profile)) {
    throw new RangeError(
      `Cannot use --profile "${profile}": use letters, digits, "-", "_" and "."`,
    );
  }
  return ({ id, secret }, { account, user = "root" }) => [
    `[${profile}]`,
    `# ${user} of account ${account}`,
    `aws_access_key_id = ${id}`,
    `aws_secret_access_key = ${secret}`,
  ];
}

function toJson({ id, secret }: AccessKey, holder: Holder): readonly string[] {
  return [JSON.stringify({ ...holder, accessKey: id, secretKey: secret })];
}

function toLines({ id, secret }: AccessKey, { account, name }: Holder): readonly string[] {
  return [
    ...(name === undefined ? [] : [`account     ${account}`]),
    `access key  ${id}`,
    `secret key  ${secret}`,
  ];
}
