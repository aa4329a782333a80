import { strictEqual } from "node:assert/strict";
import { createTestGateway } from "./test_gateway.ts";

Deno.test("HeadObject returns the headers of GetObject without the bytes", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "0123456789", headers: { "x-amz-meta-a": "b" } });
  const head = await ok("HEAD", "/bucket/key");
  const got = await ok("GET", "/bucket/key");
  await got.body?.cancel();
  strictEqual(head.body, null);
  for (const [name, value] of got.headers) {
    if (!/^x-amz-(?:request-id|id-2)$/.test(name)) strictEqual(head.headers.get(name), value, name);
  }
  const range = await ok("HEAD", "/bucket/key", { headers: { range: "bytes=0-3" } });
  strictEqual(range.status, 206);
  strictEqual(range.headers.get("content-length"), "4");
  for (const path of ["/bucket/none", "/missing/key"]) {
    const response = await send("HEAD", path);
    strictEqual(response.status, 404);
    strictEqual(response.body, null);
  }
});

Deno.test("HeadObject reads the parts' checksums only if it may show one", async () => {
  const { ok, store } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "0123456789" });
  let asked: boolean | undefined;
  const readObject = store.readObject.bind(store);
  store.readObject = (bucket, key, options): ReturnType<typeof readObject> => {
    asked = options?.partChecksums;
    return readObject(bucket, key, options);
  };
  const mode = { "x-amz-checksum-mode": "ENABLED" };
  const rows: [string, Record<string, string>, boolean][] = [
    ["", {}, false],
    ["", mode, false],
    ["?partNumber=1", {}, false],
    ["?partNumber=1", mode, true],
    ["", { ...mode, range: "bytes=0-1" }, true],
  ];
  for (const [query, headers, expected] of rows) {
    await ok("HEAD", `/bucket/key${query}`, { headers });
    strictEqual(asked, expected, `${query} ${JSON.stringify(headers)}`);
  }
});

Deno.test("HeadObject returns the last of 10,000 parts of 5 GiB", async () => {
  const { ok, send, store } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  const GIB = 1024 ** 3;
  const readObject = store.readObject.bind(store);
  store.readObject = async (bucket, key): ReturnType<typeof readObject> => ({
    ...await readObject(bucket, key),
    size: 50_000 * GIB,
    partSizes: Array.from({ length: 10_000 }, () => 5 * GIB),
  });
  const { status, headers } = await ok("HEAD", "/bucket/key?partNumber=10000");
  strictEqual(status, 206);
  strictEqual(headers.get("content-length"), "5368709120");
  strictEqual(headers.get("content-range"), "bytes 53681722490880-53687091199999/53687091200000");
  strictEqual(headers.get("x-amz-mp-parts-count"), "10000");

  const range = await ok("HEAD", "/bucket/key", { headers: { range: "bytes=-1" } });
  strictEqual(
    range.headers.get("content-range"),
    "bytes 53687091199999-53687091199999/53687091200000",
  );
  strictEqual((await ok("HEAD", "/bucket/key")).headers.get("content-length"), "53687091200000");
  for (const [number, status] of [["0", 400], ["10001", 400]] as const) {
    strictEqual((await send("HEAD", `/bucket/key?partNumber=${number}`)).status, status);
  }
});
