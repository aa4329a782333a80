import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import { assertError, authenticateIn, createTestGateway } from "./test_gateway.ts";

const configuration = (inside: string): string =>
  `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</CreateBucketConfiguration>`;
const inRegion = (region: string): string =>
  configuration(`<LocationConstraint>${region}</LocationConstraint>`);

Deno.test("CreateBucket records the owner and returns the location of the bucket", async () => {
  const { ok, store } = await createTestGateway();
  const response = await ok("PUT", "/new-bucket");
  strictEqual(response.headers.get("location"), "/new-bucket");
  strictEqual(
    (await store.listBuckets()).find(({ name }) => name === "new-bucket")?.owner,
    "alice",
  );
});

Deno.test("CreateBucket accepts this region's location constraint", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket-1", { body: inRegion("us-east-1") });
  await ok("PUT", "/bucket-2", { body: inRegion("") });
  await ok("PUT", "/bucket-3", { body: configuration("") });
  const elsewhere = await send("PUT", "/bucket-4", { body: inRegion("eu-west-1") });
  await assertError(elsewhere, 400, "IllegalLocationConstraintException");
  const nowhere = await send("PUT", "/bucket-4", { body: inRegion("the moon") });
  await assertError(nowhere, 400, "InvalidLocationConstraint");
  await assertError(await send("PUT", "/bucket-4", { body: "<oops" }), 400, "MalformedXML");
  const directory = configuration("<Bucket><Type>Directory</Type></Bucket>");
  await assertError(await send("PUT", "/bucket-4", { body: directory }), 501, "NotImplemented");
  strictEqual((await send("HEAD", "/bucket-4")).status, 404);
});

Deno.test("CreateBucket accepts a configuration of at most 64 KiB", async () => {
  const { ok, send } = await createTestGateway();
  const body = (size: number): string => `<CreateBucketConfiguration/>`.padEnd(size);
  await ok("PUT", "/bucket-2", { body: body(65_536) });
  const error = await assertError(
    await send("PUT", "/bucket-3", { body: body(65_537) }),
    400,
    "MaxMessageLengthExceeded",
  );
  strictEqual(textOf(error, "MaxMessageLengthBytes"), "65536");
});

Deno.test("CreateBucket of one's own bucket succeeds in us-east-1 and changes nothing", async () => {
  const { ok, store } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  const before = await store.listBuckets();
  const response = await ok("PUT", "/bucket");
  strictEqual(response.headers.get("location"), "/bucket");
  strictEqual(response.headers.get("x-amz-bucket-arn"), null);
  await ok("PUT", "/bucket", { body: inRegion("us-east-1") });
  deepStrictEqual(await store.listBuckets(), before);
  await ok("HEAD", "/bucket/key");
});

Deno.test("CreateBucket of one's own bucket is an error in every other region", async () => {
  for (const region of ["eu-west-1", "*"]) {
    const { send } = await createTestGateway({ region, authenticate: authenticateIn(region) });
    const again = await send("PUT", "/bucket", { region: "eu-west-1" });
    await assertError(again, 409, "BucketAlreadyOwnedByYou");
  }
});

Deno.test("CreateBucket refuses a bucket that exists, and names that are not valid", async () => {
  const { send, store } = await createTestGateway();
  const { createBucket } = store;
  store.createBucket = (bucket, _owner) => createBucket(bucket, "bob");
  await assertError(await send("PUT", "/bucket"), 409, "BucketAlreadyExists");
  for (const name of ["Capital", "ab", "a_b_c", "192.168.0.1", "a..b"]) {
    await assertError(await send("PUT", `/${name}`), 400, "InvalidBucketName");
  }
});

Deno.test("CreateBucket refuses settings that the gateway does not enforce", async () => {
  const { ok, send } = await createTestGateway();
  const rows: [string, string, number, string][] = [
    ["x-amz-bucket-object-lock-enabled", "yes", 400, "InvalidArgument"],
    ["x-amz-object-ownership", "ObjectWriter", 501, "NotImplemented"],
    ["x-amz-acl", "public-read", 400, "AccessControlListNotSupported"],
    ["x-amz-grant-write", "id=x", 400, "AccessControlListNotSupported"],
  ];
  for (const [name, value, status, code] of rows) {
    await assertError(
      await send("PUT", "/new-bucket", { headers: { [name]: value } }),
      status,
      code,
    );
  }
  const headers = {
    "x-amz-object-ownership": "BucketOwnerEnforced",
    "x-amz-acl": "private",
    "x-amz-bucket-object-lock-enabled": "false",
  };
  await ok("PUT", "/new-bucket", { headers });
});
