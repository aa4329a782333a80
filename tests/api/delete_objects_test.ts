import { deepStrictEqual } from "node:assert/strict";
import {
  assertError,
  contentMD5,
  createTestGateway,
  readXml,
  type Send,
  textsAt,
} from "./test_gateway.ts";

const withMD5 = (body: string): Send => ({ body, headers: { "content-md5": contentMD5(body) } });
const object = (key: string, more = ""): string => `<Object><Key>${key}</Key>${more}</Object>`;
const asked = (...inside: string[]): Send => withMD5(`<Delete>${inside.join("")}</Delete>`);

Deno.test("DeleteObjects deletes each object", async () => {
  const { ok, send } = await createTestGateway();
  for (const key of ["a", "007", "%20b%20"]) await ok("PUT", `/bucket/${key}`, { body: "x" });
  const body = asked(object("a"), object("007"), object(" b "), object("missing"));
  const root = await readXml(await ok("POST", "/bucket?delete", body), "DeleteResult");
  deepStrictEqual(textsAt(root, "Deleted", "Key"), ["a", "007", " b ", "missing"]);
  deepStrictEqual(textsAt(root, "Error"), []);
  for (const key of ["a", "007", "%20b%20"]) {
    deepStrictEqual((await send("HEAD", `/bucket/${key}`)).status, 404);
  }
});

Deno.test("DeleteObjects tells what failed, and only that when quiet", async () => {
  const { ok } = await createTestGateway();
  for (const key of ["a", "b"]) await ok("PUT", `/bucket/${key}`, { body: "x" });
  const body = asked(
    "<Quiet>true</Quiet>",
    object("a"),
    object("b", "<ETag>other</ETag>"),
    object("c", "<VersionId>nope</VersionId>"),
    object("d", "<VersionId>null</VersionId>"),
    object("k".repeat(1025)),
  );
  const root = await readXml(await ok("POST", "/bucket?delete", body), "DeleteResult");
  deepStrictEqual(textsAt(root, "Deleted"), []);
  deepStrictEqual(textsAt(root, "Error", "Code"), [
    "PreconditionFailed",
    "InvalidArgument",
    "KeyTooLongError",
  ]);
  deepStrictEqual(textsAt(root, "Error", "Key").slice(0, 2), ["b", "c"]);
  await ok("HEAD", "/bucket/b");
});

Deno.test("DeleteObjects takes 1,000 keys and no more", async () => {
  const { ok, send } = await createTestGateway();
  const keys = Array.from({ length: 1001 }, (_, i) => object(`key-${i}`));
  await assertError(await send("POST", "/bucket?delete", asked(...keys)), 400, "MalformedXML");
  const most = await ok("POST", "/bucket?delete", asked(...keys.slice(1)));
  deepStrictEqual(textsAt(await readXml(most, "DeleteResult"), "Deleted").length, 1000);
});

Deno.test("DeleteObjects refuses what it cannot trust", async () => {
  const { send } = await createTestGateway();
  const post = (given: Send): Promise<Response> => send("POST", "/bucket?delete", given);
  await assertError(await post({ body: `<Delete>${object("a")}</Delete>` }), 400, "InvalidRequest");
  const wrong = { ...asked(object("a")), headers: { "content-md5": contentMD5("other") } };
  await assertError(await post(wrong), 400, "BadDigest");
  const crc = { ...asked(object("a")), headers: { "x-amz-checksum-crc32": "AAAAAA==" } };
  await assertError(await post(crc), 400, "BadDigest");
  for (const body of ["", "<Delete>", "<Delete/>", "<Other/>", "<Delete><Object/></Delete>"]) {
    await assertError(await post(withMD5(body)), 400, "MalformedXML");
  }
  const missing = await send("POST", "/missing?delete", asked(object("a")));
  await assertError(missing, 404, "NoSuchBucket");
});
