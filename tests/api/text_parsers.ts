/**
 * Every parser of text from clients, with its delimiters: `hostile_text_test.ts` gives each of them hostile texts, and
 * fails for an exported parser that is missing here.
 * @module
 */

import { createPayload } from "../../src/auth/body.ts";
import {
  canonicalHeaders,
  canonicalQuery,
  canonicalUri,
} from "../../src/auth/canonical_request.ts";
import { parseCredential } from "../../src/auth/credential_scope.ts";
import { createCredentials } from "../../src/auth/credentials.ts";
import { withHoistedHeaders } from "../../src/auth/hoisted_headers.ts";
import { verifyPresigned } from "../../src/auth/presigned.ts";
import { parseAmzDate, readRequestTime } from "../../src/auth/request_time.ts";
import { parseSignedHeaders } from "../../src/auth/signed_headers.ts";
import { verifySigV2Header, verifySigV2Presigned } from "../../src/auth/sigv2.ts";
import { parseGroupArn, parsePolicyArn, parseUserArn } from "../../src/iam/arns.ts";
import { checkAlias, checkName, checkPath } from "../../src/iam/entity_names.ts";
import { addTags } from "../../src/iam/entity_tags.ts";
import { rootOf } from "../../src/iam/principal.ts";
import { checkDocument } from "../../src/iam/policy_documents.ts";
import { parsePage } from "../../src/operations/iam/pages.ts";
import { Parameters } from "../../src/operations/iam/parameters.ts";
import { parseHolder, parseUser } from "../../src/operations/iam/resources.ts";
import { parseAcl } from "../../src/s3/acl.ts";
import { parseAsOf } from "../../src/s3/as_of.ts";
import { type Verifier, verifyHeader } from "../../src/auth/sigv4.ts";
import { createSigningKeys } from "../../src/auth/signing_keys.ts";
import {
  parseChecksumAlgorithm,
  parseChecksumHeader,
  parseChecksumTrailer,
  parseUploadChecksum,
} from "../../src/s3/checksum_headers.ts";
import {
  parseDate,
  parseReadPrecondition,
  parseWritePrecondition,
} from "../../src/s3/conditions.ts";
import { parseContinuationToken } from "../../src/s3/continuation_token.ts";
import { parseCopySource } from "../../src/s3/copy_source.ts";
import { findRule, parseCors } from "../../src/s3/cors.ts";
import { parseLogging } from "../../src/s3/logging.ts";
import { S3Error } from "../../src/s3/errors.ts";
import { parseETag, parseETagList } from "../../src/s3/etag.ts";
import { TrustedProxies } from "../../src/s3/forwarded.ts";
import { decodeHeaderText } from "../../src/s3/header_text.ts";
import { parseContentMD5, parseIntegrity } from "../../src/s3/integrity.ts";
import { parseProperties } from "../../src/s3/metadata.ts";
import {
  type BucketName,
  parseBucketName,
  parseObjectKey,
  parsePartNumber,
  parseUploadId,
} from "../../src/s3/names.ts";
import { parseIpAddress, parseNetwork } from "../../src/s3/networks.ts";
import { parsePublicAccessBlock } from "../../src/s3/public_access_block.ts";
import { encodingParam, integerParam, prefixParam } from "../../src/s3/params.ts";
import { parseProtection, parseTime } from "../../src/s3/protections.ts";
import { parseCopyRange, parseRange } from "../../src/s3/range.ts";
import {
  parseClientToken,
  parseRenamePrecondition,
  parseRenameSource,
} from "../../src/s3/rename.ts";
import {
  decodePercent,
  parseQuery,
  parseQueryPairs,
  parseRequest,
  parseSiteRequest,
} from "../../src/s3/request.ts";
import { parseLifecycle } from "../../src/s3/lifecycle_document.ts";
import type { RequestHeaders } from "../../src/s3/request_headers.ts";
import { parseTaggedBucket } from "../../src/s3/resource_arn.ts";
import {
  parseBypass,
  parseLegalHold,
  parseLockConfiguration,
  parseLockHeaders,
  parseRetention,
} from "../../src/s3/stated_lock.ts";
import { BUCKET_TAGS, parseTagging, parseTagRequest, parseTagSet } from "../../src/s3/tags.ts";
import { parsePolicy } from "../../src/s3/policy.ts";
import { parseVersionId } from "../../src/s3/version_id.ts";
import { parseVersionMarker } from "../../src/s3/version_listing.ts";
import { parseWebsite } from "../../src/s3/website.ts";
import { parseXml } from "../../src/s3/xml_reader.ts";
import { EXAMPLE, s3Request, SCOPE, TIMESTAMP } from "../vectors/client.ts";

const LOCK_MODE = "x-amz-object-lock-mode";
const LOCK_UNTIL = "x-amz-object-lock-retain-until-date";

/** Creates headers with characters that the runtime's `Headers` would refuse, such as a carriage return. */
export function headersOf(values: Readonly<Record<string, string>>): RequestHeaders {
  const map = new Map(Object.entries(values));
  return {
    get: (name) => map.get(name) ?? null,
    has: (name) => map.has(name),
    keys: () => map.keys(),
    [Symbol.iterator]: () => map[Symbol.iterator](),
  };
}

const ROOT = rootOf("000000000000", { isAdmin: false });

/** A parser, and the texts that might trouble it. */
export type Row = {
  readonly parse: (text: string) => unknown;
  /** The parser's own delimiters. */
  readonly units: readonly string[];
  /** Beginning and end of a text that the parser accepts. */
  readonly around?: readonly [begin: string, end: string];
  /** The permitted outcomes, each of which must occur. */
  readonly outcomes: readonly string[];
};

/** Parsers of headers, parameters and paths. */
export const HEADERS: Readonly<Record<string, Row>> = {
  "Range": {
    parse: (text) => parseRange(text, 10),
    units: ["bytes=", "=", "-", ",", "0"],
    around: ["bytes=0-", "1"],
    outcomes: ["taken"],
  },
  "x-amz-copy-source-range": {
    parse: (text) => parseCopyRange(text, 10),
    units: ["bytes=", "=", "-", "0"],
    around: ["bytes=0", "-1"],
    outcomes: ["InvalidArgument", "taken"],
  },
  "a time to look back to": {
    parse: (text) => parseAsOf(text, undefined),
    units: ["-", ":", ".", "T", "Z", "0"],
    around: ["2026-01-31T09:30:00.0", "Z"],
    outcomes: ["InvalidArgument"],
  },
  "If-Match": {
    parse: (text) => parseETagList(text),
    units: [",", '"', "W/", 'W/"', '",', "*"],
    around: ['"', '"'],
    outcomes: ["taken"],
  },
  "If-Modified-Since": {
    parse: (text) => parseReadPrecondition(headersOf({ "if-modified-since": text })),
    units: [",", ":", "(", "()", "0", "-"],
    around: ["Fri, ", " 24 May 2013 00:00:00 GMT"],
    outcomes: ["taken"],
  },
  "If-None-Match of a write": {
    parse: (text) => parseWritePrecondition(headersOf({ "if-none-match": text })),
    units: [",", '"', "W/", "*"],
    around: ['"', '"'],
    outcomes: ["NotImplemented"],
  },
  "x-amz-copy-source": {
    parse: parseCopySource,
    units: ["/", "?", "?versionId=", "%2F", "%", "arn:"],
    around: ["bucket/key", "?versionId=null"],
    outcomes: ["InvalidArgument", "KeyTooLongError", "NotImplemented"],
  },
  "a bucket policy": {
    parse: parsePolicy,
    units: ["{", "[", '{"Statement":[', '"\\u0000",', " "],
    around: ['{"Version":"2012-10-17","Statement":', "}"],
    outcomes: ["MalformedPolicy", "taken"],
  },
  "x-amz-tagging": {
    parse: parseTagging,
    units: ["&", "=", "a&", "a=b&", "%20", "%"],
    around: ["a=", "b"],
    outcomes: ["InvalidArgument", "InvalidTag", "taken"],
  },
  "the ARN of a resource": {
    parse: (text) => parseTaggedBucket(`tags/${text}`, "000000000000"),
    units: [":", "/", "arn:", "s3:", "a"],
    around: ["arn:aws:s3:::", ":"],
    outcomes: ["InvalidURI"],
  },
  "x-amz-meta-*": {
    parse: (text) =>
      parseProperties({
        headers: headersOf({ "x-amz-meta-a": text, "content-type": text }),
        target: { on: "service" },
      }, { encryptionAtRest: false }),
    units: [",", "=?UTF-8?B?", "\u00c3\u00a9"],
    around: ["=?UTF-8?Q?", "?="],
    outcomes: ["MetadataTooLarge"],
  },
  "text in a header": {
    parse: decodeHeaderText,
    units: ["=?", "\u00c3", "\u00c3\u00a9"],
    outcomes: ["taken"],
  },
  "Content-MD5": { parse: parseContentMD5, units: ["=", "A", "+"], outcomes: ["InvalidDigest"] },
  "x-amz-checksum-*": {
    parse: (text) => parseChecksumHeader(headersOf({ "x-amz-checksum-crc32": text })),
    units: ["=", "A", "-", "-1"],
    around: ["AAAAAA==", "-1"],
    outcomes: ["InvalidRequest"],
  },
  "x-amz-trailer": {
    parse: (text) => parseIntegrity(headersOf({ "x-amz-trailer": text })),
    units: [",", "a,", "x-amz-checksum-"],
    around: ["x-amz-checksum-crc32", ","],
    outcomes: ["InvalidRequest", "taken"],
  },
  "x-amz-content-sha256 and Content-Encoding": {
    parse: (text) =>
      createPayload(
        headersOf({
          "content-encoding": text,
          "x-amz-decoded-content-length": "0",
          "x-amz-trailer": text,
        }),
        null,
        "UNSIGNED-PAYLOAD",
        undefined,
      ),
    units: [",", "aws-chunked", "aws-chunked ", ", ,"],
    around: [",aws-chunked", ","],
    outcomes: ["InvalidRequest", "taken"],
  },
  "X-Forwarded-For": {
    parse: (text) =>
      new TrustedProxies(["10.0.0.0/8"]).originOf(
        "10.0.0.1",
        headersOf({ "x-forwarded-for": text, "x-forwarded-host": text, "x-forwarded-proto": text }),
      ),
    units: [",", "10.0.0.1,", "[", "]", ":", "[::1]:", "1."],
    around: ["[::1]", ":80"],
    outcomes: ["taken"],
  },
  "an IP address": {
    parse: (text) => parseIpAddress(text) ?? parseNetwork(text),
    units: [":", ".", "0", "::", "1.", "f:", "/"],
    around: ["2001:db8::192.0.2.1/", "32"],
    outcomes: ["taken"],
  },
  "a query": {
    parse: parseQuery,
    units: ["&", "=", "+", "%20", "%", "a&"],
    around: ["a=", "&b"],
    outcomes: ["InvalidURI", "taken"],
  },
  "a continuation token": {
    parse: parseContinuationToken,
    units: ["=", "A", "_"],
    outcomes: ["InvalidArgument"],
  },
  "an integer": {
    parse: (text) => integerParam(new Map([["n", text]]), "n", { max: 10, default: 1 }),
    units: ["-", "0", "1"],
    around: ["-", "1"],
    outcomes: ["InvalidArgument"],
  },
  "a prefix": {
    parse: (text) => prefixParam(new Map([["prefix", text]])),
    units: ["/"],
    outcomes: ["InvalidArgument"],
  },
  "a version id": {
    parse: (text) => parseVersionId(text),
    units: ["-", "a", "."],
    outcomes: ["InvalidArgument"],
  },
  "a version-id-marker": {
    parse: parseVersionMarker,
    units: ["-", "0", "null"],
    around: ["0000000001", "null"],
    outcomes: ["InvalidArgument"],
  },
  "x-amz-object-lock-mode": {
    parse: (text) =>
      parseLockHeaders(headersOf({ [LOCK_MODE]: text, [LOCK_UNTIL]: "2030-01-01T00:00:00Z" })),
    units: ["GOVERNANCE", "COMPLIANCE"],
    outcomes: ["InvalidArgument"],
  },
  "x-amz-object-lock-retain-until-date": {
    parse: (text) => parseLockHeaders(headersOf({ [LOCK_MODE]: "GOVERNANCE", [LOCK_UNTIL]: text })),
    units: ["0", "1", ":", "-", "2030-01-01T00:00:00.0"],
    around: ["2030-01-01T00:00:00.", "Z"],
    outcomes: ["InvalidArgument"],
  },
  "x-amz-bypass-governance-retention": {
    parse: (text) => parseBypass(headersOf({ "x-amz-bypass-governance-retention": text })),
    units: ["true"],
    outcomes: ["taken"],
  },
  "a bucket's name": {
    parse: parseBucketName,
    units: [".", "-", "a.", "a"],
    outcomes: ["InvalidBucketName"],
  },
  "a key": { parse: parseObjectKey, units: ["/", "../"], outcomes: ["KeyTooLongError"] },
  "an upload id": { parse: parseUploadId, units: ["-", "a"], outcomes: ["NoSuchUpload"] },
  "an upload's part": {
    parse: parsePartNumber,
    units: ["-", "0", "1"],
    outcomes: ["InvalidArgument"],
  },
  "an ETag": {
    parse: parseETag,
    units: ['"', "W/", "-1"],
    around: ['"', '"'],
    outcomes: ["taken"],
  },
  "a date": { parse: parseDate, units: [",", ":", "(", "()", "0"], outcomes: ["taken"] },
  "a time to protect": {
    parse: (text) => (parseProtection(undefined, text), parseTime("a", text)),
    units: [",", ":", "(", "0", "-"],
    outcomes: ["InvalidArgument", "taken"],
  },
  "a size to protect": {
    parse: (text) => parseProtection(text, undefined),
    units: ["0", "-"],
    outcomes: ["InvalidArgument"],
  },
  "x-amz-checksum-algorithm": {
    parse: (text) => {
      parseUploadChecksum(
        headersOf({ "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": text }),
      );
      parseChecksumAlgorithm(text);
    },
    units: ["CRC", "_"],
    outcomes: ["InvalidRequest"],
  },
  "a checksum in x-amz-trailer": {
    parse: (text) => parseChecksumTrailer(headersOf({ "x-amz-trailer": text })),
    units: [",", "a,", "x-amz-checksum-", "x-amz-checksum-,"],
    around: ["x-amz-checksum-crc32", ","],
    outcomes: ["InvalidRequest", "taken"],
  },
  "encoding-type": {
    parse: (text) => encodingParam(new Map([["encoding-type", text]])),
    units: ["url"],
    outcomes: ["InvalidArgument"],
  },
  "x-amz-rename-source": {
    parse: (text) => parseRenameSource(text, "b" as BucketName),
    units: ["/", "b/", "%2F", "%"],
    around: ["/b/", "k"],
    outcomes: ["InvalidArgument", "InvalidRequest", "KeyTooLongError"],
  },
  "x-amz-rename-source-if-match": {
    parse: (text) => parseRenamePrecondition(headersOf({ "x-amz-rename-source-if-match": text })),
    units: [",", '"', '",'],
    around: ['"', '"'],
    outcomes: ["taken"],
  },
  "x-amz-client-token": {
    parse: parseClientToken,
    units: ["-", "\u00c3\u00a9"],
    outcomes: ["InvalidArgument"],
  },
  "percent-encoded text": {
    parse: decodePercent,
    units: ["%", "%2", "%20", "%C3%A9"],
    outcomes: ["InvalidURI", "taken"],
  },
  "a repeated query": {
    parse: parseQueryPairs,
    units: ["&", "a&", "a=&", "%61=1&"],
    outcomes: ["taken"],
  },
  "a path": {
    parse: (text) => {
      parseSiteRequest(requestAt(`http://localhost/${text}`), () => "site");
      parseRequest(requestAt(`http://localhost/${text}`), []);
    },
    units: ["/", "../", "%2F", "%", "?", "#", "&"],
    around: ["bucket/", "/"],
    outcomes: ["InvalidURI", "KeyTooLongError", "taken"],
  },
  "Host": {
    parse: (text) => parseRequest(requestAt(`http://${text}/`), ["s3.test", "test"]),
    units: [".", ":", "@", "[", "s3.test", ".test"],
    around: ["bucket.", ".s3.test:80"],
    outcomes: ["InvalidBucketName", "InvalidRequest", "taken"],
  },
  "parameters of IAM": {
    parse(text) {
      const parameters = new Parameters(new Map([["UserName", text], ["Arn", `arn:${text}`]]));
      parameters.arn("Arn");
      parseHolder(parameters, ROOT);
      parseUser(parameters, ROOT);
    },
    units: ["a", ".", "=", ":", "/"],
    around: ["a", "@"],
    outcomes: ["ValidationError"],
  },
  "a marker of IAM": {
    parse: (text) => parsePage(new Parameters(new Map([["Marker", text], ["MaxItems", "1"]]))),
    units: ["=", "A", "_", "-"],
    outcomes: ["InvalidInput", "taken"],
  },
  "an ARN of IAM": {
    parse: (text) => [parseGroupArn, parsePolicyArn, parseUserArn].map((parse) => parse(text)),
    units: [":", "/", "arn:", "user/"],
    around: ["arn:aws:iam::aws:policy/", "a"],
    outcomes: ["taken"],
  },
  "names and paths of IAM": {
    parse(text) {
      for (const check of [checkAlias, checkName.bind(undefined, "userName"), checkPath]) {
        check(text);
      }
    },
    units: ["a", "/", "-", "a-", "+="],
    around: ["/", "/"],
    outcomes: ["ValidationError"],
  },
  "a path of IAM": {
    parse: (text) => checkPath(text),
    units: ["/", "a/", "!"],
    around: ["/", "/"],
    outcomes: ["ValidationError"],
  },
  "a tag of IAM": {
    parse: (text) => (addTags(new Map(), [{ key: "a", value: text }]), text),
    units: ["a", "=", "@", "\u00e9"],
    outcomes: ["ValidationError"],
  },
  "a policy of IAM": {
    parse: checkDocument,
    units: ["{", "[", '{"Statement":[', '"\\u0000",', " "],
    around: ['{"Version":"2012-10-17","Statement":', "}"],
    outcomes: ["ValidationError"],
  },
  "Origin": {
    parse: (text) => findRule(RULES, { origin: text, method: "GET", headers: [text] }),
    units: ["*", ".", "http://"],
    around: ["http://", ".example.com"],
    outcomes: ["taken"],
  },
  "Authorization of SigV4": {
    parse: (text) => verifyHeader(signedBy(`AWS4-HMAC-SHA256 ${text}`), VERIFIER),
    units: [",", "=", "a=b,", "Signature=", "Credential=", "/", ";"],
    around: [`Credential=a/${SCOPE}, SignedHeaders=host;`, ", Signature=0"],
    outcomes: ["AuthorizationHeaderMalformed"],
  },
  "Authorization of SigV2": {
    parse: (text) => verifySigV2Header(signedBy(`AWS ${text}`), VERIFIER),
    units: [":", "AWS ", "="],
    around: ["a:", "="],
    outcomes: ["InvalidAccessKeyId", "InvalidArgument"],
  },
  "a URL of SigV4": {
    parse: (text) => verifyPresigned(s3Request({ query: text }), VERIFIER),
    units: ["&", "=", "%3B", ";", "%2F", "X-Amz-Expires=1&"],
    around: [
      `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/${SCOPE}&X-Amz-Date=${TIMESTAMP}&` +
      "X-Amz-Expires=60&X-Amz-Signature=0&X-Amz-SignedHeaders=host;",
      "a",
    ],
    outcomes: ["AuthorizationQueryParametersError"],
  },
  "a URL of SigV2": {
    parse: (text) => {
      const request = s3Request({ query: text });
      return verifySigV2Presigned(request, request.headers, VERIFIER);
    },
    units: ["&", "=", "uploadId=", "x&"],
    around: ["AWSAccessKeyId=a&Expires=2000000000&Signature=0&uploadId=", "a"],
    outcomes: ["AccessDenied", "InvalidAccessKeyId"],
  },
  "a credential": {
    parse: (text) => parseCredential(text, EXAMPLE.now, EXAMPLE, complain),
    units: ["/", "a/", "//"],
    around: ["a", `/${SCOPE}`],
    outcomes: ["AccessDenied", "taken"],
  },
  "SignedHeaders": {
    parse: (text) => parseSignedHeaders(text, complain),
    units: [";", "a;", "-"],
    around: ["host;", ";x-amz-date"],
    outcomes: ["AccessDenied", "taken"],
  },
  "x-amz-date": {
    parse: (text) => (parseAmzDate(text), readRequestTime(headersOf({ date: text }))),
    units: ["0", "T", "Z", "(", "()", ",", ":", "-"],
    around: ["2013", "Z"],
    outcomes: ["AccessDenied", "taken"],
  },
  "the canonical path and query": {
    parse: (text) => canonicalUri(`/${text}`) + canonicalQuery(text),
    units: ["/", "%", "%2", "%2F", "%7e", "&", "=", "+", "a&", "!"],
    outcomes: ["taken"],
  },
  "canonical headers": {
    parse: (text) =>
      canonicalHeaders(
        ["content-encoding", "a"],
        headersOf({ "content-encoding": text, a: text }),
        "h",
        ",",
      ),
    units: [",", ", ", " ,", "a "],
    outcomes: ["taken"],
  },
  "headers in a query": {
    parse: (text) => withHoistedHeaders(headersOf({}), parseQuery(text), ["content-type"]),
    units: ["x-amz-meta-a=&", "x-amz-=", "X-AMZ-META-%61=1&"],
    around: ["x-amz-meta-a=", "b"],
    outcomes: ["InvalidArgument", "taken"],
  },
};

const RULES = parseCors(
  "<CORSConfiguration><CORSRule><AllowedOrigin>http://*.example.com</AllowedOrigin>" +
    "<AllowedMethod>GET</AllowedMethod><AllowedHeader>x-*</AllowedHeader></CORSRule></CORSConfiguration>",
);

const VERIFIER: Verifier = {
  credentials: createCredentials(EXAMPLE.accessKeyId, EXAMPLE.secretAccessKey),
  region: EXAMPLE.region,
  clockSkew: 300_000,
  now: EXAMPLE.now,
  signingKeys: createSigningKeys(),
};

function complain(reason: string): S3Error {
  return new S3Error("AccessDenied", {}, { message: reason });
}

function requestAt(url: string): Request {
  return Object.defineProperty(new Request("http://localhost/"), "url", { value: url });
}

function signedBy(authorization: string) {
  const values = {
    authorization,
    "x-amz-date": TIMESTAMP,
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
  };
  return { ...s3Request(), headers: headersOf(values) };
}

/** Most tags of the documents below. */
const MAX_TAGS = 20_000;

/** Parsers of documents, by the root element that they expect. */
export const DOCUMENTS: Readonly<Record<string, (text: string) => unknown>> = {
  R: (text) => parseXml(text, "R", MAX_TAGS),
  AccessControlPolicy: parseAcl,
  BucketLoggingStatus: parseLogging,
  LegalHold: parseLegalHold,
  LifecycleConfiguration: (text) => parseLifecycle(text, () => "id"),
  ObjectLockConfiguration: parseLockConfiguration,
  PublicAccessBlockConfiguration: parsePublicAccessBlock,
  Retention: parseRetention,
  CORSConfiguration: parseCors,
  TagResourceRequest: parseTagRequest,
  Tagging: (text) => parseTagSet(text, BUCKET_TAGS),
  WebsiteConfiguration: parseWebsite,
};

/** Exported parsers that are not in these tables, and why. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  canonicalRequest: "it joins what parsers of this table return",
  decodeAwsChunked: "hostile_text_test.ts reads trailing headers with it, through createPayload()",
  parseCopyRead: "it combines parsers of this table",
  parseCredentials: "the operator writes the file",
  versionIdParam: "it calls parseVersionId()",
  parseKeptLifecycle: "it reads what one of these parsers has made",
  parseRule: "parseLifecycle() calls it with what it has parsed",
  parseMinimumSize: "it compares with two texts",
  parseKeptLock: "it reads what one of these parsers has made",
  parseOrdinal: "parseVersionId() calls it with the same text",
  parseFraming: "createPayload() calls it with the same text",
  parseObjectRead: "it combines parsers of this table",
  parseTimedRead: "it combines parsers of this table",
  readTime: "parseAsOf() calls it with the same text",
  parseTags: "parseTagSet() calls it with what it has parsed",
  readBucketTags: "it reads from the store",
  readCopySource: "it reads from the store",
  readDocument: "it reads the bytes that the parsers of documents parse",
  readHeaders: "it copies the headers",
  readVersionId: "parseVersionId() calls it with the same text",
  readTags: "it reads from the store",
  verifyReceived: "it compares values that are parsed already",
};
