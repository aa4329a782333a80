import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { compareUtf8 } from "../../src/s3/key_order.ts";
import { WEIRD_KEYS } from "../contract/weird_keys.ts";
import { contentMD5, createTestGateway, pathTo, readXml, textsAt } from "./test_gateway.ts";

Deno.test("Keys round-trip through put, list, get, copy and delete", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/copies");
  for (const [i, key] of WEIRD_KEYS.entries()) await ok("PUT", pathTo(key), { body: `${i}` });

  for (const version of ["", "list-type=2"]) {
    const listed = await readXml(await ok("GET", `/bucket?${version}`), "ListBucketResult");
    deepStrictEqual(textsAt(listed, "Contents", "Key"), WEIRD_KEYS.toSorted(compareUtf8));
    const encoded = await ok("GET", `/bucket?${version}&encoding-type=url`);
    const keys = textsAt(await readXml(encoded, "ListBucketResult"), "Contents", "Key");
    deepStrictEqual(keys.map(decodeURIComponent), WEIRD_KEYS.toSorted(compareUtf8));
  }
  for (const [i, key] of WEIRD_KEYS.entries()) {
    strictEqual(await (await ok("GET", pathTo(key))).text(), `${i}`, key);
    const headers = { "x-amz-copy-source": pathTo(key) };
    await (await ok("PUT", pathTo(key, "copies"), { headers })).body?.cancel();
    strictEqual(await (await ok("GET", pathTo(key, "copies"))).text(), `${i}`, key);
    await ok("DELETE", pathTo(key));
    strictEqual((await send("HEAD", pathTo(key))).status, 404, key);
  }

  const objects = WEIRD_KEYS.map((key) => {
    const escaped = key.replace(/[^a-zA-Z0-9]/gu, (char) => `&#${char.codePointAt(0)};`);
    return `<Object><Key>${escaped}</Key></Object>`;
  });
  const body = `<Delete>${objects.join("")}</Delete>`;
  const headers = { "content-md5": contentMD5(body) };
  const deleted = await readXml(
    await ok("POST", "/copies?delete", { body, headers }),
    "DeleteResult",
  );
  deepStrictEqual(textsAt(deleted, "Deleted", "Key"), WEIRD_KEYS);
  await ok("DELETE", "/copies");
});

Deno.test("Keys round-trip in virtual-host style", async () => {
  const { ok } = await createTestGateway();
  const host = "bucket.s3.test";
  for (const [i, key] of WEIRD_KEYS.entries()) {
    await ok("PUT", pathTo(key).slice("/bucket".length), { host, body: `${i}` });
    strictEqual(await (await ok("GET", pathTo(key))).text(), `${i}`, key);
  }
});
