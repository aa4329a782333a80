/**
 * Requests of 64 KiB whose senders have no secret. Neither the response nor the work may be much longer than the request.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { createAuthenticate } from "../../src/auth/authenticate.ts";
import { createCredentials } from "../../src/auth/credentials.ts";
import type { RequestHeaders } from "../../src/s3/request_headers.ts";
import { ACCESS_KEY_ID, createTestGateway, NOW, REGION } from "./test_gateway.ts";

const SIZE = 64 * 1024;
/** A quotation mark becomes six characters of XML, and an error may show one field and its path. */
const MAX_RATIO = 8;

const TIMESTAMP = "20240501T100000Z";
const DAY = "20240501";

type Long = { readonly query?: string; readonly headers?: Record<string, string> };

function header(id: string, signedHeaders: string, signature = "0".repeat(64)): string {
  return `AWS4-HMAC-SHA256 Credential=${id}/${DAY}/${REGION}/s3/aws4_request, ` +
    `SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

function headerSigned(authorization: string, headers: Record<string, string> = {}): Long {
  const required = { "x-amz-date": TIMESTAMP, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
  return { headers: { ...required, authorization, ...headers } };
}

function presigned(id: string, parameters: Record<string, string>, headers = {}): Long {
  const query = Object.entries({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${id}/${DAY}/${REGION}/s3/aws4_request`,
    "X-Amz-Date": TIMESTAMP,
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "0",
    ...parameters,
  });
  return { query: query.map((pair) => pair.join("=")).join("&"), headers };
}

function presignedV2(id: string, parameters: Record<string, string>, headers = {}): Long {
  const all = { AWSAccessKeyId: id, Signature: "0", Expires: "2000000000", ...parameters };
  return { query: Object.entries(all).map((pair) => pair.join("=")).join("&"), headers };
}

const DATED = { date: NOW.toUTCString() };
const REQUIRED = "host;x-amz-content-sha256;x-amz-date";
const headersOf = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-amz-meta-${i}`, "1"]));
const half = (unit: string): string => unit.repeat(SIZE / 2 / unit.length);

/** Requests that are long in one place each. */
const PLACES: Readonly<Record<string, (text: string, id: string) => Long>> = {
  "the scheme": (text) => headerSigned(text),
  "a header of SigV4: the credential": (text) => headerSigned(header(text, REQUIRED)),
  "a header of SigV4: the signature": (text, id) => headerSigned(header(id, REQUIRED, text)),
  "a header of SigV4: the query": (text, id) => ({
    ...headerSigned(header(id, REQUIRED)),
    query: text,
  }),
  "a header of SigV4: the date": (text, id) =>
    headerSigned(header(id, REQUIRED), { "x-amz-date": text }),
  "a header of SigV4: the payload's hash": (text, id) =>
    headerSigned(header(id, REQUIRED), { "x-amz-content-sha256": text }),
  "a header of SigV4: a signed header": (text, id) =>
    headerSigned(header(id, `${REQUIRED};x-amz-meta-a`), { "x-amz-meta-a": text }),
  "a URL of SigV4: the credential": (text) => presigned(text, {}),
  "a URL of SigV4: the date": (text, id) => presigned(id, { "X-Amz-Date": text }),
  "a URL of SigV4: the expiry": (text, id) => presigned(id, { "X-Amz-Expires": text }),
  "a URL of SigV4: the signed headers": (text, id) =>
    presigned(id, { "X-Amz-SignedHeaders": text }),
  "a URL of SigV4: the signature": (text, id) => presigned(id, { "X-Amz-Signature": text }),
  "a URL of SigV4: another parameter": (text, id) => presigned(id, { "x-amz-meta-a": text }),
  "a header of SigV2: the access key id": (text) => headerSigned(`AWS ${text}:0`, DATED),
  "a header of SigV2: the signature": (text, id) => headerSigned(`AWS ${id}:${text}`, DATED),
  "a header of SigV2: a sub-resource": (text, id) => ({
    ...headerSigned(`AWS ${id}:0`, DATED),
    query: `uploadId=${text}`,
  }),
  "a header of SigV2: a header": (text, id) =>
    headerSigned(`AWS ${id}:0`, { ...DATED, "x-amz-meta-a": text }),
  "a URL of SigV2: the access key id": (text) => presignedV2(text, {}),
  "a URL of SigV2: the signature": (text, id) => presignedV2(id, { Signature: text }),
  "a URL of SigV2: the expiry": (text, id) => presignedV2(id, { Expires: text }),
  "a URL of SigV2: a header in the query": (text, id) => presignedV2(id, { "x-amz-meta-a": text }),
};

/** Requests that name or hold many headers. */
const MANY: Readonly<Record<string, (id: string) => Long>> = {
  "one long header, named often": (id) =>
    headerSigned(header(id, half("a;") + REQUIRED), { a: half("1, ") }),
  "one long header, named often in a URL": (id) =>
    presigned(id, { "X-Amz-SignedHeaders": `${half("a;")}host` }, { a: half("1, ") }),
  "many names of headers": (id) =>
    headerSigned(header(id, Array.from({ length: 9000 }, (_, i) => `a${i};`).join("") + REQUIRED)),
  "many headers in a URL of SigV4": (id) => presigned(id, headersOf(4000)),
  "many headers in a URL of SigV2": (id) => presignedV2(id, headersOf(4000)),
  "many unsigned headers": (id) => headerSigned(header(id, REQUIRED), headersOf(4000)),
};

/** Characters of headers that were read, and their limit. */
type Meter = { read: number; limit: number };

/** Counts the characters that are read from headers, and throws beyond the limit. */
function metered(headers: RequestHeaders, meter: Meter): RequestHeaders {
  const count = (text: string | null): void => {
    meter.read += text?.length ?? 0;
    if (meter.read > meter.limit) throw new RangeError("Too much was read");
  };
  return {
    get(name) {
      const value = headers.get(name);
      count(value);
      return value;
    },
    has: (name) => headers.has(name),
    keys: () => headers.keys(),
    *[Symbol.iterator]() {
      for (const pair of headers) {
        count(pair[1]);
        yield pair;
      }
    },
  };
}

/** Creates a function that sends a long request without a secret and checks its cost. */
async function createCheck(): Promise<(what: string, long: Long) => Promise<void>> {
  const meter: Meter = { read: 0, limit: Infinity };
  const authenticate = createAuthenticate({
    credentials: createCredentials(ACCESS_KEY_ID, "alice-secret"),
    region: REGION,
    clockSkew: 300_000,
    sigv2: "on",
    now: () => NOW,
  });
  const { handler } = await createTestGateway({
    authenticate: (asked) => authenticate({ ...asked, headers: metered(asked.headers, meter) }),
  });
  return async (what, { query = "", headers = {} }) => {
    const url = `http://localhost/bucket/key?${query}`;
    const request = new Request("http://localhost/", { headers });
    Object.defineProperty(request, "url", { value: url });
    let sent = url.length;
    request.headers.forEach((value, name) => sent += name.length + value.length);
    meter.read = 0;
    meter.limit = MAX_RATIO * sent;
    const response = await handler(request);
    const { length } = await response.text();
    strictEqual(response.status >= 400 && response.status < 500, true, `${what}: an error of ours`);
    strictEqual(length <= MAX_RATIO * sent, true, `${what}: ${length} answered to ${sent}`);
  };
}

Deno.test("the response to a long request without a secret is not much longer than the request", async () => {
  const check = await createCheck();
  for (const [place, longOf] of Object.entries(PLACES)) {
    for (const unit of ["a", "a b", "a, ", '"', "%22", "a;", ":", "/", "&", "="]) {
      // Some requests have no other access key id than the text.
      for (const id of longOf.length === 1 ? [""] : [ACCESS_KEY_ID, "nobody"]) {
        const long = longOf(unit.repeat(SIZE / unit.length), id);
        await check(`${place}, ${JSON.stringify(unit)}, ${id}`, long);
      }
    }
  }
});

Deno.test("a request without a secret causes reads that are not much longer than the request", async () => {
  const check = await createCheck();
  for (const [what, longOf] of Object.entries(MANY)) {
    for (const id of [ACCESS_KEY_ID, "nobody"]) await check(`${what}, ${id}`, longOf(id));
  }
});
