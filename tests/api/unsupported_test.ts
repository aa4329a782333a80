import { strictEqual } from "node:assert/strict";
import { UNSUPPORTED } from "../../src/operations/unsupported.ts";
import { textOf } from "../../src/s3/xml_reader.ts";
import { assertError, createTestGateway } from "./test_gateway.ts";

Deno.test("Every operation that is not here says so by its name, and does nothing", async () => {
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
