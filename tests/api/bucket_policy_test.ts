/** The bucket policy for everybody: its operations, and what it lets callers do whom nobody knows. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { formatPublicRead } from "../../src/s3/policy.ts";
import { textOf } from "../../src/s3/xml_reader.ts";
import { assertError, createTestGateway, readXml } from "./test_gateway.ts";

const POLICY = formatPublicRead("bucket");
const anonymous = true;

Deno.test("the policy for everybody is returned as it was put, and can be deleted", async () => {
  const { send, ok } = await createTestGateway();
  const missing = async (): Promise<void> => {
    for (const name of ["policy", "policyStatus"]) {
      const error = await assertError(
        await send("GET", `/bucket?${name}`),
        404,
        "NoSuchBucketPolicy",
      );
      strictEqual(textOf(error, "BucketName"), "bucket");
    }
  };
  await missing();
  for (const body of [POLICY, JSON.stringify(JSON.parse(POLICY), null, 2)]) {
    strictEqual((await ok("PUT", "/bucket?policy", { body })).status, 204);
    const response = await ok("GET", "/bucket?policy");
    strictEqual(response.headers.get("content-type"), "application/json");
    strictEqual(await response.text(), body);
    const status = await readXml(await ok("GET", "/bucket?policyStatus"), "PolicyStatus");
    strictEqual(textOf(status, "IsPublic"), "true");
  }
  strictEqual((await ok("DELETE", "/bucket?policy")).status, 204);
  strictEqual((await ok("DELETE", "/bucket?policy")).status, 204);
  await missing();
});

Deno.test("a policy that is not one is refused and changes nothing", async () => {
  const { send, ok } = await createTestGateway();
  await ok("PUT", "/bucket?policy", { body: POLICY });
  for (
    const [body, status, code] of [
      ["", 400, "MalformedPolicy"],
      ["<Policy/>", 400, "MalformedPolicy"],
      [`[${POLICY}]`, 400, "MalformedPolicy"],
      [` ${POLICY}`, 400, "MalformedPolicy"],
      [POLICY + " ".repeat(20 * 1024), 400, "MalformedPolicy"],
      [POLICY + " ".repeat(64 * 1024), 400, "MaxMessageLengthExceeded"],
      [formatPublicRead("other"), 400, "MalformedPolicy"],
      ["{}", 400, "MalformedPolicy"],
      [POLICY.replace('"Allow"', '"Permit"'), 400, "MalformedPolicy"],
    ] as const
  ) await assertError(await send("PUT", "/bucket?policy", { body }), status, code);
  strictEqual(await (await ok("GET", "/bucket?policy")).text(), POLICY);
  for (const method of ["GET", "PUT", "DELETE"]) {
    const body = method === "PUT" ? { body: formatPublicRead("missing") } : {};
    await assertError(await send(method, "/missing?policy", body), 404, "NoSuchBucket");
  }
  await assertError(await send("GET", "/missing?policyStatus"), 404, "NoSuchBucket");
});

Deno.test("everybody may read the objects of a public bucket, and do nothing else", async () => {
  const { send, ok } = await createTestGateway();
  await ok("PUT", "/other");
  for (const bucket of ["bucket", "other"]) await ok("PUT", `/${bucket}/key`, { body: "hello" });
  const refused = async (method: string, target: string): Promise<void> => {
    const response = await send(method, target, { anonymous });
    if (method === "HEAD") strictEqual(response.status, 403, target);
    else await assertError(response, 403, "AccessDenied");
  };
  for (const method of ["GET", "HEAD"]) await refused(method, "/bucket/key");
  await ok("PUT", "/bucket?policy", { body: POLICY });

  const response = await ok("GET", "/bucket/key", { anonymous });
  strictEqual(await response.text(), "hello");
  const etag = response.headers.get("etag") ?? "";
  strictEqual((await ok("HEAD", "/bucket/key", { anonymous })).headers.get("etag"), etag);
  const range = await send("GET", "/bucket/key", { anonymous, headers: { range: "bytes=1-2" } });
  deepStrictEqual([range.status, await range.text()], [206, "el"]);
  const headers = { "if-none-match": etag };
  strictEqual((await send("GET", "/bucket/key", { anonymous, headers })).status, 304);
  await assertError(
    await send("GET", "/bucket/key", { anonymous, headers: { range: "bytes=9-" } }),
    416,
    "InvalidRange",
  );
  await assertError(
    await send("GET", "/bucket/key?response-content-type=text/html", { anonymous }),
    400,
    "InvalidRequest",
  );

  // A caller who may not list learns nothing of other keys.
  for (const method of ["GET", "HEAD"]) {
    await refused(method, "/bucket/none");
    await refused(method, "/other/key");
  }
  for (const method of ["GET", "PUT", "DELETE"]) await refused(method, "/bucket");
  for (const name of ["policy", "website", "policyStatus", "location", "list-type=2"]) {
    await refused("GET", `/bucket?${name}`);
  }
  for (const name of ["attributes", "tagging", "acl", "uploadId=x"]) {
    await refused("GET", `/bucket/key?${name}`);
  }
  for (const method of ["PUT", "DELETE", "POST"]) await refused(method, "/bucket/key");
  await refused("PUT", "/bucket?policy");
  await refused("POST", "/bucket/key?uploads");

  await ok("DELETE", "/bucket?policy");
  for (const method of ["GET", "HEAD"]) await refused(method, "/bucket/key");
});

Deno.test("a policy that grants something else, or that nobody can read, lets nobody in", async () => {
  const { store, ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "hello" });
  await ok("PUT", "/bucket?policy", { body: POLICY });
  let text: string | undefined;
  store.knownDocument = () => undefined;
  store.readDocument = (_bucket, kind) => {
    if (kind !== "policy") return Promise.resolve(undefined);
    if (text === undefined) return Promise.reject(new Error("JetStream does not respond"));
    return Promise.resolve(text);
  };
  const read = async (): Promise<number> => {
    const response = await send("GET", "/bucket/key", { anonymous });
    await response.body?.cancel();
    return response.status;
  };
  strictEqual(await read(), 500);
  for (const other of ["{", "{}", formatPublicRead("other"), POLICY.replace("Allow", "Deny")]) {
    text = other;
    strictEqual(await read(), 403, other);
  }
  text = POLICY;
  strictEqual(await read(), 200);
  text = undefined;
  strictEqual(await read(), 500);
});

Deno.test("strangers look up a limited number of unknown buckets at a time, and no flood shuts off a known one", async () => {
  const { handler, store, ok } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "hello" });
  await ok("PUT", "/bucket?policy", { body: POLICY });
  const ask = (target: string): Promise<Response> =>
    handler(new Request(`http://localhost${target}`));
  strictEqual((await ask("/bucket/key")).status, 200);
  const { readDocument } = store;
  const wait = Promise.withResolvers<void>();
  let lookups = 0;
  store.readDocument = async (bucket, kind) => {
    if (bucket !== "bucket") {
      lookups++;
      await wait.promise;
    }
    return await readDocument(bucket, kind);
  };
  const requests = Array.from({ length: 500 }, (_, i) => ask(`/missing-${i}/key`));
  strictEqual((await requests.at(-1))?.status, 503);
  strictEqual(lookups, 32);
  strictEqual((await ask("/bucket/key")).status, 200);
  wait.resolve();
  const statuses = await Promise.all(requests.map(async (request) => (await request).status));
  strictEqual(statuses.filter((status) => status === 404).length, 32);
  strictEqual(statuses.filter((status) => status === 503).length, 468);
  strictEqual((await ask("/missing/key")).status, 404);
  strictEqual(lookups, 33);
});

Deno.test("PutBucketPolicy says what is wrong with a policy", async () => {
  const { send } = await createTestGateway({
    hasPrincipal: (arn) => !arn.includes("444455556666"),
  });
  const statement = {
    Effect: "Allow",
    Principal: "*",
    Action: "s3:GetObject",
    Resource: "arn:aws:s3:::bucket/*",
  };
  const rows: readonly (readonly [change: Readonly<Record<string, unknown>>, message: RegExp])[] = [
    [{ Action: "s3:ReadObject" }, /invalid action/],
    [{ Action: "s3:ListBucket" }, /Action does not apply to any resource/],
    [{ Resource: "arn:aws:s3:::other/*" }, /invalid resource/],
    [{ Principal: undefined }, /Principal/],
    [{ Principal: { AWS: "arn:aws:iam::444455556666:root" } }, /Invalid principal/],
    [{ Condition: { StringEquals: { "s3:Unknown": "a" } } }, /invalid condition key/],
    [{ Condition: { Equals: { "s3:prefix": "a" } } }, /Invalid Condition type/],
    [{ Effect: "Permit" }, /effect/i],
  ];
  for (const [change, message] of rows) {
    const body = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ ...statement, ...change }],
    });
    const error = await assertError(
      await send("PUT", "/bucket?policy", { body }),
      400,
      "MalformedPolicy",
    );
    match(textOf(error, "Message"), message, body);
  }
  const twice = POLICY.replace('"Effect":"Allow"', '"Effect":"Allow","Effect":"Deny"');
  const deep = `{"Version":"2012-10-17","Statement":${"[".repeat(5000)}${"]".repeat(5000)}}`;
  for (const body of [twice, deep]) {
    await assertError(await send("PUT", "/bucket?policy", { body }), 400, "MalformedPolicy");
  }
  await assertError(await send("GET", "/bucket?policy"), 404, "NoSuchBucketPolicy");
});

Deno.test("GetBucketPolicyStatus tells whether a policy is public", async () => {
  const { ok } = await createTestGateway();
  const rows: readonly (readonly [change: Readonly<Record<string, unknown>>, isPublic: boolean])[] =
    [
      [{}, true],
      [{ Effect: "Deny" }, false],
      [{ Principal: { AWS: "111122223333" } }, false],
      [{ Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } } }, false],
      [{ Condition: { IpAddress: { "aws:SourceIp": "0.0.0.0/1" } } }, true],
    ];
  for (const [change, isPublic] of rows) {
    const statement = { ...JSON.parse(POLICY).Statement[0], ...change };
    const body = JSON.stringify({ Version: "2012-10-17", Statement: statement });
    await ok("PUT", "/bucket?policy", { body });
    const status = await readXml(await ok("GET", "/bucket?policyStatus"), "PolicyStatus");
    strictEqual(textOf(status, "IsPublic"), String(isPublic), body);
  }
});
