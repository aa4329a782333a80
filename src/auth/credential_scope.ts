/**
 * The credential of AWS Signature Version 4, and its scope: day, region and service.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 * @module
 */

import type { S3Error } from "../s3/errors.ts";
import type { S3Request } from "../s3/request.ts";
import { ANY_REGION, isRegionName } from "../s3/region.ts";
import { formatAmzDate } from "./request_time.ts";

/** The service that requests are signed for, except those of STS. */
export const SERVICE = "s3";
/** The end of every scope. */
export const TERMINATOR = "aws4_request";

/** `20130524/us-east-1/s3/aws4_request` */
export function formatScope(day: string, region: string, service: string = SERVICE): string {
  return `${day}/${region}/${service}/${TERMINATOR}`;
}

/** Returns the service that a request says it is signed for; undefined if it names none. */
export function claimedService(
  { headers, query }: Pick<S3Request, "headers" | "query">,
): string | undefined {
  const text = headers.get("authorization") ?? query.get("X-Amz-Credential") ?? "";
  const end = text.indexOf(`/${TERMINATOR}`);
  const start = text.lastIndexOf("/", end - 1) + 1;
  return end > 0 && start > 0 ? text.slice(start, end) : undefined;
}

/** Creates the error for a malformed header or query. */
export type Complaint = (reason: string, fields?: Record<string, string>) => S3Error;

/** A credential: who signed a request, and for which region. */
export type Credential = { readonly accessKeyId: string; readonly region: string };

/** The regions that requests may be signed for. */
export type AcceptedRegions = {
  /** The region of buckets without a location, or {@linkcode ANY_REGION}. */
  readonly region: string;
  /** Locations that buckets may have; none by default. */
  readonly locations?: readonly string[];
};

/** Returns whether a request may be signed for this region. */
export function accepts({ region, locations = [] }: AcceptedRegions, name: string): boolean {
  if (region === ANY_REGION) return isRegionName(name);
  return name === region || locations.includes(name);
}

/**
 * Checks a credential, `<access key id>/20130524/us-east-1/s3/aws4_request`.
 *
 * @param date When the request was signed; the scope names its day.
 * @param accepted The regions to accept.
 * @param endpoint The service to accept.
 */
export function parseCredential(
  text: string,
  date: Date,
  accepted: AcceptedRegions,
  complain: Complaint,
  endpoint: string = SERVICE,
): Credential {
  // From the end, because an access key id may contain slashes.
  const match = /^(.*)\/([^/]*)\/([^/]*)\/([^/]*)\/([^/]*)$/.exec(text);
  if (match === null) {
    throw complain(
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  const [, accessKeyId = "", day = "", region = "", service, terminator] = match;
  if (accessKeyId === "") {
    throw complain("a non-empty Access Key (AKID) must be provided in the credential.");
  }
  if (!/^\d{8}$/.test(day)) {
    throw complain(
      `incorrect date format "${day}". This date in the credential must be in the format "yyyyMMdd".`,
    );
  }
  if (!accepts(accepted, region)) {
    const { region: expected } = accepted;
    if (expected === ANY_REGION) {
      throw complain(`the region '${region}' is not the name of a region`);
    }
    throw complain(`the region '${region}' is wrong; expecting '${expected}'`, {
      Region: expected,
    });
  }
  if (service !== endpoint) {
    throw complain(`incorrect service "${service}". This endpoint belongs to "${endpoint}".`);
  }
  if (terminator !== TERMINATOR) {
    throw complain(`incorrect terminal "${terminator}". This endpoint uses "${TERMINATOR}".`);
  }
  const signed = formatAmzDate(date).slice(0, 8);
  if (day !== signed) {
    throw complain(
      `Invalid credential date "${day}". This date is not the same as X-Amz-Date: "${signed}".`,
    );
  }
  return { accessKeyId, region };
}
