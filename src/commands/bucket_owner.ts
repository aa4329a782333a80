/**
 * `nats-s3 buckets owner`: gives a bucket to another account.
 * @module
 */

import { accountNumber } from "./iam_operands.ts";
import { parseBucket, type Verb } from "./verb.ts";

/** `owner`: changes the account that owns a bucket. */
export const OWNER: Verb = {
  usage: "BUCKET ACCOUNT",
  help: "Gives a bucket and its objects to an account, by its number, its name or its alias",
  flags: [],
  plan({ operands: [name = "", text = ""] }) {
    const bucket = parseBucket(name);
    return async ({ store, print }) => {
      const account = accountNumber(await store.users.read(), text);
      await store.administration.giveTo(bucket, account);
      print(`${bucket}: account ${account}`);
    };
  },
};
