/**
 * The condition keys that a bucket policy may name.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
 *
 * Not every key has a value here (docs/policies.md): there are no organizations, no VPCs and no services. A condition on
 * such a key holds or fails as on AWS for a request that does not have it.
 * @module
 */

/** Keys in lower case. */
const KEYS: ReadonlySet<string> = new Set([
  ...["aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:currenttime"],
  ...["aws:epochtime", "aws:federatedprovider", "aws:multifactorauthage"],
  ...["aws:multifactorauthpresent", "aws:principalaccount", "aws:principalarn"],
  ...["aws:principalisawsservice", "aws:principalorgid", "aws:principalorgpaths"],
  ...["aws:principalservicename", "aws:principalservicenameslist", "aws:principaltype"],
  ...["aws:referer", "aws:requestedregion", "aws:resourceaccount", "aws:resourceorgid"],
  ...["aws:resourceorgpaths", "aws:securetransport", "aws:sourceaccount", "aws:sourcearn"],
  ...["aws:sourceidentity", "aws:sourceip", "aws:sourceorgid", "aws:sourceorgpaths"],
  ...["aws:sourcevpc", "aws:sourcevpce", "aws:tagkeys", "aws:tokenissuetime", "aws:useragent"],
  ...["aws:userid", "aws:username", "aws:viaawsservice", "aws:vpcsourceip"],
  ...["s3:accessgrantsinstancearn", "s3:accesspointnetworkorigin", "s3:authtype"],
  ...["s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:delimiter", "s3:if-match"],
  ...["s3:if-none-match", "s3:jobsuspendedcause", "s3:locationconstraint", "s3:max-keys"],
  ...["s3:object-lock-legal-hold", "s3:object-lock-mode"],
  ...["s3:object-lock-remaining-retention-days", "s3:object-lock-retain-until-date"],
  ...["s3:objectcreationoperation", "s3:prefix", "s3:requestobjecttagkeys"],
  ...["s3:resourceaccount", "s3:signatureage", "s3:signatureversion", "s3:tlsversion"],
  ...["s3:versionid", "s3:x-amz-acl", "s3:x-amz-content-sha256", "s3:x-amz-copy-source"],
  ...["s3:x-amz-grant-full-control", "s3:x-amz-grant-read", "s3:x-amz-grant-read-acp"],
  ...["s3:x-amz-grant-write", "s3:x-amz-grant-write-acp", "s3:x-amz-metadata-directive"],
  ...["s3:x-amz-object-ownership", "s3:x-amz-server-side-encryption"],
  ...["s3:x-amz-server-side-encryption-aws-kms-key-id"],
  ...["s3:x-amz-server-side-encryption-customer-algorithm", "s3:x-amz-storage-class"],
  ...["s3:x-amz-website-redirect-location"],
]);

/** Keys that end with the key of a tag, in lower case. */
const PREFIXES = [
  "aws:principaltag/",
  "aws:requesttag/",
  "aws:resourcetag/",
  "s3:existingobjecttag/",
  "s3:requestobjecttag/",
];

/** All of them, in lower case; `/` ends those that go on with the key of a tag. */
export const CONDITION_KEYS: readonly string[] = [...KEYS, ...PREFIXES];

/** Returns whether Amazon has a condition key, in lower case, that a bucket policy may name. */
export function isConditionKey(key: string): boolean {
  return KEYS.has(key) ||
    PREFIXES.some((prefix) => key.startsWith(prefix) && key.length > prefix.length);
}
