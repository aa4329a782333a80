import {
  deepStrictEqual,
  doesNotMatch,
  notStrictEqual,
  strictEqual,
  throws,
} from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  EXAMPLE,
  type RequestInTest,
  s3Request,
  signed,
  type Signer,
} from "../../tests/vectors/client.ts";
import { isS3Error, type S3Error } from "../s3/errors.ts";
import type { S3Request } from "../s3/request.ts";
import { formatScope } from "./credential_scope.ts";
import { createCredentials, identityOf } from "./credentials.ts";
import { sign, stringToSign, type Verifier, verifyHeader } from "./sigv4.ts";
import { createSigningKeys, signingKey } from "./signing_keys.ts";
import chunked from "../../tests/vectors/aws_chunked.json" with { type: "json" };
import vectors from "../../tests/vectors/sigv4_requests.json" with { type: "json" };

const VERIFIER: Verifier = {
  credentials: createCredentials(EXAMPLE.accessKeyId, EXAMPLE.secretAccessKey),
  region: EXAMPLE.region,
  clockSkew: 300_000,
  now: EXAMPLE.now,
  signingKeys: createSigningKeys(),
};

const KEY = signingKey(EXAMPLE.secretAccessKey, "20130524", "us-east-1");

Deno.test("signingKey() matches AWS's example", () => {
  strictEqual(
    Buffer.from(KEY).toString("hex"),
    "dbb893acc010964918f1fd433add87c70e8b0db6be30c1fbeafefa5ec6ba8378",
  );
});

for (const vector of [...vectors.header, ...vectors.presigned, ...chunked.uploads]) {
  Deno.test(`sign() matches AWS's example: ${vector.name}`, () => {
    const text = stringToSign(
      "20130524T000000Z",
      formatScope("20130524", "us-east-1"),
      vector.canonicalRequest,
    );
    strictEqual(text, vector.stringToSign);
    strictEqual(sign(KEY, text), vector.signature);
  });
}

for (const vector of [...vectors.header, ...chunked.uploads]) {
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${EXAMPLE.accessKeyId}/20130524/us-east-1/s3/aws4_request,` +
    `SignedHeaders=${vector.signedHeaders.join(";")},Signature=`;
  const request = (signature: string): S3Request =>
    s3Request({
      ...vector,
      headers: { ...vector.headers, authorization: authorization + signature },
    });

  Deno.test(`verifyHeader() accepts AWS's example: ${vector.name}`, () => {
    const { accessKeyId, payloadHash, signing } = verifyHeader(request(vector.signature), VERIFIER);
    strictEqual(accessKeyId, EXAMPLE.accessKeyId);
    strictEqual(payloadHash, vector.payloadHash);
    strictEqual(signing.seed, vector.signature);
    deepStrictEqual(signing.key, KEY);
  });

  Deno.test(`verifyHeader() refuses AWS's example with one digit changed: ${vector.name}`, () => {
    const last = vector.signature.at(-1) === "0" ? "1" : "0";
    throws(
      () => verifyHeader(request(vector.signature.slice(0, -1) + last), VERIFIER),
      (error) => isS3Error(error, "SignatureDoesNotMatch"),
    );
  });
}

Deno.test("createSigningKeys() caches keys separately", () => {
  const keys = createSigningKeys(2);
  const first = keys("secret", "20130524", "us-east-1");
  strictEqual(keys("secret", "20130524", "us-east-1"), first);
  for (
    const other of [
      keys("secret", "20130525", "us-east-1"),
      keys("secret", "20130524", "us-east-2"),
      keys("Secret", "20130524", "us-east-1"),
      keys("secret", "20130524", "us-east-1", "sts"),
    ]
  ) notStrictEqual(Buffer.from(other).toString("hex"), Buffer.from(first).toString("hex"));
  notStrictEqual(keys("secret", "20130524", "us-east-1"), first); // it was evicted
  deepStrictEqual(keys("secret", "20130524", "us-east-1"), first);
});

/** Headers that clients send in several lines. */
const REPEATED = [
  ["x-amz-object-attributes", "ETag,ObjectSize"],
  ["x-amz-optional-object-attributes", "RestoreStatus,Other"],
  ["content-encoding", "gzip,aws-chunked"],
] as const;

/** Signs a header whose value has commas, and sends it with the blanks that the runtime puts between two lines. */
function spaced(name: string, value: string): RequestInTest {
  const request = signed({ headers: { [name]: value } });
  request.headers.set(name, value.replaceAll(",", ", "));
  return request;
}

Deno.test("verifyHeader() accepts the variations of clients", () => {
  const cases: [what: string, request: S3Request][] = [
    ["a path encoded more than needed", signed({ path: "/b/a~b" })],
    ["a port", signed({ host: "localhost:5222" })],
    ["header values with bytes above 7F", signed({ headers: { "x-amz-meta-a": "\u00c3\u00a9" } })],
    [
      "content-type unsigned",
      signed({ headers: { "content-type": "a/b" } }, { unsigned: ["content-type"] }),
    ],
    [
      "user-agent unsigned",
      signed({ headers: { "user-agent": "a" } }, { unsigned: ["user-agent"] }),
    ],
  ];
  for (const [name, value] of REPEATED) cases.push([`${name} sent twice`, spaced(name, value)]);
  const encoded = signed({ path: "/b/a~b" });
  cases.push(["another encoding on the wire", { ...encoded, rawPath: "/b/%61%7eb" }]);
  const dense = signed({});
  dense.headers.set(
    "authorization",
    (dense.headers.get("authorization") ?? "").replaceAll(", ", ","),
  );
  cases.push(["components without blanks", dense]);

  for (const [what, request] of cases) {
    strictEqual(verifyHeader(request, VERIFIER).accessKeyId, EXAMPLE.accessKeyId, what);
  }
});

Deno.test("verifyHeader() accepts either of two secrets", () => {
  const { principal } = identityOf(EXAMPLE.accessKeyId, VERIFIER.credentials);
  const secrets = ["old", "new"];
  const credentials = { refresh: () => undefined, find: () => ({ secrets, principal }) };
  for (const secretAccessKey of ["old", "new"]) {
    verifyHeader(signed({}, { secretAccessKey }), { ...VERIFIER, credentials });
  }
  throws(
    () => verifyHeader(signed({}, { secretAccessKey: "older" }), { ...VERIFIER, credentials }),
    (error) => isS3Error(error, "SignatureDoesNotMatch"),
  );
});

function refusal(request: S3Request, verifier = VERIFIER): S3Error {
  try {
    verifyHeader(request, verifier);
  } catch (error) {
    if (isS3Error(error)) return error;
    throw error;
  }
  throw new TypeError("It was not refused");
}

function withAuthorization(authorization: string): S3Request {
  return s3Request({
    headers: {
      authorization,
      "x-amz-date": "20130524T000000Z",
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    },
  });
}

Deno.test("verifyHeader() refuses a malformed Authorization header", () => {
  const rest = "SignedHeaders=host, Signature=00";
  const scope = (text: string): string => `AWS4-HMAC-SHA256 Credential=${text}, ${rest}`;
  const cases: [authorization: string, reason: string][] = [
    [
      "AWS4-HMAC-SHA256",
      "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    ],
    [
      "AWS4-HMAC-SHA256 Credential=a",
      "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    ],
    [
      `AWS4-HMAC-SHA256-X Credential=a, ${rest}`,
      "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    ],
    ["AWS4-HMAC-SHA256 A=a, B=b, C=c", "missing Credential."],
    [`AWS4-HMAC-SHA256 Credential=, ${rest}`, "missing Credential."],
    [
      "AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, X=",
      "missing Signature.",
    ],
    [
      scope("a"),
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    ],
    [
      scope("/20130524/us-east-1/s3/aws4_request"),
      "a non-empty Access Key (AKID) must be provided in the credential.",
    ],
    [
      scope("a/2013/us-east-1/s3/aws4_request"),
      'incorrect date format "2013". This date in the credential must be in the format "yyyyMMdd".',
    ],
    [
      scope("a/20130524/eu-west-1/s3/aws4_request"),
      "the region 'eu-west-1' is wrong; expecting 'us-east-1'",
    ],
    [
      scope("a/20130524/us-east-1/ec2/aws4_request"),
      'incorrect service "ec2". This endpoint belongs to "s3".',
    ],
    [
      scope("a/20130524/us-east-1/s3/aws4"),
      'incorrect terminal "aws4". This endpoint uses "aws4_request".',
    ],
    [
      scope("a/20130523/us-east-1/s3/aws4_request"),
      'Invalid credential date "20130523". This date is not the same as X-Amz-Date: "20130524".',
    ],
    [
      `AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws4_request, SignedHeaders=ho st, Signature=0`,
      "SignedHeaders is not a list of header names separated by semicolons.",
    ],
    ...["host;host", "host;range;HOST"].map((names): [string, string] => [
      `AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=0`,
      "SignedHeaders names a header more than once.",
    ]),
  ];
  for (const [authorization, reason] of cases) {
    const { code, message } = refusal(withAuthorization(authorization));
    strictEqual(code, "AuthorizationHeaderMalformed", authorization);
    strictEqual(message, `The authorization header is malformed; ${reason}`, authorization);
  }
});

Deno.test("verifyHeader() accepts any region if none is set, and remembers it", () => {
  const verifier = { ...VERIFIER, region: "*" };
  for (const region of ["garage", "us-east-1", "garage"]) {
    const scope = formatScope("20130524", region);
    const { signing, ...signer } = verifyHeader(signed({}, { scope }), verifier);
    deepStrictEqual([signer.region, signing.scope], [region, scope]);
  }
});

Deno.test("verifyHeader() names the region that it expects", () => {
  const { fields } = refusal(signed({}, { scope: "20130524/eu-west-1/s3/aws4_request" }));
  strictEqual(fields["Region"], "us-east-1");
});

Deno.test("verifyHeader() refuses wrong signatures", () => {
  const tampered = (change: (request: RequestInTest) => Partial<S3Request> | void): S3Request => {
    const request = signed({
      path: "/b/k",
      query: "list-type=2",
      headers: { "x-amz-meta-a": "1", "content-type": "a/b" },
    });
    return { ...request, ...change(request) };
  };
  const cases: [what: string, request: S3Request][] = [
    ["another secret", signed({}, { secretAccessKey: "other" })],
    ["an empty secret", signed({}, { secretAccessKey: "" })],
    ["another method", tampered(() => ({ method: "PUT" }))],
    ["another key", tampered(() => ({ rawPath: "/b/K" }))],
    ["a folded path", tampered(() => ({ rawPath: "/b//k" }))],
    ["another query", tampered(() => ({ rawQuery: "list-type=1" }))],
    ["one more query parameter", tampered(() => ({ rawQuery: "list-type=2&x" }))],
    ["another host", tampered(() => ({ host: "evil" }))],
    ["another value", tampered(({ headers }) => headers.set("x-amz-meta-a", "2"))],
    ["another case", tampered(({ headers }) => headers.set("content-type", "A/b"))],
    ["a header taken away", tampered(({ headers }) => headers.delete("content-type"))],
    ["another time", tampered(({ headers }) => headers.set("x-amz-date", "20130524T000001Z"))],
    [
      "another payload hash",
      tampered(({ headers }) => headers.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD")),
    ],
  ];
  // A blank after a comma is another value, except in headers that clients repeat.
  for (
    const name of [
      ...["x-amz-copy-source", "x-amz-copy-source-if-match", "x-amz-content-sha256"],
      ...["x-amz-tagging", "x-amz-website-redirect-location", "x-amz-meta-a", "if-match"],
      ...["content-disposition", "x-amz-trailer", "x-amz-checksum-crc32", "cache-control"],
    ]
  ) cases.push([`a blank in ${name}`, spaced(name, "/b/a,b")]);
  cases.push(["a blank in host", { ...signed({ host: "a,b" }), host: "a, b" }]);
  for (const [what, request] of cases) {
    strictEqual(refusal(request).code, "SignatureDoesNotMatch", what);
  }
});

Deno.test("verifyHeader() shows the text that it signed without a secret", () => {
  const request = signed({ headers: { "x-amz-meta-a": "\u00c3\u00a9" } }, {
    secretAccessKey: "other",
  });
  const error = refusal(request);
  deepStrictEqual(Object.keys(error.fields), [
    "AWSAccessKeyId",
    "StringToSign",
    "SignatureProvided",
    "StringToSignBytes",
    "CanonicalRequest",
    "CanonicalRequestBytes",
  ]);
  const { StringToSign, StringToSignBytes, CanonicalRequest } = error.fields;
  strictEqual(
    String(StringToSignBytes),
    String(StringToSign).replace(
      /[^]/g,
      (char) => ` ${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
    ).slice(1),
  );
  strictEqual(String(CanonicalRequest).includes("x-amz-meta-a:é\n"), true);
  doesNotMatch(Deno.inspect(error), new RegExp(EXAMPLE.secretAccessKey));
});

Deno.test("verifyHeader() shows at most 16 KiB of a text that it signed", () => {
  const text = "a".repeat(60_000);
  const { fields } = refusal(
    signed({ headers: { "x-amz-meta-a": text } }, { secretAccessKey: "other" }),
  );
  const { CanonicalRequest, CanonicalRequestBytes } = fields;
  strictEqual(String(CanonicalRequest).length, 16_384);
  strictEqual(/^47 45 54 [ 0-9a-f]* 61$/.test(String(CanonicalRequestBytes)), true);
  for (const [name, value] of Object.entries(fields)) {
    strictEqual(String(value).length <= 16_384, true, name);
  }
  const { SignatureProvided } = refusal(signatureOf(text)).fields;
  strictEqual(String(SignatureProvided).length, 16_384);
});

function signatureOf(text: string): S3Request {
  const request = signed({});
  const authorization = request.headers.get("authorization") ?? "";
  request.headers.set("authorization", authorization.replace(/Signature=.*/, `Signature=${text}`));
  return request;
}

/** Returns the headers that were read for a refused request: before the lookup of its access key, and in total. */
function readingsOf(request: S3Request): { early: readonly string[]; all: readonly string[] } {
  const all: string[] = [];
  let early: readonly string[] = [];
  const { headers } = request;
  refusal({
    ...request,
    headers: {
      get: (name) => (all.push(name), headers.get(name)),
      has: (name) => headers.has(name),
      keys: () => headers.keys(),
      [Symbol.iterator]: () => headers[Symbol.iterator](),
    },
  }, {
    ...VERIFIER,
    credentials: {
      refresh: () => undefined,
      find(accessKeyId) {
        early = [...all];
        return VERIFIER.credentials.find(accessKeyId);
      },
    },
  });
  return { early, all };
}

Deno.test("verifyHeader() looks up the access key before it reads the signed headers", () => {
  const { early, all } = readingsOf(
    signed({ headers: { "x-amz-meta-a": "1" } }, { accessKeyId: "nobody" }),
  );
  deepStrictEqual(early, ["authorization", "x-amz-date", "x-amz-content-sha256"]);
  strictEqual(all.includes("x-amz-meta-a"), true);
});

Deno.test("verifyHeader() reads as much for an unknown access key as for a wrong signature", () => {
  const headers = { "x-amz-meta-a": "1" };
  deepStrictEqual(
    readingsOf(signed({ headers }, { accessKeyId: "nobody" })),
    readingsOf(signed({ headers }, { secretAccessKey: "other" })),
  );
});

Deno.test("verifyHeader() reads no header that is named thousands of times", () => {
  const count = 5000;
  const request = signed({ headers: { "x-amz-meta-a": "a, b" } });
  const names = request.headers.get("authorization") ?? "";
  request.headers.set(
    "authorization",
    names.replace("SignedHeaders=", `SignedHeaders=${"x-amz-meta-a;".repeat(count)}`),
  );
  deepStrictEqual(readingsOf(request).all, ["authorization", "x-amz-date", "x-amz-content-sha256"]);
});

Deno.test("verifyHeader() refuses a list of more names than a request has headers, and keeps no long list", () => {
  const many = Array.from({ length: 257 }, (_, i) => `x-amz-meta-${i}`).join(";");
  const request = signed({});
  const text = request.headers.get("authorization") ?? "";
  request.headers.set("authorization", text.replace("SignedHeaders=", `SignedHeaders=${many};`));
  throws(() => verifyHeader(request, VERIFIER), { code: "AuthorizationHeaderMalformed" });
});

Deno.test("verifyHeader() refuses other faults by their own codes", () => {
  const cases: [what: string, request: S3Request, code: string, message?: RegExp][] = [
    ["an unknown access key", signed({}, { accessKeyId: "nobody" }), "InvalidAccessKeyId"],
    [
      "an unknown access key with the dummy's secret",
      signed({}, { accessKeyId: "nobody", secretAccessKey: "0".repeat(40) }),
      "InvalidAccessKeyId",
    ],
    [
      "an unsigned x-amz-* header",
      signed({ headers: { "x-amz-acl": "private", "x-amz-meta-a": "1" } }, {
        unsigned: ["x-amz-acl", "x-amz-meta-a"],
      }),
      "AccessDenied",
      /headers present in the request which were not signed/,
    ],
    ["an unsigned host", signed({}, { unsigned: ["host"] }), "AccessDenied", /not signed/],
    [
      "no time",
      withoutTime(),
      "AccessDenied",
      /requires a valid Date or x-amz-date header/,
    ],
  ];
  for (const [what, request, code, message] of cases) {
    const error = refusal(request);
    strictEqual(error.code, code, what);
    if (message !== undefined) strictEqual(message.test(error.message), true, error.message);
  }
  const unsigned = signed({ headers: { "x-amz-acl": "private" } }, {
    unsigned: ["host", "x-amz-acl"],
  });
  strictEqual(refusal(unsigned).fields["HeadersNotSigned"], "host, x-amz-acl");
  strictEqual(refusal(signed({}, { accessKeyId: "nobody" })).fields["AWSAccessKeyId"], "nobody");
});

function withoutTime(): S3Request {
  const request = signed({});
  request.headers.delete("x-amz-date");
  return request;
}

Deno.test("verifyHeader() demands x-amz-content-sha256", () => {
  const request = signed({});
  request.headers.delete("x-amz-content-sha256");
  const { code, message } = refusal(request);
  strictEqual(code, "InvalidRequest");
  strictEqual(message, "Missing required header for this request: x-amz-content-sha256");
});

Deno.test("verifyHeader() refuses a clock that is off", () => {
  const at = (now: string): Verifier => ({ ...VERIFIER, now: new Date(now) });
  const late: Signer = { timestamp: "20130524T001000Z" };
  strictEqual(refusal(signed({}, late)).code, "RequestTimeTooSkewed");
  verifyHeader(signed({}, late), at("2013-05-24T00:05:00Z"));
  strictEqual(refusal(signed({}, late), at("2013-05-24T00:04:59Z")).code, "RequestTimeTooSkewed");
  strictEqual(refusal(signed({}, late), at("2013-05-24T00:15:01Z")).code, "RequestTimeTooSkewed");
});
