/**
 * Policies that Amazon manages, which every account may attach and nobody may change.
 * See https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 *
 * Their documents, ids and dates are Amazon's. Actions of services that the gateway does not have allow nothing.
 * @module
 */

import { AMAZON } from "./arns.ts";
import type { ManagedPolicy } from "./entities.ts";

type Described = {
  readonly id: string;
  readonly description: string;
  readonly version: number;
  readonly created: string;
  readonly updated: string;
  readonly actions: string | readonly string[];
};

const DESCRIBED: Readonly<Record<string, Described>> = {
  AdministratorAccess: {
    id: "ANPAIWMBCKSKIEE64ZLYK",
    description: "Provides full access to AWS services and resources.",
    version: 1,
    created: "2015-02-06T18:39:46Z",
    updated: "2015-02-06T18:39:46Z",
    actions: "*",
  },
  AmazonS3FullAccess: {
    id: "ANPAIFIR6V6BVTRAHWINE",
    description: "Provides full access to all buckets via the AWS Management Console.",
    version: 2,
    created: "2015-02-06T18:40:58Z",
    updated: "2021-09-27T20:16:37Z",
    actions: ["s3:*", "s3-object-lambda:*"],
  },
  AmazonS3ReadOnlyAccess: {
    id: "ANPAIZTJ4DXE7G6AGAE6M",
    description: "Provides read only access to all buckets via the AWS Management Console.",
    version: 3,
    created: "2015-02-06T18:40:59Z",
    updated: "2023-08-10T21:31:39Z",
    actions: [
      "s3:Get*",
      "s3:List*",
      "s3:Describe*",
      "s3-object-lambda:Get*",
      "s3-object-lambda:List*",
    ],
  },
  IAMFullAccess: {
    id: "ANPAI7XKCFMBPM3QQRRVQ",
    description: "Provides full access to IAM via the AWS Management Console.",
    version: 2,
    created: "2015-02-06T18:40:38Z",
    updated: "2019-06-21T19:40:00Z",
    actions: [
      "iam:*",
      "organizations:DescribeAccount",
      "organizations:DescribeOrganization",
      "organizations:DescribeOrganizationalUnit",
      "organizations:DescribePolicy",
      "organizations:ListChildren",
      "organizations:ListParents",
      "organizations:ListPoliciesForTarget",
      "organizations:ListRoots",
      "organizations:ListPolicies",
      "organizations:ListTargetsForPolicy",
    ],
  },
  IAMReadOnlyAccess: {
    id: "ANPAJKSO7NDY4T57MWDSQ",
    description: "Provides read only access to IAM via the AWS Management Console.",
    version: 4,
    created: "2015-02-06T18:40:39Z",
    updated: "2018-01-25T19:11:27Z",
    actions: [
      "iam:GenerateCredentialReport",
      "iam:GenerateServiceLastAccessedDetails",
      "iam:Get*",
      "iam:List*",
      "iam:SimulateCustomPolicy",
      "iam:SimulatePrincipalPolicy",
    ],
  },
};

/** The policies that Amazon manages, by name. */
export const AMAZON_POLICIES: ReadonlyMap<string, ManagedPolicy> = new Map(
  Object.entries(DESCRIBED).map(([name, described]) => [name, createPolicy(name, described)]),
);

function createPolicy(
  name: string,
  { id, description, version, created, updated, actions }: Described,
): ManagedPolicy {
  const document = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
  };
  const current = {
    id: `v${version}`,
    document: JSON.stringify(document),
    created: new Date(updated),
  };
  return {
    account: AMAZON,
    id,
    name,
    path: "/",
    created: new Date(created),
    description,
    tags: new Map(),
    versions: [current],
    defaultVersion: current.id,
    versionCount: version,
    updated: new Date(updated),
  };
}
