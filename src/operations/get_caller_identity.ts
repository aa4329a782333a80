/**
 * STS GetCallerIdentity: tells clients who they are, and the number of their account.
 * See https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 *
 * As on Amazon, no policy can deny it.
 * @module
 */

import type { QueryOperation } from "./query_operation.ts";

export const getCallerIdentity: QueryOperation = {
  name: "GetCallerIdentity",
  run: ({ caller: { arn, userId, account } }) =>
    Promise.resolve({ Arn: arn, UserId: userId, Account: account }),
};
