import { strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import {
  assertError,
  authenticateIn,
  createTestGateway,
  readXml,
  type Send,
  type TestGateway,
  textsAt,
} from "./test_gateway.ts";

const REGION_HEADER = "x-amz-bucket-region";

/** A gateway that accepts requests for any region. */
async function createAnyRegionGateway(): Promise<TestGateway> {
  return await createTestGateway({ region: "*", authenticate: authenticateIn("*") });
}

/** Sends a request and returns the status and the region of its response. */
async function regionOf(
  { send }: TestGateway,
  method: string,
  target: string,
  options?: Send,
): Promise<string> {
  const response = await send(method, target, options);
  await response.body?.cancel();
  return `${response.status} ${response.headers.get(REGION_HEADER)}`;
}

Deno.test("Every response about a bucket names its region, errors included", async () => {
  const gateway = await createTestGateway();
  await gateway.ok("PUT", "/bucket/key", { body: "x" });
  const rows: readonly (readonly [method: string, target: string, expected: string, Send?])[] = [
    ["HEAD", "/bucket", "200 us-east-1"],
    ["GET", "/bucket", "200 us-east-1"],
    ["GET", "/bucket?list-type=2", "200 us-east-1"],
    ["GET", "/bucket?location", "200 us-east-1"],
    ["GET", "/bucket?policy", "404 us-east-1"],
    ["GET", "/bucket?session", "501 us-east-1"],
    ["GET", "/bucket?max-keys=x", "400 us-east-1"],
    ["PATCH", "/bucket", "405 us-east-1"],
    ["PUT", "/created", "200 us-east-1"],
    ["DELETE", "/bucket", "409 us-east-1"],
    ["DELETE", "/created", "204 us-east-1"],
    ["HEAD", "/missing", "404 null"],
    ["GET", "/missing/key", "404 null"],
    // As on Amazon, a successful response about an object does not name it.
    ["GET", "/bucket/key", "200 null"],
    ["GET", "/bucket/none", "404 us-east-1"],
    ["HEAD", "/bucket/none", "404 us-east-1"],
    ["GET", "/", "200 null"],
    ["HEAD", "/bucket", "403 us-east-1", { anonymous: true }],
    ["GET", "/bucket/key", "403 us-east-1", { anonymous: true }],
    ["GET", "/bucket", "403 us-east-1", { secret: "wrong" }],
    ["HEAD", "/bucket/key", "403 us-east-1", { secret: "wrong" }],
    ["HEAD", "/missing", "403 null", { secret: "wrong" }],
    ["HEAD", "/bucket", "403 us-east-1", { headers: { "x-amz-expected-bucket-owner": "bob" } }],
  ];
  for (const [method, target, expected, options] of rows) {
    strictEqual(
      await regionOf(gateway, method, target, options),
      expected,
      `${method} ${target} ${JSON.stringify(options)}`,
    );
  }
});

Deno.test("A refusal for the wrong region names the right one, whether the bucket exists or not", async () => {
  const gateway = await createTestGateway();
  const region = "eu-west-1";
  for (const target of ["/bucket", "/bucket/key", "/missing"]) {
    strictEqual(await regionOf(gateway, "HEAD", target, { region }), "400 us-east-1");
    const response = await gateway.send("GET", target, { region });
    strictEqual(response.headers.get(REGION_HEADER), "us-east-1");
    const error = await assertError(response, 400, "AuthorizationHeaderMalformed");
    strictEqual(textOf(error, "Region"), "us-east-1");
  }
});

Deno.test("Everybody is told whether a bucket exists, and nobody whether a key does", async () => {
  const { ok, send, store } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  const anonymous = true;
  for (const target of ["/bucket", "/bucket/key", "/bucket/none", "/bucket?policy"]) {
    const response = await send("GET", target, { anonymous });
    strictEqual(response.headers.get(REGION_HEADER), "us-east-1");
    await assertError(response, 403, "AccessDenied");
  }
  for (const target of ["/missing", "/missing/key", "/missing?policy"]) {
    for (const method of ["GET", "POST", "DELETE"]) {
      const response = await send(method, target, { anonymous });
      strictEqual(response.headers.get(REGION_HEADER), null);
      const error = await assertError(response, 404, "NoSuchBucket");
      strictEqual(textOf(error, "BucketName"), "missing");
    }
    strictEqual((await send("HEAD", target, { anonymous })).status, 404);
  }
  await assertError(await send("PUT", "/missing/key", { anonymous }), 404, "NoSuchBucket");
  // Who may not create a bucket is told so.
  await assertError(await send("PUT", "/missing", { anonymous }), 403, "AccessDenied");
  await assertError(await send("GET", "/", { anonymous }), 403, "AccessDenied");

  store.hasBucket = () => Promise.reject(new Error("JetStream does not respond"));
  await assertError(await send("GET", "/missing?cors", { anonymous }), 403, "AccessDenied");
});

Deno.test("Unsigned requests look up a limited number of buckets at a time", async () => {
  const { handler, store } = await createTestGateway();
  const found = Promise.withResolvers<boolean>();
  let lookups = 0;
  store.hasBucket = () => {
    lookups++;
    return found.promise;
  };
  const requests = Array.from(
    { length: 500 },
    (_, i) => handler(new Request(`http://localhost/missing-${i}?cors`)),
  );
  // The others need no answer of JetStream.
  await requests.at(-1);
  strictEqual(lookups, 32);
  found.resolve(false);
  const statuses = await Promise.all(requests.map(async (request) => (await request).status));
  strictEqual(statuses.filter((status) => status === 404).length, 32);
  strictEqual(statuses.filter((status) => status === 403).length, 468);
  await handler(new Request("http://localhost/missing?cors"));
  strictEqual(lookups, 33);
});

Deno.test("With --s3.region * a bucket is in the region that a request was signed for", async () => {
  const gateway = await createAnyRegionGateway();
  const { ok } = gateway;
  await ok("PUT", "/bucket/key", { body: "x" });
  for (const region of ["us-east-1", "garage", "auto", "test", "eu_west.1"]) {
    strictEqual(await regionOf(gateway, "HEAD", "/bucket", { region }), `200 ${region}`);
    strictEqual(await regionOf(gateway, "GET", "/bucket/none", { region }), `404 ${region}`);
    const secret = "wrong";
    strictEqual(await regionOf(gateway, "GET", "/bucket", { region, secret }), `403 ${region}`);
    const location = await readXml(
      await ok("GET", "/bucket?location", { region }),
      "LocationConstraint",
    );
    strictEqual(location.text, region === "us-east-1" ? "" : region);
    const list = await ok("GET", `/?bucket-region=${region}`, { region });
    const root = await readXml(list, "ListAllMyBucketsResult");
    strictEqual(textsAt(root, "Buckets", "Bucket", "BucketRegion")[0], region);
  }
  strictEqual(await regionOf(gateway, "HEAD", "/bucket", { anonymous: true }), "403 us-east-1");
});

Deno.test("With --s3.region * a region must be a name", async () => {
  const { send } = await createAnyRegionGateway();
  for (const region of ["", "a b", "ü", "x".repeat(65), "*"]) {
    await assertError(await send("GET", "/", { region }), 400, "AuthorizationHeaderMalformed");
  }
});

Deno.test("With --s3.region * CreateBucket accepts any location that is not a placement", async () => {
  const { ok, send } = await createAnyRegionGateway();
  const document = (location: string) =>
    `<CreateBucketConfiguration><LocationConstraint>${location}</LocationConstraint></CreateBucketConfiguration>`;
  for (const [i, location] of ["garage", "eu-west-1", "EU", "us-east-1", ""].entries()) {
    await ok("PUT", `/created-${i}`, { body: document(location), region: "test" });
  }
  for (const placement of [":fast", "default:fast"]) {
    const refused = await send("PUT", "/placed", { body: document(placement), region: "test" });
    await assertError(refused, 400, "InvalidLocationConstraint");
  }
});
