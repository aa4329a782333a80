/** The condition keys of calls to IAM. */

import { createIamGateway } from "./iam_client.ts";
import { ACCOUNT } from "./test_gateway.ts";

/** Conditions that hold for a call of the user bob. */
const HOLD: readonly (readonly [operator: string, key: string, value: string])[] = [
  ["StringEquals", "aws:PrincipalType", "User"],
  ["StringEquals", "aws:PrincipalAccount", ACCOUNT],
  ["StringEquals", "aws:ResourceAccount", ACCOUNT],
  ["StringEquals", "aws:RequestedRegion", "us-east-1"],
  ["StringEquals", "aws:username", "bob"],
  ["StringLike", "aws:userid", "AIDA*"],
  ["StringEquals", "aws:PrincipalTag/team", "blue"],
  ["Bool", "aws:PrincipalIsAWSService", "false"],
  ["Bool", "aws:ViaAWSService", "false"],
  ["ArnEquals", "aws:PrincipalArn", `arn:aws:iam::${ACCOUNT}:user/bob`],
];

Deno.test("calls to IAM have the condition keys of the caller, the account and the region", async () => {
  const { must, fails, createUser } = await createIamGateway();
  const bob = await createUser("bob");
  await must("TagUser", { UserName: "bob", Tags: [{ Key: "Team", Value: "blue" }] });
  for (const [operator, key, value] of HOLD) {
    const put = (wanted: string) =>
      must("PutUserPolicy", {
        UserName: "bob",
        PolicyName: "p",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: {
            Effect: "Allow",
            Action: "iam:ListUsers",
            Resource: "*",
            Condition: { [operator]: { [key]: wanted } },
          },
        }),
      });
    await put(value);
    await must("ListUsers", {}, bob);
    await put(value === "false" ? "true" : `${value.replace("*", "")}x`);
    await fails("AccessDenied", "ListUsers", {}, bob);
  }
});
