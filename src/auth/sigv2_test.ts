import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { EXAMPLE, s3Request } from "../../tests/vectors/client.ts";
import { OPERATIONS } from "../operations/table.ts";
import { isS3Error, type S3Error } from "../s3/errors.ts";
import type { BucketName, ObjectKey } from "../s3/names.ts";
import type { S3Request, Target } from "../s3/request.ts";
import { isUnsignedBySigV2 } from "../s3/subresources.ts";
import { createCredentials, identityOf } from "./credentials.ts";
import {
  sign,
  SIGNED_QUERY,
  stringToSign,
  verifySigV2Header,
  verifySigV2Presigned,
} from "./sigv2.ts";
import type { Verifier } from "./sigv4.ts";
import { createSigningKeys } from "./signing_keys.ts";
import vectors from "../../tests/vectors/sigv2_requests.json" with { type: "json" };

const VERIFIER: Verifier = {
  credentials: createCredentials(EXAMPLE.accessKeyId, EXAMPLE.secretAccessKey),
  region: EXAMPLE.region,
  clockSkew: 300_000,
  now: EXAMPLE.now,
  signingKeys: createSigningKeys(),
};

function refusal(verify: () => unknown): S3Error {
  try {
    verify();
  } catch (error) {
    if (isS3Error(error)) return error;
    throw error;
  }
  throw new TypeError("It was not refused");
}

/** AWS's examples mix both address styles. */
function targetOf(host: string, path: string): Target {
  const virtual = host === "s3.amazonaws.com"
    ? ""
    : host.replace(/\.s3\.amazonaws\.com$|:\d+$/, "");
  const decoded = decodeURIComponent(path.slice(1));
  if (virtual === "" && decoded === "") return { on: "service" };
  const [bucket, key] = virtual === ""
    ? [decoded.split("/")[0], decoded.split("/").slice(1).join("/")]
    : [virtual, decoded];
  return key === ""
    ? { on: "bucket", bucket: bucket as BucketName }
    : { on: "object", bucket: bucket as BucketName, key: key as ObjectKey };
}

type Vector = typeof vectors.header[number] | typeof vectors.presigned[number];

function requestOf(
  vector: Vector,
  authentication: { headers?: Record<string, string>; query?: string } = {},
): S3Request {
  return s3Request({
    ...vector,
    headers: { ...vector.headers, ...authentication.headers },
    query: [vector.query, authentication.query ?? ""].filter(Boolean).join("&"),
    target: targetOf(vector.host, vector.path),
  });
}

for (const vector of vectors.header) {
  Deno.test(`verifySigV2Header() accepts AWS's example: ${vector.name}`, () => {
    const now = new Date(vector.headers.date);
    const request = (signature: string): S3Request =>
      requestOf(vector, { headers: { authorization: `AWS ${EXAMPLE.accessKeyId}:${signature}` } });
    const { headers } = request("");
    strictEqual(stringToSign(request(""), headers, vector.headers.date), vector.stringToSign);
    strictEqual(sign(EXAMPLE.secretAccessKey, vector.stringToSign), vector.signature);
    strictEqual(
      verifySigV2Header(request(vector.signature), { ...VERIFIER, now }),
      EXAMPLE.accessKeyId,
    );
    const wrong = request(vector.signature.replace(/.=/, "0="));
    strictEqual(
      refusal(() => verifySigV2Header(wrong, { ...VERIFIER, now })).code,
      "SignatureDoesNotMatch",
    );
    strictEqual(refusal(() => verifySigV2Header(wrong, VERIFIER)).code, "RequestTimeTooSkewed");
  });
}

for (const vector of vectors.presigned) {
  Deno.test(`verifySigV2Presigned() accepts AWS's example: ${vector.name}`, () => {
    const verify = (
      signature: string,
      offset = 0,
      accessKeyId: string = EXAMPLE.accessKeyId,
    ): string => {
      const query = `AWSAccessKeyId=${accessKeyId}&Expires=${vector.expires}&Signature=${
        encodeURIComponent(signature)
      }`;
      const request = requestOf(vector, { query });
      const now = new Date((vector.expires + offset) * 1000);
      return verifySigV2Presigned(request, request.headers, { ...VERIFIER, now });
    };
    strictEqual(verify(vector.signature), EXAMPLE.accessKeyId);
    strictEqual(verify(vector.signature, -1_000_000), EXAMPLE.accessKeyId);
    strictEqual(refusal(() => verify(vector.signature, 1)).message, "Request has expired");
    strictEqual(refusal(() => verify("AAAA")).code, "SignatureDoesNotMatch");
    strictEqual(refusal(() => verify(vector.signature, 0, "nobody")).code, "InvalidAccessKeyId");
  });
}

Deno.test("stringToSign() of SigV2 names the bucket in both address styles", () => {
  const target: Target = { on: "object", bucket: "b" as BucketName, key: "a/é" as ObjectKey };
  const resource = (path: string, query = ""): string | undefined => {
    const request = s3Request({ path, query, target });
    return stringToSign(request, request.headers, "1").split("\n").at(-1);
  };
  strictEqual(resource("/b/a/%C3%A9"), "/b/a/%C3%A9");
  strictEqual(resource("/a/%C3%A9"), "/b/a/%C3%A9");
  strictEqual(
    resource("/b/a/%C3%A9", "uploadId=x%2By&partNumber=2&x-id=UploadPart&acl"),
    "/b/a/%C3%A9?acl&partNumber=2&uploadId=x+y",
  );
  strictEqual(
    resource("/b/a/%C3%A9", "response-content-disposition=%C3%A9"),
    "/b/a/%C3%A9?response-content-disposition=\u00c3\u00a9",
  );
});

/** Returns a name with each letter percent-encoded in turn, in upper and lower case, and with all letters encoded. */
function spellingsOf(name: string): string[] {
  const encode = (letter: string): string => `%${letter.charCodeAt(0).toString(16)}`;
  const one = Array.from(name, (letter, i) => {
    const [before, after] = [name.slice(0, i), name.slice(i + 1)];
    return [before + encode(letter) + after, before + encode(letter).toUpperCase() + after];
  });
  return [...one.flat(), Array.from(name, encode).join("")];
}

Deno.test("stringToSign() of SigV2 refuses a sub-resource that is encoded or repeated", () => {
  const refused = (query: string): void => {
    const request = s3Request({ query });
    const error = refusal(() => stringToSign(request, request.headers, "1"));
    strictEqual(error.code, "InvalidArgument", query);
  };
  for (const name of SIGNED_QUERY) {
    for (const spelling of spellingsOf(name)) {
      refused(spelling);
      refused(`${spelling}=1`);
      refused(`list-type=2&${spelling}=1`);
      refused(`${name}=1&${spelling}=2`);
      refused(`${spelling}=2&${name}=1`);
    }
    refused(`${name}&${name}`);
    refused(`${name}=1&${name}=1`);
    refused(`${name}=1&x=2&${name}`);
  }
});

Deno.test("stringToSign() of SigV2 signs every sub-resource as the operations read it", () => {
  const signed = (query: string): string => {
    const request = s3Request({ query });
    return stringToSign(request, request.headers, "1");
  };
  for (const name of SIGNED_QUERY) {
    const texts = ["", name, `${name}=1`, `${name}=2`].map(signed);
    strictEqual(new Set(texts).size, texts.length, name);
    strictEqual(signed(`${name}=%31+%2b`).endsWith(`/b/k?${name}=1 +`), true, name);
  }
});

Deno.test("SigV2 signs the query names that choose an operation, unless it only reads, changes nothing or is refused", () => {
  const unsigned = OPERATIONS
    .filter(({ unsupported, method }) => unsupported !== true && method !== "GET")
    .flatMap(({ name, query = [], optionalQuery = [] }) =>
      [...query, ...optionalQuery]
        .map((text) => text.split("=")[0] ?? "")
        .filter((text) => !SIGNED_QUERY.has(text) && !isUnsignedBySigV2(text))
        .map((text) => `${name} ?${text}`)
    );
  deepStrictEqual(unsigned, [
    // They change nothing yet: no bucket has such a configuration.
    "DeleteBucketAnalyticsConfiguration ?id",
    "DeleteBucketIntelligentTieringConfiguration ?id",
    "DeleteBucketInventoryConfiguration ?id",
    "DeleteBucketMetricsConfiguration ?id",
  ]);
});

Deno.test("verifySigV2Presigned() refuses a parameter that was added under an encoded name", () => {
  const end = EXAMPLE.now.getTime() / 1000;
  const signature = sign(EXAMPLE.secretAccessKey, `GET\n\n\n${end}\n/b/k`);
  const url = `AWSAccessKeyId=${EXAMPLE.accessKeyId}&Expires=${end}&Signature=${
    encodeURIComponent(signature)
  }`;
  const verify = (query: string): string => {
    const request = s3Request({ query });
    return verifySigV2Presigned(request, request.headers, VERIFIER);
  };
  strictEqual(verify(url), EXAMPLE.accessKeyId);
  strictEqual(verify(`${url}&%78-id=GetObject`), EXAMPLE.accessKeyId); // no sub-resource
  const cases: [added: string, code: string][] = [
    ["response-content-type=text/html", "SignatureDoesNotMatch"],
    ["%72esponse-content-type=text/html", "InvalidArgument"],
    ["%75ploads", "InvalidArgument"],
    ["%75ploadId=a&%70artNumber=1", "InvalidArgument"],
    ["uploadId=a&uploadId=b", "InvalidArgument"],
  ];
  for (const [added, code] of cases) {
    for (const query of [`${url}&${added}`, `${added}&${url}`]) {
      const error = refusal(() => verify(query));
      strictEqual(error.code, code, added);
    }
  }
});

Deno.test("verifySigV2Header() accepts a bucket with and without its slash", () => {
  const target: Target = { on: "bucket", bucket: "b" as BucketName };
  const verify = (path: string, signed: string): string => {
    const time = "Fri, 24 May 2013 00:00:00 GMT";
    const signature = sign(EXAMPLE.secretAccessKey, `GET\n\n\n${time}\n${signed}?acl`);
    const authorization = `AWS ${EXAMPLE.accessKeyId}:${signature}`;
    const request = s3Request({
      path,
      target,
      query: "acl",
      headers: { date: time, authorization },
    });
    return verifySigV2Header(request, VERIFIER);
  };
  verify("/b", "/b");
  verify("/b", "/b/");
  verify("/b/", "/b/");
  verify("/", "/b/");
  strictEqual(refusal(() => verify("/b/", "/b")).code, "SignatureDoesNotMatch");
});

Deno.test("verifySigV2Header() splits at the last colon, after any number of blanks", () => {
  const time = "Fri, 24 May 2013 00:00:00 GMT";
  const signature = sign("secret", `GET\n\n\n${time}\n/b/k`);
  const asked: string[] = [];
  const { principal } = identityOf(EXAMPLE.accessKeyId, VERIFIER.credentials);
  const credentials = {
    refresh: () => undefined,
    find: (accessKeyId: string) => (asked.push(accessKeyId), { secrets: ["secret"], principal }),
  };
  for (const blanks of [" ", "   "]) {
    const authorization = `AWS${blanks}a:b c:${signature}`;
    const request = s3Request({ headers: { date: time, authorization } });
    strictEqual(verifySigV2Header(request, { ...VERIFIER, credentials }), "a:b c");
  }
  deepStrictEqual(asked, ["a:b c", "a:b c"]);
});

Deno.test("verifySigV2Header() signs x-amz-date in place of Date", () => {
  const time = "Fri, 24 May 2013 00:00:00 GMT";
  const text = `PUT\n\n\n\nx-amz-date:${time}\nx-amz-meta-a:1\n/b/k`;
  const signature = createHmac("sha1", EXAMPLE.secretAccessKey).update(text).digest("base64");
  const request = (value: string): S3Request =>
    s3Request({
      method: "PUT",
      headers: {
        date: "Fri, 24 May 2013 01:00:00 GMT",
        "x-amz-date": time,
        "x-amz-meta-a": value,
        authorization: `AWS ${EXAMPLE.accessKeyId}:${signature}`,
      },
    });
  verifySigV2Header(request("1"), VERIFIER);
  strictEqual(
    refusal(() => verifySigV2Header(request("2"), VERIFIER)).code,
    "SignatureDoesNotMatch",
  );
});

Deno.test("verifySigV2Header() and verifySigV2Presigned() refuse malformed requests", () => {
  const header = (authorization: string): S3Error =>
    refusal(() => verifySigV2Header(s3Request({ headers: { authorization } }), VERIFIER));
  for (const text of ["nobody", "", ":", "a:", ":b", "  :b", "a:b:"]) {
    strictEqual(header(`AWS ${text}`).code, "InvalidArgument", text);
  }
  for (const unit of [" ", "\t", "a", ": "]) {
    const long = unit.repeat(65_536 / unit.length);
    strictEqual(header(`AWS ${long}:`).code, "InvalidArgument", unit);
  }
  strictEqual(
    header("AWS a:b").message,
    "AWS authentication requires a valid Date or x-amz-date header",
  );

  const query = (text: string): S3Error => {
    const request = s3Request({ query: text });
    return refusal(() => verifySigV2Presigned(request, request.headers, VERIFIER));
  };
  const missing =
    "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
  strictEqual(query("Signature=a&Expires=1").message, missing);
  strictEqual(query("Signature=a&AWSAccessKeyId=1").message, missing);
  strictEqual(query("AWSAccessKeyId=a&Expires=1").message, missing);
  strictEqual(
    query("AWSAccessKeyId=a&Signature=a&Expires=soon").message,
    "Invalid date (should be seconds since epoch): soon",
  );
});
