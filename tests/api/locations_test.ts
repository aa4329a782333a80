/** Locations of buckets: LocationConstraint, the answers that name a bucket's location, and the regions of signatures. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import {
  assertError,
  authenticateIn,
  createTestGateway,
  readXml,
  textsAt,
} from "./test_gateway.ts";
import type { TestGateway } from "./test_gateway.ts";

const LOCATIONS = ["eu", "eu-west-1", "us_2.fast"];

async function createGateway(
  region = "us-east-1",
  locations: readonly string[] = LOCATIONS,
): Promise<TestGateway> {
  const authenticate = authenticateIn(region, locations);
  return await createTestGateway({ region, locations, authenticate });
}

const constraint = (location: string): string =>
  `<CreateBucketConfiguration><LocationConstraint>${location}</LocationConstraint></CreateBucketConfiguration>`;

async function locationOf({ ok }: TestGateway, bucket: string, region: string): Promise<string> {
  const response = await ok("GET", `/${bucket}?location`, { region });
  return (await readXml(response, "LocationConstraint")).text;
}

Deno.test("CreateBucket creates a bucket in the location that it names, and every answer names it", async () => {
  const gateway = await createGateway();
  const { ok, send } = gateway;
  await ok("PUT", "/b-eu", { body: constraint("eu") });
  await ok("PUT", "/b-us", { body: constraint("us_2.fast") });
  await ok("PUT", "/b-home", { body: constraint("us-east-1") });
  for (const region of ["us-east-1", ...LOCATIONS]) {
    strictEqual(await locationOf(gateway, "b-eu", region), "eu");
    strictEqual(await locationOf(gateway, "b-us", region), "us_2.fast");
    strictEqual(await locationOf(gateway, "b-home", region), "");
    strictEqual(await locationOf(gateway, "bucket", region), "");
    for (
      const [method, target, expected] of [
        ["HEAD", "/b-eu", "eu"],
        ["HEAD", "/bucket", "us-east-1"],
        ["GET", "/b-us?list-type=2", "us_2.fast"],
        ["GET", "/b-eu/none", "eu"],
        ["GET", "/b-eu/none?tagging=x&acl", "eu"],
      ] as const
    ) {
      const response = await send(method, target, { region });
      await response.body?.cancel();
      strictEqual(response.headers.get("x-amz-bucket-region"), expected, `${region} ${target}`);
    }
  }
  const denied = await send("HEAD", "/b-eu", { anonymous: true });
  strictEqual(denied.headers.get("x-amz-bucket-region"), "eu");
});

Deno.test("CreateBucket without a constraint uses the location that the request is signed for", async () => {
  const gateway = await createGateway();
  await gateway.ok("PUT", "/b-signed", { region: "eu" });
  strictEqual(await locationOf(gateway, "b-signed", "us-east-1"), "eu");
  await gateway.ok("PUT", "/b-home", { region: "eu", body: constraint("us-east-1") });
  strictEqual(await locationOf(gateway, "b-home", "eu"), "");
});

Deno.test("CreateBucket accepts EU as the old name of eu-west-1", async () => {
  const gateway = await createGateway();
  await gateway.ok("PUT", "/b-old", { body: constraint("EU") });
  strictEqual(await locationOf(gateway, "b-old", "us-east-1"), "eu-west-1");
  const named = await createGateway("us-east-1", ["EU", "eu-west-1"]);
  await named.ok("PUT", "/b-old", { body: constraint("EU") });
  strictEqual(await locationOf(named, "b-old", "us-east-1"), "EU");
});

Deno.test("CreateBucket refuses a location that is neither the region nor configured", async () => {
  const { send } = await createGateway();
  for (const unknown of ["mars", "eu-central-1", "eu:fast", "EU2"]) {
    const error = await assertError(
      await send("PUT", "/b-new", { body: constraint(unknown) }),
      400,
      "InvalidLocationConstraint",
    );
    strictEqual(textOf(error, "LocationConstraint"), unknown);
  }
  strictEqual((await send("HEAD", "/b-new")).status, 404);
});

Deno.test("a location named like the region holds the buckets that name none", async () => {
  const gateway = await createGateway("eu", ["eu"]);
  const { send, ok, store } = gateway;
  await ok("PUT", "/b-eu", { region: "eu" });
  strictEqual((await store.readBucket("b-eu" as never)).location, "eu");
  await assertError(await send("GET", "/b-eu"), 400, "AuthorizationHeaderMalformed");
});

Deno.test("With --s3.region * locations are kept, and any other constraint is accepted", async () => {
  const gateway = await createGateway("*");
  await gateway.ok("PUT", "/b-eu", { body: constraint("eu") });
  await gateway.ok("PUT", "/b-any", { body: constraint("mars") });
  strictEqual(await locationOf(gateway, "b-eu", "venus"), "eu");
  strictEqual(await locationOf(gateway, "b-any", "venus"), "venus");
});

Deno.test("ListBuckets names the location of each bucket and selects by it", async () => {
  const { ok } = await createGateway();
  await ok("PUT", "/b-eu", { body: constraint("eu") });
  const list = async (query: string): Promise<readonly (readonly string[])[]> => {
    const root = await readXml(await ok("GET", `/?${query}`), "ListAllMyBucketsResult");
    return [
      textsAt(root, "Buckets", "Bucket", "Name"),
      textsAt(root, "Buckets", "Bucket", "BucketRegion"),
    ];
  };
  deepStrictEqual(await list("prefix="), [["b-eu", "bucket"], ["eu", "us-east-1"]]);
  deepStrictEqual(await list("bucket-region=eu"), [["b-eu"], ["eu"]]);
  deepStrictEqual(await list("bucket-region=us-east-1"), [["bucket"], ["us-east-1"]]);
  deepStrictEqual(await list("bucket-region=mars"), [[], []]);
});

Deno.test("requests may be signed for the region or any location, and for nothing else", async () => {
  const { send, ok } = await createGateway();
  for (const region of ["us-east-1", ...LOCATIONS]) {
    await ok("PUT", "/bucket/key", { region, body: "x" });
    // The second one of a kind takes a shortcut.
    await ok("GET", "/bucket/key", { region });
  }
  const plain = await createTestGateway();
  await assertError(
    await plain.send("GET", "/bucket", { region: "eu" }),
    400,
    "AuthorizationHeaderMalformed",
  );
  const error = await assertError(
    await send("GET", "/bucket/key", { region: "mars" }),
    400,
    "AuthorizationHeaderMalformed",
  );
  strictEqual(textOf(error, "Region"), "us-east-1");
});

Deno.test("a gateway without the setting answers the location of a bucket that has one", async () => {
  const { ok, store } = await createTestGateway();
  await store.createBucket("b-eu" as never, "alice", { location: "eu" });
  strictEqual((await ok("HEAD", "/b-eu")).headers.get("x-amz-bucket-region"), "eu");
  const response = await ok("GET", "/b-eu?location");
  strictEqual((await readXml(response, "LocationConstraint")).text, "eu");
});
