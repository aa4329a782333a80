/** STS GetCallerIdentity, in both forms that clients send, and everything that is refused. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createAuthenticateQuery } from "../../src/auth/authenticate_query.ts";
import { formatScope } from "../../src/auth/credential_scope.ts";
import { sign, stringToSign } from "../../src/auth/sigv4.ts";
import { signingKey } from "../../src/auth/signing_keys.ts";
import { sha256OfText } from "../../src/crypto/sha256.ts";
import { RateLimit } from "../../src/http/rate_limit.ts";
import { DocumentBudget } from "../../src/operations/bodies/document_budget.ts";
import { parseXml, textOf } from "../../src/s3/xml_reader.ts";
import { StallWatch } from "../../src/streams/stall_watch.ts";
import type { RequestRecord } from "../../src/telemetry/request_record.ts";
import {
  ACCOUNT,
  assertError,
  authenticationIn,
  createTestGateway,
  REGION,
  type Send,
  signedRequest,
} from "./test_gateway.ts";

const QUESTION = "Action=GetCallerIdentity&Version=2011-06-15";
const FORM = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

/** A request in a form, signed for STS as SDKs sign it: without a header that states the hash of the body. */
const form = (body: string = QUESTION, options: Send = {}): Send => ({
  service: "sts",
  body,
  statesHash: false,
  ...options,
  headers: { ...FORM, ...options.headers },
});
const query = (options: Send = {}): Send => ({ service: "sts", statesHash: false, ...options });

/** Asserts that a response is an error in the form of STS, and returns its message. */
async function assertStsError(response: Response, status: number, code: string): Promise<string> {
  const text = await response.text();
  strictEqual(response.status, status, text);
  strictEqual(response.headers.get("content-type"), "text/xml");
  strictEqual(text.includes(`<ErrorResponse xmlns="${NAMESPACE}"><Error>`), true, text);
  const [error, id, ...others] =
    parseXml(text.replace(` xmlns="${NAMESPACE}"`, ""), "ErrorResponse").children;
  deepStrictEqual(error?.children.map(({ name }) => name), ["Type", "Code", "Message"], text);
  strictEqual(textOf(error, "Code"), code, text);
  strictEqual(textOf(error, "Type"), status < 500 ? "Sender" : "Receiver");
  strictEqual(id?.name, "RequestId");
  strictEqual(response.headers.get("x-amzn-requestid"), id.text);
  deepStrictEqual(others, []);
  return textOf(error, "Message");
}

Deno.test("GetCallerIdentity names the account and the access key, in a form and in a query", async () => {
  const { ok } = await createTestGateway();
  const presigned = presign(QUESTION);
  for (
    const [method, target, options] of [
      ["POST", "/", form()],
      ["POST", "/", form(`a=b&${QUESTION}&Version=1&Action=Other&Unknown=%C3%A9+`)],
      ["POST", "/", form(QUESTION, { statesHash: true })],
      ["GET", `/?${QUESTION}`, query()],
      ["GET", presigned, { anonymous: true }],
    ] as const
  ) {
    const response = await ok(method, target, options);
    strictEqual(response.headers.get("content-type"), "text/xml");
    const id = response.headers.get("x-amzn-requestid");
    strictEqual(
      await response.text(),
      `<?xml version="1.0" encoding="UTF-8"?>\n<GetCallerIdentityResponse xmlns="${NAMESPACE}"><GetCallerIdentityResult>` +
        `<Arn>arn:aws:iam::${ACCOUNT}:user/alice</Arn><UserId>alice</UserId><Account>${ACCOUNT}</Account>` +
        `</GetCallerIdentityResult><ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
    );
  }
});

Deno.test("STS answers in every region if S3 does", async () => {
  const region = "*";
  const authenticateQuery = createAuthenticateQuery(authenticationIn(region));
  const { ok } = await createTestGateway({ authenticateQuery });
  await ok("POST", "/", form(QUESTION, { region: "garage" }));
});

Deno.test("actions and versions that STS here does not have are refused", async () => {
  const { send } = await createTestGateway();
  for (
    const [text, message] of [
      ["Action=NoSuchAction&Version=2011-06-15", "NoSuchAction for version 2011-06-15"],
      ["Action=AssumeRole&Version=2011-06-15", "AssumeRole for version 2011-06-15"],
      ["Action=GetUser&Version=2010-05-08", "GetUser for version 2010-05-08"],
      ["Action=GetCallerIdentity", "GetCallerIdentity for version NO_VERSION_SPECIFIED"],
      ["Action=GetCallerIdentity&Version=", "GetCallerIdentity for version "],
      ["Action=&Version=2011-06-15", " for version 2011-06-15"],
      [`Action=${"a".repeat(1000)}&Version=1`, `${"a".repeat(256)} for version 1`],
    ] as const
  ) {
    const expected = `Could not find operation ${message}`;
    const [posted, got] = [
      await send("POST", "/", form(text)),
      await send("GET", `/?${text}`, query()),
    ];
    strictEqual(await assertStsError(posted, 400, "InvalidAction"), expected);
    strictEqual(await assertStsError(got, 400, "InvalidAction"), expected);
  }
  for (const text of ["", "Version=2011-06-15", "action=GetCallerIdentity"]) {
    await assertStsError(await send("POST", "/", form(text)), 400, "MissingAction");
  }
  await assertStsError(await send("POST", "/", form("Action=%zz")), 404, "MalformedQueryString");
  // Without an Action in the query, the root is that of S3.
  await assertError(
    await send("GET", "/?Version=2011-06-15", query()),
    400,
    "AuthorizationHeaderMalformed",
  );
});

Deno.test("callers that STS does not know are refused in its words", async () => {
  const { send } = await createTestGateway();
  const rows: readonly (readonly [options: Send, status: number, code: string, message: string])[] =
    [
      [
        { anonymous: true },
        403,
        "MissingAuthenticationToken",
        "Request is missing Authentication Token",
      ],
      [
        { accessKeyId: "bob" },
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
      ],
      [
        { headers: { "x-amz-security-token": "t" } },
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
      ],
      [
        { secret: "x" },
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
      ],
      [
        { service: "s3" },
        403,
        "SignatureDoesNotMatch",
        "Credential should be scoped to correct service: 'sts'.",
      ],
      [
        { region: "eu-west-1" },
        403,
        "SignatureDoesNotMatch",
        "Credential should be scoped to a valid region, such as 'us-east-1'.",
      ],
      [
        { now: new Date("2024-05-01T09:00:00Z") },
        403,
        "SignatureDoesNotMatch",
        "Signature expired: 20240501T090000Z is now earlier than 20240501T095500Z (20240501T100000Z - 5 min.)",
      ],
      [
        { now: new Date("2024-05-01T11:00:00Z") },
        403,
        "SignatureDoesNotMatch",
        "Signature not yet current: 20240501T110000Z is still later than 20240501T100500Z (20240501T100000Z + 5 min.)",
      ],
    ];
  for (const [options, status, code, message] of rows) {
    const posted = await send("POST", "/", form(QUESTION, options));
    strictEqual(await assertStsError(posted, status, code), message);
    const got = await send("GET", `/?${QUESTION}`, query(options));
    strictEqual(await assertStsError(got, status, code), message);
  }
  for (const authorization of ["AWS alice:x", "Bearer x", "AWS4-HMAC-SHA256 nothing"]) {
    const headers = { ...FORM, authorization, "x-amz-date": "20240501T100000Z" };
    const options = { anonymous: true, headers, body: QUESTION };
    await assertStsError(await send("POST", "/", options), 400, "IncompleteSignature");
  }
  const late = presign(QUESTION, new Date("2024-05-01T08:00:00Z"));
  const expired = await send("GET", late, { anonymous: true });
  strictEqual(
    await assertStsError(expired, 403, "SignatureDoesNotMatch"),
    "Request has expired",
  );
});

Deno.test("a signature for STS is none for S3, and the other way round", async () => {
  const { ok, send } = await createTestGateway();
  // The parsed beginning of an Authorization header is remembered, together with its service.
  for (let i = 0; i < 2; i++) {
    await ok("POST", "/", form());
    const forSts = { service: "sts" };
    await assertError(await send("GET", "/bucket", forSts), 400, "AuthorizationHeaderMalformed");
    await ok("GET", "/bucket");
    await assertStsError(
      await send("POST", "/", form(QUESTION, { service: "s3" })),
      403,
      "SignatureDoesNotMatch",
    );
  }
});

Deno.test("the signature covers the form, whatever a header says of it", async () => {
  const { handler } = await createTestGateway();
  for (const statesHash of [true, false]) {
    const { headers } = signedRequest("POST", "/", form("Action=Other&Version=1", { statesHash }));
    const body = QUESTION;
    headers.set("content-length", String(body.length));
    const changed = new Request("http://localhost/", { method: "POST", headers, body });
    await assertStsError(await handler(changed), 403, "SignatureDoesNotMatch");
  }
});

Deno.test("a form is bounded, counts as a request document and is released", async () => {
  const documents = new DocumentBudget();
  const { ok, send } = await createTestGateway({ documents });
  const longest = `${QUESTION}&x=${"y".repeat(64 * 1024 - QUESTION.length - 3)}`;
  await ok("POST", "/", form(longest));
  await assertStsError(
    await send("POST", "/", form(`${longest}y`)),
    400,
    "MaxMessageLengthExceeded",
  );
  strictEqual(documents.used, 0);

  documents.take("another", 16 * 1024 * 1024);
  documents.take("a third", 16 * 1024 * 1024 - 10);
  await assertStsError(await send("POST", "/", form()), 503, "SlowDown");
  documents.give("a third", 16 * 1024 * 1024 - 10);
  await ok("POST", "/", form());

  // Of a body that never ends no more is read than a form may have.
  let pieces = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      pieces++;
      controller.enqueue(new Uint8Array(16 * 1024));
    },
    cancel: () => void (cancelled = true),
  }, { highWaterMark: 0 });
  const endless = { ...form(), body, anonymous: true };
  await assertStsError(await send("POST", "/", endless), 400, "MaxMessageLengthExceeded");
  strictEqual(pieces <= 6, true, `${pieces} pieces`);
  strictEqual(cancelled, true);
  const binary = { ...form(), body: new Uint8Array([0xff, 0xfe]) };
  await assertStsError(await send("POST", "/", binary), 404, "MalformedQueryString");
});

Deno.test("a form of which nothing more arrives is broken off", async () => {
  const stalls = new StallWatch(50);
  const { send } = await createTestGateway({ stalls });
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("Action=")),
  });
  const headers = { "content-length": "43" };
  const stalled = await send("POST", "/", { ...form("", { headers }), body, anonymous: true });
  await assertStsError(stalled, 400, "RequestTimeout");
});

Deno.test("only a form or an Action at the root is for STS", async () => {
  const { ok, send } = await createTestGateway();
  await ok("GET", "/");
  await ok("GET", "/bucket?Action=GetCallerIdentity");
  await ok("GET", `/?${QUESTION}`, { host: "bucket.s3.test" });
  for (const headers of [{}, { "content-type": "application/json" }]) {
    const response = await send("POST", "/", { headers, body: QUESTION });
    await assertError(response, 405, "MethodNotAllowed");
  }
  const put = await send("PUT", "/", { headers: FORM, body: QUESTION });
  await assertError(put, 405, "MethodNotAllowed");
});

Deno.test("requests to STS count against the rate of the user, and are recorded", async () => {
  const records: RequestRecord[] = [];
  const { send } = await createTestGateway({
    rateLimit: new RateLimit(1),
    observe: (record) => void records.push(record),
  });
  const responses = [];
  for (let i = 0; i < 5; i++) responses.push(await send("POST", "/", form()));
  const statuses = responses.map(({ status }) => status);
  deepStrictEqual(statuses.includes(503), true, statuses.join(" "));
  await assertStsError(responses[statuses.indexOf(503)] ?? Response.error(), 503, "SlowDown");
  const posted = records.filter(({ method }) => method === "POST");
  deepStrictEqual(
    posted.slice(0, 1).map((
      { operation, user, bucket, received },
    ) => [operation, user, bucket, received]),
    [["GetCallerIdentity", "alice", undefined, QUESTION.length]],
  );
});

/** Returns the target of a URL that is presigned for STS, as botocore makes it. */
function presign(question: string, now = new Date("2024-05-01T10:00:00Z")): string {
  const date = `${now.toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
  const scope = formatScope(date.slice(0, 8), REGION, "sts");
  const query = [
    question,
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent(`alice/${scope}`)}`,
    `X-Amz-Date=${date}`,
    "X-Amz-Expires=3600",
    "X-Amz-SignedHeaders=host",
  ].join("&");
  const canonical = `GET\n/\n${query}\nhost:localhost\n\nhost\n${sha256OfText("")}`;
  const key = signingKey("alice-secret", date.slice(0, 8), REGION, "sts");
  return `/?${query}&X-Amz-Signature=${sign(key, stringToSign(date, scope, canonical))}`;
}
