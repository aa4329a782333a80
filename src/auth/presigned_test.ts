import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { EXAMPLE, presigned, s3Request } from "../../tests/vectors/client.ts";
import { isS3Error, type S3Error } from "../s3/errors.ts";
import type { S3Request } from "../s3/request.ts";
import { createCredentials } from "./credentials.ts";
import { isPresigned, verifyPresigned } from "./presigned.ts";
import type { Verifier } from "./sigv4.ts";
import { createSigningKeys } from "./signing_keys.ts";
import vectors from "../../tests/vectors/sigv4_requests.json" with { type: "json" };

const VERIFIER: Verifier = {
  credentials: createCredentials(EXAMPLE.accessKeyId, EXAMPLE.secretAccessKey),
  region: EXAMPLE.region,
  clockSkew: 300_000,
  now: EXAMPLE.now,
  signingKeys: createSigningKeys(),
};

const at = (now: string): Verifier => ({ ...VERIFIER, now: new Date(now) });

function refusal(request: S3Request, verifier = VERIFIER): S3Error {
  try {
    verifyPresigned(request, verifier);
  } catch (error) {
    if (isS3Error(error)) return error;
    throw error;
  }
  throw new TypeError("It was not refused");
}

for (const vector of vectors.presigned) {
  Deno.test(`verifyPresigned() accepts AWS's example: ${vector.name}`, () => {
    const request = (signature: string): S3Request =>
      s3Request({ ...vector, headers: {}, query: `${vector.query}&X-Amz-Signature=${signature}` });
    strictEqual(isPresigned(request(vector.signature).query), true);
    const { accessKeyId, payloadHash } = verifyPresigned(request(vector.signature), VERIFIER);
    strictEqual(accessKeyId, EXAMPLE.accessKeyId);
    strictEqual(payloadHash, "UNSIGNED-PAYLOAD");
    strictEqual(
      refusal(request(vector.signature.replace(/^a/, "b"))).code,
      "SignatureDoesNotMatch",
    );
  });
}

Deno.test("verifyPresigned() honours X-Amz-Expires to the second", () => {
  const request = presigned({}, { expires: "60" });
  verifyPresigned(request, at("2013-05-24T00:01:00Z"));
  const error = refusal(request, at("2013-05-24T00:01:01Z"));
  strictEqual(error.code, "AccessDenied");
  strictEqual(error.message, "Request has expired");
  deepStrictEqual(error.fields, {
    "X-Amz-Expires": 60,
    Expires: "2013-05-24T00:01:00Z",
    ServerTime: "2013-05-24T00:01:01Z",
  });
  verifyPresigned(presigned({}, { expires: "604800" }), at("2013-05-31T00:00:00Z"));
});

Deno.test("verifyPresigned() refuses a URL that was signed in the future, beyond the skew", () => {
  verifyPresigned(presigned({}), at("2013-05-23T23:55:00Z"));
  const error = refusal(presigned({}), at("2013-05-23T23:54:59Z"));
  strictEqual(error.code, "AccessDenied");
  strictEqual(error.message, "Request is not yet valid");
});

Deno.test("verifyPresigned() refuses malformed parameters", () => {
  const missing =
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, " +
    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
  const week =
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be " +
    "less than 604800 seconds";
  const without = (name: string): S3Request => {
    const query = presigned({}).rawQuery.split("&").filter((pair) => !pair.startsWith(name));
    return s3Request({ query: query.join("&") });
  };
  const withSignedHeaders = (names: string): S3Request =>
    s3Request({
      query: presigned({}).rawQuery.replace(
        "X-Amz-SignedHeaders=host",
        `X-Amz-SignedHeaders=${names}`,
      ),
    });
  const credential = "Error parsing the X-Amz-Credential parameter; ";
  const cases: [request: S3Request, message: string][] = [
    [without("X-Amz-Algorithm"), missing],
    [without("X-Amz-Credential"), missing],
    [without("X-Amz-Date"), missing],
    [without("X-Amz-Expires"), missing],
    [without("X-Amz-SignedHeaders"), missing],
    [without("X-Amz-Signature"), missing],
    [
      s3Request({ query: "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256" }),
      'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"',
    ],
    [presigned({}, { expires: "soon" }), "X-Amz-Expires should be a number"],
    [presigned({}, { expires: "1.5" }), "X-Amz-Expires should be a number"],
    [presigned({}, { expires: "-1" }), "X-Amz-Expires must be non-negative"],
    [presigned({}, { expires: "0" }), "X-Amz-Expires must be at least 1 second"],
    [presigned({}, { expires: "604801" }), week],
    [presigned({}, { expires: "9".repeat(40) }), week],
    [withSignedHeaders("host%3Bhost"), "SignedHeaders names a header more than once."],
    [withSignedHeaders("host;range;HOST"), "SignedHeaders names a header more than once."],
    [
      presigned({}, { timestamp: "2013-05-24" }),
      `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`,
    ],
    [
      presigned({}, { scope: "20130524/eu-west-1/s3/aws4_request" }),
      `${credential}the region 'eu-west-1' is wrong; expecting 'us-east-1'`,
    ],
    [
      presigned({}, { scope: "20130524/us-east-1/sts/aws4_request" }),
      `${credential}incorrect service "sts". This endpoint belongs to "s3".`,
    ],
    [
      presigned({}, { scope: "x" }),
      `${credential}the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`,
    ],
  ];
  for (const [request, message] of cases) {
    const error = refusal(request);
    strictEqual(error.code, "AuthorizationQueryParametersError", message);
    strictEqual(error.message, message);
  }
});

Deno.test("verifyPresigned() refuses an unsigned x-amz-* header", () => {
  const request = presigned({ headers: { "x-amz-acl": "private" } }, { unsigned: ["x-amz-acl"] });
  const error = refusal(request);
  strictEqual(error.code, "AccessDenied");
  strictEqual(error.fields["HeadersNotSigned"], "x-amz-acl");
});

Deno.test("verifyPresigned() signs the payload when the URL says so", () => {
  const payloadHash = "a".repeat(64);
  const inQuery = presigned({ query: `X-Amz-Content-Sha256=${payloadHash}` }, { payloadHash });
  strictEqual(verifyPresigned(inQuery, VERIFIER).payloadHash, payloadHash);
  const inHeader = presigned({ headers: { "x-amz-content-sha256": payloadHash } }, { payloadHash });
  strictEqual(verifyPresigned(inHeader, VERIFIER).payloadHash, payloadHash);
});

Deno.test("verifyPresigned() refuses a changed URL, and unknown access keys", () => {
  const request = presigned({ query: "response-content-type=a%2Fb" });
  const changed = request.rawQuery.replace("a%2Fb", "a%2Fc");
  strictEqual(refusal(s3Request({ query: changed })).code, "SignatureDoesNotMatch");
  strictEqual(refusal({ ...request, method: "PUT" }).code, "SignatureDoesNotMatch");
  strictEqual(refusal({ ...request, rawPath: "/b/other" }).code, "SignatureDoesNotMatch");
  strictEqual(refusal(presigned({}, { accessKeyId: "nobody" })).code, "InvalidAccessKeyId");
});
