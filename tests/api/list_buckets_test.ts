import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { assertError, createTestGateway, readXml, textsAt } from "./test_gateway.ts";

Deno.test("ListBuckets shows all buckets by name", async () => {
  const { ok } = await createTestGateway();
  for (const name of ["zebra", "a.b.c"]) await ok("PUT", `/${name}`);
  const root = await readXml(await ok("GET", "/"), "ListAllMyBucketsResult");
  deepStrictEqual(textsAt(root, "Buckets", "Bucket", "Name"), ["a.b.c", "bucket", "zebra"]);
  deepStrictEqual(
    textsAt(root, "Buckets", "Bucket", "CreationDate")[0],
    "2024-05-01T10:00:00.500Z",
  );
  deepStrictEqual(textsAt(root, "Owner", "ID"), ["alice"]);
  deepStrictEqual(textsAt(root, "Buckets", "Bucket", "BucketRegion"), []);
});

Deno.test("ListBuckets pages where it is asked to", async () => {
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

Deno.test("ListBuckets refuses a bad page", async () => {
  const { send } = await createTestGateway();
  await assertError(await send("GET", "/?max-buckets=0"), 400, "InvalidArgument");
  await assertError(await send("GET", "/?continuation-token=x"), 400, "InvalidArgument");
});
