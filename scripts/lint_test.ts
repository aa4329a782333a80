import { deepStrictEqual } from "node:assert/strict";
import plugin from "./lint.ts";

function lint(filename: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, filename, source).map(({ id }) => id);
}

Deno.test("no-new-url refuses URL parsing in src/ alone", () => {
  const source = "new URL(request.url); URL.parse(request.url);";
  deepStrictEqual(lint("/p/src/s3/request.ts", source), [
    "gateway/no-new-url",
    "gateway/no-new-url",
  ]);
  deepStrictEqual(lint("/p/src/s3/request_test.ts", source), []);
  deepStrictEqual(lint("/p/tests/a.ts", source), []);
});

Deno.test("nats-stays-in-its-folder refuses @nats-io/* outside of src/nats/", () => {
  const source = 'import { connect } from "@nats-io/transport-node";';
  deepStrictEqual(lint("/p/src/s3/a.ts", source), ["gateway/nats-stays-in-its-folder"]);
  deepStrictEqual(lint("/p/src/nats/a.ts", source), []);
  deepStrictEqual(lint("/p/scripts/a.ts", source), []);
});
