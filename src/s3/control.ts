/**
 * S3 Control: requests about the resources of an account, at the address of S3.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html
 *
 * On AWS it has hosts of its own. SDKs that have an endpoint put the account as a label before the endpoint's host, and also
 * into `x-amz-account-id`. `v20180820`, with which the paths begin, is also a valid name of a bucket, so a request is one of
 * S3 Control only if it names an account in one of the two ways.
 * @module
 */

import { isAccountId } from "./account.ts";
import type { RequestHeaders } from "./request_headers.ts";

/** The beginning of each path. */
export const CONTROL_PREFIX = "/v20180820/";
/** The namespace of its documents. */
export const CONTROL_NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/** The account that a request of S3 Control is about; undefined if it names two. */
export type ClaimedAccount = { readonly account: string | undefined };

/** The parts of a request that tell S3 Control from S3, beside the path. */
type Addressed = {
  /** `Host` as the client sent it. */
  readonly host: string;
  readonly headers: RequestHeaders;
  /** The bucket that the host names in virtual-host style, if any. */
  readonly virtual: string | undefined;
};

/**
 * Returns the account that a request below {@linkcode CONTROL_PREFIX} is about; undefined for a request of S3. Without the
 * header, only the gateway's own account counts as a label: other numbers may be buckets in virtual-host style.
 *
 * @param own The number of the gateway's account.
 */
export function claimedAccount(
  { host, headers, virtual }: Addressed,
  own: string | undefined,
): ClaimedAccount | undefined {
  if (virtual !== undefined && !isAccountId(virtual)) return undefined;
  const [first = "", ...rest] = host.split(".", 2);
  const label = rest.length > 0 && isAccountId(first) ? first : undefined;
  const header = headers.get("x-amz-account-id");
  if (header === null) return label !== undefined && label === own ? { account: own } : undefined;
  return { account: label === undefined || label === header ? header : undefined };
}
