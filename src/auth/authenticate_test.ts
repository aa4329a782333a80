import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import {
  EXAMPLE,
  frame,
  presigned,
  s3Request,
  signed,
  streamOf,
} from "../../tests/vectors/client.ts";
import { type ErrorCode, isS3Error } from "../s3/errors.ts";
import type { S3Request } from "../s3/request.ts";
import { readWhole } from "../streams/byte_source.ts";
import { type Authenticate, type AuthenticateOptions, createAuthenticate } from "./authenticate.ts";
import { createCredentials, identityOf } from "./credentials.ts";
import { ANONYMOUS, type Identity } from "./identity.ts";

function authenticateWith(options: Partial<AuthenticateOptions> = {}): Authenticate {
  return createAuthenticate({
    credentials: createCredentials(EXAMPLE.accessKeyId, EXAMPLE.secretAccessKey),
    region: EXAMPLE.region,
    clockSkew: 300_000,
    sigv2: "presigned",
    now: () => EXAMPLE.now,
    ...options,
  });
}

const USER: Identity = identityOf(
  EXAMPLE.accessKeyId,
  createCredentials(EXAMPLE.accessKeyId, EXAMPLE.secretAccessKey),
);
const TIME = "Fri, 24 May 2013 00:00:00 GMT";

function sigv2Of(text: string): string {
  return createHmac("sha1", EXAMPLE.secretAccessKey).update(text).digest("base64");
}

function sigv2Header(): S3Request {
  const authorization = `AWS ${EXAMPLE.accessKeyId}:${sigv2Of(`GET\n\n\n${TIME}\n/b/k`)}`;
  return s3Request({ headers: { date: TIME, authorization } });
}

function sigv2Presigned(): S3Request {
  const expires = EXAMPLE.now.getTime() / 1000;
  const text = `PUT\n\na/b\n${expires}\nx-amz-checksum-crc32:AAAAAA==\nx-amz-meta-a:1\n/b/k`;
  const signature = encodeURIComponent(sigv2Of(text));
  const query = `x-amz-meta-a=1&content-type=a%2Fb&x-amz-checksum-crc32=AAAAAA%3D%3D` +
    `&AWSAccessKeyId=${EXAMPLE.accessKeyId}&Expires=${expires}&Signature=${signature}`;
  return s3Request({ method: "PUT", query });
}

Deno.test("authenticate() refuses a change by a sub-resource that SigV2 does not sign", async () => {
  const authenticate = authenticateWith({ sigv2: "on" });
  const presign = sigv2Presigned().rawQuery;
  for (const name of ["publicAccessBlock", "ownershipControls", "renameObject", "encryption"]) {
    const added = s3Request({ method: "PUT", query: `${presign}&${name}` });
    await rejects(authenticate(added), { code: "InvalidRequest" }, name);
  }
  deepStrictEqual(
    (await authenticate(s3Request({ method: "PUT", query: presign }))).identity,
    USER,
  );
});

Deno.test("authenticate() returns the user who signed, and the payload", async () => {
  const body = frame(["hello"]);
  const request = signed({
    method: "PUT",
    body: streamOf(body),
    headers: {
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": "5",
    },
  });
  const { identity, verified } = await authenticateWith()(request);
  deepStrictEqual(identity, USER);
  strictEqual(verified.target, request.target);
  strictEqual("body" in verified, false);
  const bytes = await readWhole(verified.payload.source, 100);
  strictEqual(new TextDecoder().decode(bytes), "hello");
});

Deno.test("authenticate() returns an anonymous identity for an unsigned request", async () => {
  const { identity, verified } = await authenticateWith()(s3Request());
  strictEqual(identity, ANONYMOUS);
  strictEqual("body" in verified, false);
});

Deno.test("authenticate() checks chunks with the request's own signature", async () => {
  const headers = {
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "x-amz-decoded-content-length": "5",
  };
  const request = signed({ method: "PUT", headers });
  const seed = /Signature=(.*)/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  const authenticate = authenticateWith();
  const read = async (seed: string): Promise<unknown> => {
    const body = streamOf(frame(["hello"], { seed }));
    const { verified } = await authenticate({ ...request, body });
    return await readWhole(verified.payload.source, 100);
  };
  await read(seed);
  await rejects(
    read("0".repeat(64)),
    (error) => isS3Error(error, "SignatureDoesNotMatch"),
  );
});

Deno.test("authenticate() treats presigned headers as headers, except checksums", async () => {
  const query = "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-meta-a=1";
  const { verified: v4 } = await authenticateWith()(presigned({ method: "PUT", query }));
  strictEqual(v4.headers.get("x-amz-meta-a"), "1");
  strictEqual(v4.headers.has("x-amz-checksum-crc32"), false);
  const { verified: v2 } = await authenticateWith()(sigv2Presigned());
  strictEqual(v2.headers.get("x-amz-meta-a"), "1");
  strictEqual(v2.headers.get("content-type"), "a/b");
  strictEqual(v2.headers.has("x-amz-checksum-crc32"), false);
});

Deno.test("authenticate() accepts SigV2 as far as the configuration allows it", async () => {
  const cases: ["off" | "presigned" | "on", header: boolean, query: boolean][] = [
    ["off", false, false],
    ["presigned", false, true],
    ["on", true, true],
  ];
  for (const [sigv2, header, query] of cases) {
    for (
      const [allowed, request] of [[header, sigv2Header()], [query, sigv2Presigned()]] as const
    ) {
      const answer = authenticateWith({ sigv2 })(request);
      if (allowed) deepStrictEqual((await answer).identity, USER);
      else {
        await rejects(answer, (error) =>
          isS3Error(error, "InvalidRequest") && error.message ===
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
      }
    }
  }
});

Deno.test("authenticate() refuses each fault with AWS's code", async () => {
  const both = (query: string): S3Request => ({
    ...signed({}),
    query: s3Request({ query }).query,
  });
  const cases: [what: string, request: S3Request, code: ErrorCode, message?: RegExp][] = [
    [
      "an unsigned body that is framed wrongly",
      s3Request({ method: "PUT", headers: { "x-amz-content-sha256": "nonsense" } }),
      "AccessDenied",
    ],
    [
      "two ways",
      both("X-Amz-Algorithm=AWS4-HMAC-SHA256"),
      "InvalidArgument",
      /^Only one auth mechanism/,
    ],
    ["two ways", both("Signature=a"), "InvalidArgument", /^Only one auth mechanism/],
    [
      "two ways in the query",
      s3Request({ query: "X-Amz-Algorithm=a&Signature=a" }),
      "InvalidArgument",
      /^Only one auth mechanism/,
    ],
    [
      "another scheme",
      s3Request({ headers: { authorization: "Basic YTpi" } }),
      "InvalidArgument",
      /^Unsupported/,
    ],
    ["a session token", signed({ headers: { "x-amz-security-token": "a" } }), "InvalidToken"],
    [
      "a session token in the query",
      presigned({ query: "X-Amz-Security-Token=a" }),
      "InvalidToken",
    ],
    [
      "another payload form",
      signed({ headers: { "x-amz-content-sha256": "none" } }),
      "InvalidArgument",
      /^x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-.*, or a valid sha256 value\.$/,
    ],
    ["an unknown access key", signed({}, { accessKeyId: "nobody" }), "InvalidAccessKeyId"],
    [
      "an unknown access key in a URL",
      presigned({}, { accessKeyId: "nobody" }),
      "InvalidAccessKeyId",
    ],
    ["a wrong secret", signed({}, { secretAccessKey: "other" }), "SignatureDoesNotMatch"],
    [
      "half a presigned URL",
      s3Request({ query: "X-Amz-Signature=a" }),
      "AuthorizationQueryParametersError",
    ],
    ["half a presigned URL of SigV2", s3Request({ query: "AWSAccessKeyId=a" }), "AccessDenied"],
  ];
  const authenticate = authenticateWith();
  for (const [what, request, code, message = /^/] of cases) {
    await rejects(authenticate(request), (error) => {
      if (!isS3Error(error)) throw error;
      strictEqual(error.code, code, what);
      strictEqual(message.test(error.message), true, error.message);
      return true;
    }, what);
  }
});

Deno.test("authenticate() reads the clock for each request", async () => {
  let now = EXAMPLE.now;
  const authenticate = authenticateWith({ now: () => now });
  const request = signed({});
  await authenticate(request);
  now = new Date(now.getTime() + 300_001);
  await rejects(authenticate(request), (error) => isS3Error(error, "RequestTimeTooSkewed"));
});
