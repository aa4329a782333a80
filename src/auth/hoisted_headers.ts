/**
 * Headers that a presigned URL carries in its query. SDKs put them there so that the user of the URL need not send them.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 *
 * The checksums of a URL are ignored, as AWS ignores them: the JavaScript SDK hoists the CRC-32 of the empty body that it
 * had when it signed (https://github.com/localstack/localstack/issues/12169).
 *
 * Nothing here returns the runtime's `Headers`: iterating over 4,000 of them takes three seconds, and an unsigned URL may
 * name as many.
 * @module
 */

import { Buffer } from "node:buffer";
import { S3Error } from "../s3/errors.ts";
import type { Query } from "../s3/request.ts";
import { readHeaders, type RequestHeaders } from "../s3/request_headers.ts";

/** The signature's own parameters, which are not headers. */
const AUTHENTICATION = /^x-amz-(?:algorithm|credential|date|expires|signedheaders|signature)$/;
const CHECKSUM = /^x-amz-(?:checksum-|sdk-)/;

/**
 * Returns the headers of a request together with those in its query; a header that was sent wins.
 *
 * @param names Lower-case names of further headers, in addition to `x-amz-*`.
 */
export function withHoistedHeaders(
  headers: RequestHeaders,
  query: Query,
  names: readonly string[] = [],
): RequestHeaders {
  let all: Headers | undefined;
  for (const [name, value] of query) {
    const header = name.toLowerCase();
    if (!header.startsWith("x-amz-") && !names.includes(header)) continue;
    if (AUTHENTICATION.test(header)) continue;
    try {
      if (headers.has(header)) continue;
      all ??= new Headers([...headers]);
      all.set(header, Buffer.from(value).toString("latin1"));
    } catch (cause) {
      throw new S3Error("InvalidArgument", { ArgumentName: name }, {
        message: "A query parameter that stands for a header is not a valid header",
        cause,
      });
    }
  }
  return all === undefined ? headers : readHeaders(all);
}

/** Returns the headers without checksums that only the query carries. */
export function withoutHoistedChecksums(
  all: RequestHeaders,
  sent: RequestHeaders,
): RequestHeaders {
  if (all === sent) return all;
  return readHeaders(
    new Headers([...all].filter(([name]) => !CHECKSUM.test(name) || sent.has(name))),
  );
}
