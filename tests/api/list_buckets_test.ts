import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { assertError, createTestGateway, readXml, textsAt } from "./test_gateway.ts";

Deno.test("ListBuckets shows all buckets by name", async () => {
  const { ok } = await createTestGateway();
  for (const name of ["zebra", "a.b.c"]) await ok("PUT", `/${name}`);
  const root = await readXml(await ok("GET", "/"), "ListAllMyBucketsResult");
  deepStrictEqual(textsAt(root, "Buckets", "Bucket", "Name"), ["a.b.c", "bucket", "zebra"]);
  deepStrictEqual(
    textsAt(root, "Buckets", "Bucket", "CreationDate")[0],
    "2024-05-01T10:00:00.000Z",
  );
  deepStrictEqual(textsAt(root, "Owner", "ID"), ["alice"]);
  deepStrictEqual(textsAt(root, "Buckets", "Bucket", "BucketRegion"), []);
});

Deno.test("ListBuckets returns pages on request", async () => {
  const { ok } = await createTestGateway();
  for (const name of ["bucket-2", "bucket-3", "other"]) await ok("PUT", `/${name}`);
  const names: string[] = [];
  let token: string | undefined;
  do {
    const more: string = token === undefined ? "" : `&continuation-token=${token}`;
    const response = await ok("GET", `/?max-buckets=2&prefix=bucket${more}`);
    const root = await readXml(response, "ListAllMyBucketsResult");
    names.push(...textsAt(root, "Buckets", "Bucket", "Name"));
    strictEqual(textsAt(root, "Buckets", "Bucket", "BucketRegion")[0], "us-east-1");
    [token] = textsAt(root, "ContinuationToken");
  } while (token !== undefined);
  deepStrictEqual(names, ["bucket", "bucket-2", "bucket-3"]);
});

Deno.test("ListBuckets shows when each bucket was created, regardless of later writes", async () => {
  let now = Date.UTC(2024, 4, 1);
  const store = createMemoryStore({ minPartSize: 5, now: () => new Date(now) });
  const { ok } = await createTestGateway({ store });
  const dates = async () => {
    const root = await readXml(await ok("GET", "/"), "ListAllMyBucketsResult");
    return textsAt(root, "Buckets", "Bucket", "CreationDate");
  };
  now += 1234;
  await ok("PUT", "/later");
  const made = ["2024-05-01T00:00:00.000Z", "2024-05-01T00:00:01.000Z"];
  deepStrictEqual(await dates(), made);
  now += 60_000;
  await ok("PUT", "/later/key", { body: "x" });
  await ok("DELETE", "/later/key");
  deepStrictEqual(await dates(), made);
  await ok("DELETE", "/later");
  await ok("PUT", "/later");
  deepStrictEqual(await dates(), ["2024-05-01T00:00:00.000Z", "2024-05-01T00:01:01.000Z"]);
});

Deno.test("ListBuckets accepts prefix, region and an empty token", async () => {
  const { ok } = await createTestGateway();
  for (const name of ["bucket-2", "other"]) await ok("PUT", `/${name}`);
  const rows: [query: string, names: string[], prefix: string[], token: boolean][] = [
    ["prefix=bucket", ["bucket", "bucket-2"], ["bucket"], false],
    ["prefix=bucket&max-buckets=2", ["bucket", "bucket-2"], ["bucket"], false],
    ["prefix=bucket&max-buckets=1", ["bucket"], ["bucket"], true],
    ["prefix=", ["bucket", "bucket-2", "other"], [""], false],
    ["prefix=B", [], ["B"], false],
    ["max-buckets=10000", ["bucket", "bucket-2", "other"], [], false],
    ["bucket-region=us-east-1", ["bucket", "bucket-2", "other"], [], false],
    ["bucket-region=eu-west-1", [], [], false],
    ["continuation-token=", ["bucket", "bucket-2", "other"], [], false],
  ];
  for (const [query, names, prefix, token] of rows) {
    const root = await readXml(await ok("GET", `/?${query}`), "ListAllMyBucketsResult");
    deepStrictEqual(textsAt(root, "Buckets", "Bucket", "Name"), names, query);
    deepStrictEqual(textsAt(root, "Prefix"), prefix, query);
    strictEqual(textsAt(root, "ContinuationToken").length, token ? 1 : 0, query);
    deepStrictEqual(
      textsAt(root, "Buckets", "Bucket", "BucketRegion"),
      names.map(() => "us-east-1"),
      query,
    );
  }
});

Deno.test("ListBuckets refuses invalid page parameters", async () => {
  const { send } = await createTestGateway();
  const limits = ["0", "-1", "10001", "2147483648", "x", "1.5"].map((text) =>
    `max-buckets=${text}`
  );
  for (const query of [...limits, "continuation-token=x", `prefix=${"x".repeat(1025)}`]) {
    const error = await assertError(await send("GET", `/?${query}`), 400, "InvalidArgument");
    strictEqual(textOf(error, "ArgumentName"), query.split("=")[0]);
  }
});
