/**
 * Actions about what the gateway does not have: passwords, MFA devices, SSH keys, certificates, roles, instance profiles and
 * identity providers. Lists of them are empty and one of them cannot be found, as on Amazon before the first is made.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
 *
 * An action that would make one is `NotImplemented`.
 * @module
 */

import { findUser } from "../../iam/changes/find.ts";
import { notFound } from "../../iam/refusals.ts";
import { S3Error } from "../../s3/errors.ts";
import type { QueryOperation } from "../query_operation.ts";
import { defineAction } from "./action.ts";
import { listOf } from "./elements.ts";
import { parsePage } from "./pages.ts";
import { holderArn, parseHolder } from "./resources.ts";

/** The lists of an account, by the element that holds them. */
const LISTS = {
  ListRoles: "Roles",
  ListInstanceProfiles: "InstanceProfiles",
  ListServerCertificates: "ServerCertificateMetadataList",
  ListSAMLProviders: "SAMLProviderList",
  ListOpenIDConnectProviders: "OpenIDConnectProviderList",
  ListVirtualMFADevices: "VirtualMFADevices",
} as const;

/** The lists of a user. */
const LISTS_OF_USER = {
  ListMFADevices: "MFADevices",
  ListSSHPublicKeys: "SSHPublicKeys",
  ListSigningCertificates: "Certificates",
  ListServiceSpecificCredentials: "ServiceSpecificCredentials",
} as const;

/** What cannot be found: the parameter that names it, Amazon's words about it, and the actions. */
const MISSING: readonly {
  readonly parameter: string;
  readonly message: (name: string) => string;
  readonly actions: readonly string[];
}[] = [
  {
    parameter: "RoleName",
    message: (name) => `The role with name ${name} cannot be found.`,
    actions: [
      "AttachRolePolicy",
      "DeleteRole",
      "DeleteRolePermissionsBoundary",
      "DeleteRolePolicy",
      "DetachRolePolicy",
      "GetRole",
      "GetRolePolicy",
      "ListAttachedRolePolicies",
      "ListInstanceProfilesForRole",
      "ListRolePolicies",
      "ListRoleTags",
      "PutRolePermissionsBoundary",
      "PutRolePolicy",
      "TagRole",
      "UntagRole",
      "UpdateAssumeRolePolicy",
      "UpdateRole",
      "UpdateRoleDescription",
    ],
  },
  {
    parameter: "InstanceProfileName",
    message: (name) => `Instance Profile ${name} cannot be found.`,
    actions: ["AddRoleToInstanceProfile", "DeleteInstanceProfile", "GetInstanceProfile"],
  },
  {
    parameter: "ServerCertificateName",
    message: (name) => `The Server Certificate with name ${name} cannot be found.`,
    actions: ["DeleteServerCertificate", "GetServerCertificate", "UpdateServerCertificate"],
  },
  {
    parameter: "SAMLProviderArn",
    message: (arn) => `Manifest not found for arn ${arn}`,
    actions: ["DeleteSAMLProvider", "GetSAMLProvider", "UpdateSAMLProvider"],
  },
  {
    parameter: "OpenIDConnectProviderArn",
    message: (arn) => `OpenIDConnect Provider not found for arn ${arn}`,
    actions: ["DeleteOpenIDConnectProvider", "GetOpenIDConnectProvider"],
  },
  {
    parameter: "SSHPublicKeyId",
    message: (id) => `The Public Key with id ${id} cannot be found.`,
    actions: ["DeleteSSHPublicKey", "GetSSHPublicKey", "UpdateSSHPublicKey"],
  },
  {
    parameter: "CertificateId",
    message: (id) => `The Certificate with id ${id} cannot be found.`,
    actions: ["DeleteSigningCertificate", "UpdateSigningCertificate"],
  },
  {
    parameter: "ServiceSpecificCredentialId",
    message: (id) => `No such credential ${id} exists`,
    actions: [
      "DeleteServiceSpecificCredential",
      "ResetServiceSpecificCredential",
      "UpdateServiceSpecificCredential",
    ],
  },
  {
    parameter: "SerialNumber",
    message: (serial) => `VirtualMFADevice with serial number ${serial} doesn't exist.`,
    actions: [
      "DeactivateMFADevice",
      "DeleteVirtualMFADevice",
      "EnableMFADevice",
      "GetMFADevice",
      "ResyncMFADevice",
    ],
  },
];

/** Their names. */
const UNSUPPORTED = [
  "ChangePassword",
  "CreateInstanceProfile",
  "CreateLoginProfile",
  "CreateOpenIDConnectProvider",
  "CreateRole",
  "CreateSAMLProvider",
  "CreateServiceLinkedRole",
  "CreateServiceSpecificCredential",
  "CreateVirtualMFADevice",
  "GenerateCredentialReport",
  "GenerateServiceLastAccessedDetails",
  "GetCredentialReport",
  "UpdateAccountPasswordPolicy",
  "UploadSSHPublicKey",
  "UploadServerCertificate",
  "UploadSigningCertificate",
] as const;

const lists = Object.entries(LISTS).map(([name, element]) =>
  defineAction({
    name,
    parse: parsePage,
    resource: () => "*",
    handle: () => ({ [element]: listOf([]), IsTruncated: false }),
  })
);

const listsOfUser = Object.entries(LISTS_OF_USER).map(([name, element]) =>
  defineAction({
    name,
    parse(parameters, caller) {
      parsePage(parameters);
      return { name: parseHolder(parameters, caller) };
    },
    resource: ({ name }, scene) => holderArn(name, scene),
    handle({ input: { name }, account, directory }) {
      if (name !== undefined) findUser(directory, account, name);
      return { [element]: listOf([]), IsTruncated: false };
    },
  })
);

const missing = MISSING.flatMap(({ parameter, message, actions }) =>
  actions.map((name) =>
    defineAction({
      name,
      parse: (parameters) => ({ named: parameters.required(parameter) }),
      resource: () => "*",
      handle({ input: { named } }) {
        throw notFound(message(named));
      },
    })
  )
);

const loginProfiles = ["GetLoginProfile", "UpdateLoginProfile", "DeleteLoginProfile"].map((name) =>
  defineAction({
    name,
    parse: (parameters, caller) => ({ name: parseHolder(parameters, caller) }),
    resource: ({ name }, scene) => holderArn(name, scene),
    handle({ input: { name }, account, directory }) {
      if (name !== undefined) findUser(directory, account, name);
      throw notFound(`Login Profile for User ${name ?? "root"} cannot be found.`);
    },
  })
);

const passwordPolicies = ["GetAccountPasswordPolicy", "DeleteAccountPasswordPolicy"].map((name) =>
  defineAction({
    name,
    parse: () => undefined,
    resource: () => "*",
    handle({ account }) {
      throw notFound(`The Password Policy with domain name ${account} cannot be found.`);
    },
  })
);

/** The actions that would make what the gateway does not have. */
export const UNSUPPORTED_ACTIONS: readonly QueryOperation[] = UNSUPPORTED.map((name) =>
  defineAction({
    name,
    parse: () => undefined,
    resource: () => "*",
    handle() {
      throw new S3Error("NotImplemented", {}, { message: `${name} is not implemented` });
    },
  })
);

/** The actions about what the gateway does not have. */
export const ABSENT_ACTIONS: readonly QueryOperation[] = [
  ...lists,
  ...listsOfUser,
  ...missing,
  ...loginProfiles,
  ...passwordPolicies,
];
