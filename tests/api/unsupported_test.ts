import { OPERATIONS, SUPPORTED, UNSUPPORTED } from "../../src/operations/table.ts";
import { unsupportedBeside } from "../../src/operations/unsupported.ts";
import { textOf } from "../../src/s3/xml_reader.ts";
import { assertError, createTestGateway } from "./test_gateway.ts";
import { ok as assert, strictEqual } from "node:assert/strict";

Deno.test("An unsupported operation answers NotImplemented with its name and has no effect", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  for (const { name, on, method, query = [], headers = [] } of UNSUPPORTED) {
    const path = on === "bucket" ? "/bucket" : "/bucket/key";
    const response = await send(method, `${path}?${query.join("&")}`, {
      headers: Object.fromEntries(headers.map((header) => [header, "x"])),
      ...(method !== "GET" && { body: "<X/>" }),
    });
    const error = await assertError(response, 501, "NotImplemented");
    strictEqual(textOf(error, "Message"), `${name} is not implemented`);
  }
  strictEqual(await (await ok("GET", "/bucket/key")).text(), "x");
});

Deno.test("unsupportedBeside() leaves out operations that are supported", () => {
  assert(UNSUPPORTED.some(({ name }) => name === "GetObjectTorrent"));
  const beside = unsupportedBeside([...SUPPORTED, { name: "GetObjectTorrent" }]);
  strictEqual(beside.length, UNSUPPORTED.length - 1);
  assert(!beside.some(({ name }) => name === "GetObjectTorrent"));
});

Deno.test("OPERATIONS names every operation once", () => {
  const names = OPERATIONS.map(({ name }) => name);
  strictEqual(new Set(names).size, names.length);
  const rows = unsupportedBeside([]);
  strictEqual(new Set(rows.map(({ name }) => name)).size, rows.length);
});
