/**
 * S3 Control: the tags of buckets, as Terraform's AWS provider reads and writes them, and everything that is refused.
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { parseXml, textOf, type XmlElement } from "../../src/s3/xml_reader.ts";
import type { RequestRecord } from "../../src/telemetry/request_record.ts";
import { createAuthenticate } from "../../src/auth/authenticate.ts";
import {
  ACCOUNT,
  assertError,
  authenticationIn,
  createTestGateway,
  NOW,
  REGION,
  type Send,
  textsAt,
} from "./test_gateway.ts";

const HEADER = { "x-amz-account-id": ACCOUNT };
const OTHER = "999900001111";
/** The path of a bucket's tags, as SDKs send it. */
const tagsOf = (bucket: string): string => tagsAt(`arn:aws:s3:::${bucket}`);
const tagsAt = (arn: string): string => `/v20180820/tags/${encodeURIComponent(arn)}`;
const TAGS = tagsOf("bucket");

type Tag = readonly [key: string, value: string];
const elements = (tags: readonly Tag[]): string =>
  tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join("");
const request = (...tags: readonly Tag[]): string =>
  `<TagResourceRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Tags>${
    elements(tags)
  }</Tags></TagResourceRequest>`;
const adding = (...tags: readonly Tag[]): Send => ({ headers: HEADER, body: request(...tags) });
const many = (count: number, prefix = "k"): readonly Tag[] =>
  Array.from({ length: count }, (_, i): Tag => [`${prefix}${i}`, "v"]);

/** Asserts that a response is an error in the form of S3 Control. */
async function assertControlError(
  response: Response,
  status: number,
  code: string,
  message?: string,
): Promise<XmlElement> {
  const text = await response.text();
  strictEqual(response.status, status, text);
  const [error, ...ids] = parseXml(text, "ErrorResponse").children;
  strictEqual(error?.name, "Error", text);
  strictEqual(textOf(error, "Code"), code, text);
  if (message !== undefined) strictEqual(textOf(error, "Message"), message);
  deepStrictEqual(ids.map(({ name }) => name), ["RequestId", "HostId"]);
  strictEqual(response.headers.has("x-amz-bucket-region"), false);
  return error;
}

Deno.test("the tags of a bucket are read, added, replaced and removed", async () => {
  const { ok, send } = await createTestGateway();
  const list = async (): Promise<string> =>
    await (await ok("GET", TAGS, { headers: HEADER })).text();
  const listed = (...tags: readonly Tag[]): string =>
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListTagsForResourceResult xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">' +
    `<Tags>${elements(tags)}</Tags></ListTagsForResourceResult>`;
  strictEqual(await list(), listed());
  const added = await ok("POST", TAGS, adding(["team", "a b"], ["env", ""]));
  strictEqual(added.status, 204);
  strictEqual(await added.text(), "");
  await ok("POST", TAGS, adding(["team", "storage"], ["é:/=+-@", "ü"]));
  const three: readonly Tag[] = [["env", ""], ["team", "storage"], ["é:/=+-@", "ü"]];
  strictEqual(await list(), listed(...three));

  // They are the tags that S3 shows, and the other way round.
  const s3 = parseXml(await (await ok("GET", "/bucket?tagging")).text(), "Tagging");
  deepStrictEqual(textsAt(s3, "TagSet", "Tag", "Key"), three.map(([key]) => key));
  const put = `<Tagging><TagSet>${elements([["b", "2"], ["a", "1"]])}</TagSet></Tagging>`;
  await ok("PUT", "/bucket?tagging", { body: put });
  strictEqual(await list(), listed(["a", "1"], ["b", "2"]));
  // A change that changes nothing leaves the document as it was put.
  await ok("POST", TAGS, adding(["a", "1"]));
  await ok("DELETE", `${TAGS}?tagKeys=none&tagKeys=no%20such`, { headers: HEADER });
  strictEqual(await (await ok("GET", "/bucket?tagging")).text(), put);

  const removed = await ok("DELETE", `${TAGS}?tagKeys=a`, { headers: HEADER });
  strictEqual(removed.status, 204);
  strictEqual(await list(), listed(["b", "2"]));
  await ok("DELETE", `${TAGS}?tagKeys=b&tagKeys=c`, { headers: HEADER });
  strictEqual(await list(), listed());
  await assertError(await send("GET", "/bucket?tagging"), 404, "NoSuchTagSet");
});

Deno.test("the account is in the header or a label before the host, and must be the gateway's", async () => {
  const { ok, send } = await createTestGateway();
  for (const domain of ["localhost", "localhost:5222", "s3.test", "s3.test:443"]) {
    const host = `${ACCOUNT}.${domain}`;
    for (const headers of [{}, HEADER]) await ok("GET", TAGS, { host, headers });
    await ok("GET", TAGS, { host: domain, headers: HEADER });
    const wrong = { "x-amz-account-id": OTHER };
    for (
      const options of [
        { host: domain, headers: wrong },
        { host, headers: wrong },
        { host: `${OTHER}.${domain}`, headers: wrong },
        { host: `${OTHER}.${domain}`, headers: HEADER },
        { host: domain, headers: { "x-amz-account-id": "" } },
        { host: domain, headers: { "x-amz-account-id": `${ACCOUNT}, ${ACCOUNT}` } },
      ]
    ) await assertControlError(await send("GET", TAGS, options), 403, "AccessDenied");
  }
});

Deno.test("without an account the path is one of S3, so that a bucket may be called v20180820", async () => {
  const { ok, send } = await createTestGateway();
  const missing = await assertError(await send("GET", TAGS), 404, "NoSuchBucket");
  strictEqual(textOf(missing, "BucketName"), "v20180820");
  await ok("PUT", "/v20180820");
  await ok("PUT", "/v20180820/tags/a", { body: "path" });
  strictEqual(await (await ok("GET", "/tags/a", { host: "v20180820.s3.test" })).text(), "path");
  // A bucket in virtual-host style, among them one whose name is another account's number.
  for (const bucket of ["bucket", OTHER, `${ACCOUNT}.x`]) {
    await ok("PUT", `/${bucket}`);
    const host = `${bucket}.s3.test`;
    await ok("PUT", "/v20180820/tags/a", { host, body: bucket });
    strictEqual(await (await ok("GET", `/${bucket}/v20180820/tags/a`)).text(), bucket);
  }
  const host = "bucket.s3.test";
  await ok("GET", "/v20180820/tags/a", { host, headers: HEADER });
  // The bucket that is called as the account can be reached by its path.
  await ok("PUT", `/${ACCOUNT}`);
  await ok("PUT", `/${ACCOUNT}/v20180820/tags/a`, { body: "x" });
});

Deno.test("other methods and paths of S3 Control are not allowed", async () => {
  const { send } = await createTestGateway();
  for (const method of ["PUT", "PATCH", "HEAD"]) {
    const response = await send(method, TAGS, { headers: HEADER });
    strictEqual(response.headers.get("allow"), "GET, POST, DELETE");
    if (method === "HEAD") {
      strictEqual(response.status, 405);
      continue;
    }
    const error = await assertControlError(response, 405, "MethodNotAllowed");
    strictEqual(textOf(error, "Method"), method);
    strictEqual(textOf(error, "ResourceType"), "BUCKET_TAGS");
  }
  for (
    const path of [
      "",
      "configuration",
      "configuration/publicAccessBlocks",
      "configuration/publicAccessBlock/x",
      "accesspoint",
      "bucket/bucket/tagging",
      `tag/${encodeURIComponent("arn:aws:s3:::bucket")}`,
      "tagsx/arn",
      "TAGS/arn",
    ]
  ) {
    for (const method of ["GET", "PUT", "POST", "DELETE"]) {
      const response = await send(method, `/v20180820/${path}`, { headers: HEADER });
      await assertControlError(response, 405, "MethodNotAllowed");
    }
  }
});

Deno.test("an ARN is that of a bucket, or the answer is Amazon's", async () => {
  const { ok, send } = await createTestGateway();
  for (const arn of ["arn:aws:s3:::bucket", "arn:aws-cn:s3:::bucket"]) {
    for (const path of [tagsAt(arn), `/v20180820/tags/${arn}`]) {
      await ok("GET", path, { headers: HEADER });
    }
  }
  const refusals: readonly (readonly [arn: string, status: number, code: string])[] = [
    ["", 400, "InvalidURI"],
    ["bucket", 400, "InvalidURI"],
    ["not-an-arn", 400, "InvalidURI"],
    ["arn:aws:s3:::", 400, "InvalidURI"],
    ["arn:aws:s3:::bucket/key", 400, "InvalidURI"],
    ["arn:aws:s3:::b:c", 400, "InvalidURI"],
    ["arn:aws:s3:::a", 404, "NoSuchResource"],
    ["arn:aws:s3:::a b", 400, "InvalidURI"],
    ["arn::s3:::bucket", 400, "InvalidURI"],
    ["arn:aws:iam::111122223333:role/probe", 400, "InvalidURI"],
    ["arn%3Aaws%3As3%3A%3A%3Abucket", 400, "InvalidURI"],
    [`arn:aws:s3:us-east-1:${ACCOUNT}:job/1`, 400, "InvalidURI"],
    [`arn:aws:s3:us-east-1:${ACCOUNT}:accesspoint/`, 400, "InvalidURI"],
    [`arn:aws:s3:us-east-1::accesspoint/a`, 400, "InvalidURI"],
    [`arn:aws:s3:::${"b".repeat(1000)}`, 400, "InvalidURI"],
    [`arn:aws:s3:us-east-1:${ACCOUNT}:accesspoint/${"a".repeat(1000)}`, 400, "InvalidURI"],
    ["arn:aws:s3:::missing", 404, "NoSuchResource"],
    [`arn:aws:s3:us-east-1:${ACCOUNT}:accesspoint/bucket`, 404, "NoSuchResource"],
    [`arn:aws:s3:us-east-1:${ACCOUNT}:storage-lens-group/a`, 404, "NoSuchResource"],
    [`arn:aws:s3:us-east-1:${ACCOUNT}:access-grants/default`, 404, "NoSuchResource"],
    [`arn:aws:s3express:us-east-1:${ACCOUNT}:bucket/bucket--x--x-s3`, 404, "NoSuchResource"],
    [`arn:aws:s3:us-east-1:${OTHER}:accesspoint/bucket`, 400, "InvalidRequest"],
  ];
  for (const [arn, status, code] of refusals) {
    for (const [method, query, body] of [["GET"], ["POST", "", "x"], ["DELETE", "?tagKeys=a"]]) {
      const options = body === undefined ? { headers: HEADER } : adding(["a", "1"]);
      const response = await send(method ?? "", `${tagsAt(arn)}${query ?? ""}`, options);
      const error = await assertControlError(response, status, code);
      if (code === "InvalidURI") strictEqual(textOf(error, "URI"), `tags/${arn}`);
    }
  }
  const bare = await send("GET", "/v20180820/tags", { headers: HEADER });
  await assertControlError(bare, 400, "InvalidURI");
});

const INVALID =
  "This request contains a tag key or value that isn't valid. Valid characters include the following: [a-zA-Z+-=._:/]. Tag keys can contain up to 128 characters. Tag values can contain up to 256 characters.";
const NONE = "At least one tag is required.";
const DUPLICATE =
  "There are duplicate tag keys in your request. Remove the duplicate tag keys and try again.";
const MALFORMED =
  "The XML you provided was not well-formed or did not validate against our published schema";

Deno.test("tags that Amazon refuses change nothing", async () => {
  const { ok, send } = await createTestGateway();
  await ok("POST", TAGS, adding(...many(49), ["team", "a"]));
  const kept = await (await ok("GET", TAGS, { headers: HEADER })).text();
  const bodies: readonly (readonly [body: string, code: string, message: string])[] = [
    ["", "MissingRequestBodyError", "Request Body is empty"],
    ["<TagResourceRequest", "MalformedXML", MALFORMED],
    ["<Tagging><TagSet/></Tagging>", "MalformedXML", MALFORMED],
    ["<TagResourceRequest><TagSet/></TagResourceRequest>", "MalformedXML", MALFORMED],
    ["<TagResourceRequest><Tags><A/></Tags></TagResourceRequest>", "MalformedXML", MALFORMED],
    [request().replace("<Tags>", "<Tags/><Tags>"), "MalformedXML", MALFORMED],
    ["<TagResourceRequest/>", "InvalidTag", NONE],
    [request(), "InvalidTag", NONE],
    [request(["", "v"]), "InvalidTag", INVALID],
    [request(["k".repeat(129), "v"]), "InvalidTag", INVALID],
    [request(["k", "v".repeat(257)]), "InvalidTag", INVALID],
    [request(["k!", "v"]), "InvalidTag", INVALID],
    [request(["a", "1"], ["a", "2"]), "InvalidTag", DUPLICATE],
    [
      request(["AWS:a", "1"]),
      "InvalidTag",
      'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.',
    ],
    [request(...many(51)), "TooManyTags", "The number of tags exceeds the limit of 50 tags."],
    [request(["new", "51st"]), "TooManyTags", "The number of tags exceeds the limit of 50 tags."],
    [
      request(["a", "1"]) + " ".repeat(64 * 1024),
      "MaxMessageLengthExceeded",
      "Your request was too big.",
    ],
  ];
  for (const [body, code, message] of bodies) {
    const response = await send("POST", TAGS, { headers: HEADER, body });
    const error = await assertControlError(response, 400, code, message);
    strictEqual(error.children.some(({ name }) => name === "TagKey"), false);
  }
  const queries: readonly (readonly [query: string, message: string])[] = [
    ["", NONE],
    ["?tagkeys=team", NONE],
    ["?tagKeys=", INVALID],
    ["?tagKeys=%21", INVALID],
    [`?tagKeys=${"k".repeat(129)}`, INVALID],
    ["?tagKeys=team&tagKeys=team", "Duplicate tag keys are not supported."],
    [`?${many(51).map(([key]) => `tagKeys=${key}`).join("&")}`, INVALID],
  ];
  for (const [query, message] of queries) {
    const response = await send("DELETE", `${TAGS}${query}`, { headers: HEADER });
    await assertControlError(response, 400, "InvalidTag", message);
  }
  strictEqual(await (await ok("GET", TAGS, { headers: HEADER })).text(), kept);
  // A tag that is there may be replaced although there is no room for another one.
  await ok("POST", TAGS, adding(["team", "b"]));
});

Deno.test("a document that nobody validated is not changed", async () => {
  const { ok, send, store } = await createTestGateway();
  await store.putDocument("bucket" as never, "tagging", "<oops");
  for (
    const [method, options] of [["GET", { headers: HEADER }], ["POST", adding(["a", "1"])]] as const
  ) {
    await assertControlError(await send(method, TAGS, options), 500, "InternalError");
  }
  strictEqual(await (await ok("GET", "/bucket?tagging")).text(), "<oops");
});

Deno.test("requests that are not signed as they should be are refused in the form of S3 Control", async () => {
  const { send } = await createTestGateway();
  const headers = HEADER;
  for (const bucket of ["bucket", "missing"]) {
    const get = (options: Send): Promise<Response> => send("GET", tagsOf(bucket), options);
    await assertControlError(await get({ headers, anonymous: true }), 403, "AccessDenied");
    await assertControlError(await get({ headers, secret: "x" }), 403, "SignatureDoesNotMatch");
    await assertControlError(await get({ headers, accessKeyId: "x" }), 403, "InvalidAccessKeyId");
    for (const wrong of [{ service: "sts" }, { service: "s3control" }, { region: "eu-west-1" }]) {
      const response = await get({ headers, ...wrong });
      await assertControlError(response, 400, "AuthorizationHeaderMalformed");
    }
    const late = await get({ headers, now: new Date("2024-05-01T09:00:00Z") });
    await assertControlError(late, 403, "RequestTimeTooSkewed");
  }
  const label = { host: `${ACCOUNT}.s3.test`, anonymous: true };
  await assertControlError(await send("GET", TAGS, label), 403, "AccessDenied");
});

Deno.test("S3 Control has no SigV2, which would not sign the keys of tags", async () => {
  const sigv2 = createAuthenticate({ ...authenticationIn(REGION), sigv2: "on" });
  const { send } = await createTestGateway({ authenticate: sigv2 });
  const date = { date: NOW.toUTCString(), authorization: "AWS alice:x" };
  const presigned = "AWSAccessKeyId=alice&Expires=9999999999&Signature=x";
  for (const [headers, query] of [[date, ""], [{}, `?${presigned}`]] as const) {
    const control = { anonymous: true, headers: { ...HEADER, ...headers } };
    const refused = await send("GET", `${TAGS}${query}`, control);
    await assertControlError(refused, 400, "InvalidRequest");
    const s3 = await send("GET", `/bucket${query}`, { anonymous: true, headers });
    await assertError(s3, 403, "SignatureDoesNotMatch");
  }
});

Deno.test("a bucket of Terraform's AWS provider gets, changes and loses its tags", async () => {
  const { ok, send } = await createTestGateway();
  /** Sends a request as the AWS SDK for Go does. */
  const go = (operation: string, options: Send = {}): Send => ({
    host: `${ACCOUNT}.s3.test`,
    ...options,
    headers: {
      "accept-encoding": "identity",
      "amz-sdk-invocation-id": "5d6b1f0e-3b52-4b2f-9a57-2f1a7c1e6a11",
      "amz-sdk-request": "attempt=1; max=25",
      "user-agent": `APN/1.0 HashiCorp/1.0 Terraform/1.14.4 api/s3control ${operation}`,
      ...(options.body === undefined ? {} : { "content-type": "application/xml" }),
      ...HEADER,
    },
  });
  const caller = await (await ok("POST", "/", {
    service: "sts",
    statesHash: false,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "Action=GetCallerIdentity&Version=2011-06-15",
  })).text();
  strictEqual(caller.includes(`<Account>${ACCOUNT}</Account>`), true);

  const tags = tagsOf("made-by-terraform");
  const list = async (): Promise<readonly string[]> => {
    const text = await (await ok("GET", tags, go("ListTagsForResource"))).text();
    const root = parseXml(text, "ListTagsForResourceResult");
    const [keys, values] = ["Key", "Value"].map((name) => textsAt(root, "Tags", "Tag", name));
    return keys?.map((key, i) => `${key}=${values?.[i]}`) ?? [];
  };
  const missing = await send("GET", tags, go("ListTagsForResource"));
  await assertControlError(missing, 404, "NoSuchResource");
  const created = elements([["Name", "made by Terraform"], ["env", "dev"]]);
  await ok("PUT", "/made-by-terraform", {
    body: `<CreateBucketConfiguration><Tags>${created}</Tags></CreateBucketConfiguration>`,
  });
  deepStrictEqual(await list(), ["Name=made by Terraform", "env=dev"]);
  await ok("DELETE", `${tags}?tagKeys=env`, go("UntagResource"));
  const body = request(["Name", "changed"], ["owner", "me"]);
  await ok("POST", tags, go("TagResource", { body }));
  deepStrictEqual(await list(), ["Name=changed", "owner=me"]);
  const other = await send("GET", "/v20180820/jobs", go("ListJobs"));
  await assertControlError(other, 405, "MethodNotAllowed");
  await ok("DELETE", "/made-by-terraform");
  await assertControlError(await send("GET", tags, go("List")), 404, "NoSuchResource");
  await ok("PUT", "/made-by-terraform");
  deepStrictEqual(await list(), []);
});

Deno.test("a preflight of S3 Control is refused as Amazon refuses it", async () => {
  const { send } = await createTestGateway();
  const host = `${ACCOUNT}.localhost`;
  const headers = { origin: "https://a.test", "access-control-request-method": "POST" };
  for (const bucket of ["bucket", "missing"]) {
    const response = await send("OPTIONS", tagsOf(bucket), { host, headers, anonymous: true });
    const message = "CORSResponse: Bucket not found";
    const error = await assertControlError(response, 403, "AccessForbidden", message);
    strictEqual(textOf(error, "ResourceType"), "BUCKET");
  }
});

Deno.test("the record of a request names its operation and its bucket", async () => {
  const records: RequestRecord[] = [];
  const { ok, send } = await createTestGateway({
    observe: (record) => void records.push(record),
  });
  records.length = 0;
  await ok("GET", TAGS, { headers: HEADER });
  await send("GET", "/v20180820/jobs", { headers: HEADER });
  deepStrictEqual(
    records.map(({ operation, bucket, key, user, code }) => [operation, bucket, key, user, code]),
    [
      ["ListTagsForResource", "bucket", undefined, "alice", undefined],
      [undefined, undefined, undefined, "alice", "MethodNotAllowed"],
    ],
  );
});
