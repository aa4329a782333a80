import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { ManualServer } from "./manual_server.ts";

function mirror(server: ManualServer, more: Readonly<Record<string, unknown>> = {}): void {
  const created = server.call("STREAM.CREATE.m", {
    name: "m",
    mirror: { name: "a", ...more },
    mirror_direct: true,
  });
  strictEqual(created["error"], undefined);
}

Deno.test("mirror copies what its filter selects, with its sequences", () => {
  const server = new ManualServer();
  server.create("a");
  server.publish("a.x", "one");
  mirror(server, { filter_subject: "a.x" });
  server.publish("a.y", "two");
  server.publish("a.x", "three");
  deepStrictEqual(server.texts("m"), ["one", "three"]);
  deepStrictEqual([...server.jetStream.stream("m")?.store.messages.keys() ?? []], [1, 3]);
});

Deno.test("mirror obeys rollups and keeps what is purged or deleted", () => {
  const server = new ManualServer();
  server.create("a");
  mirror(server);
  server.publish("a.x", "one");
  server.publish("a.x", "two", { "Nats-Rollup": "sub" });
  server.publish("a.y", "three");
  server.call("STREAM.PURGE.a");
  deepStrictEqual(server.texts("a"), []);
  deepStrictEqual(server.texts("m"), ["two", "three"]);
});

Deno.test("mirror that is behind answers direct gets of its origin with what it had", () => {
  let random = 0;
  const server = new ManualServer({ random: () => random });
  server.create("a");
  mirror(server);
  server.publish("a.x", "one");
  server.jetStream.setLag("m", 0, 100);
  server.publish("a.x", "two");
  random = 0.9;
  strictEqual(server.direct("a", "a.x"), "one");
  server.pass(101);
  strictEqual(server.direct("a", "a.x"), "two");
  random = 0;
  strictEqual(server.direct("a", "a.x"), "two");
});

Deno.test("mirror that is behind may never see a message that its origin removed", () => {
  for (const [random, texts] of [[0, ["one"]], [0.9, []]] as const) {
    const server = new ManualServer({ random: () => random });
    server.create("a");
    mirror(server);
    server.jetStream.setLag("m", 0, 100);
    server.publish("a.x", "one");
    server.call("STREAM.PURGE.a");
    server.pass(101);
    deepStrictEqual(server.texts("m"), texts);
  }
});
