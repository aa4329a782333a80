import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { ManualServer } from "./manual_server.ts";

Deno.test("message expires after its lifetime, and the others with the stream's max_age", () => {
  const server = new ManualServer();
  server.create("a", { allow_msg_ttl: true, max_age: 10e9 });
  server.publish("a.x", "short", { "Nats-TTL": "2s" });
  server.publish("a.x", "plain");
  server.publish("a.x", "never", { "Nats-TTL": "never" });
  server.pass(1999);
  deepStrictEqual(server.texts("a"), ["short", "plain", "never"]);
  server.pass(1);
  deepStrictEqual(server.texts("a"), ["plain", "never"]);
  server.pass(8000);
  deepStrictEqual(server.texts("a"), ["never"]);
});

Deno.test("update of max_age counts for the messages that are there", () => {
  const server = new ManualServer();
  server.create("a");
  server.publish("a.x", "one");
  server.pass(500);
  server.call("STREAM.UPDATE.a", { name: "a", subjects: ["a.>"], max_age: 1e9 });
  server.pass(499);
  deepStrictEqual(server.texts("a"), ["one"]);
  server.pass(1);
  deepStrictEqual(server.texts("a"), []);
});

Deno.test("message that expired comes back when the restart loses that, and expires again", () => {
  const server = new ManualServer();
  server.create("a", { allow_msg_ttl: true });
  server.publish("a.x", "one", { "Nats-TTL": "1s" });
  server.jetStream.sync();
  server.pass(1000);
  deepStrictEqual(server.texts("a"), []);
  strictEqual(server.jetStream.restart({ losesTail: true }), 1);
  deepStrictEqual(server.texts("a"), ["one"]);
  server.pass(0);
  deepStrictEqual(server.texts("a"), []);
});

Deno.test("server removes a consumer to which nobody listens for its inactive_threshold", () => {
  const server = new ManualServer();
  server.create("a");
  server.heard.add("inbox");
  const config = { deliver_policy: "all", ack_policy: "none", inactive_threshold: 1e9 };
  const document = { stream_name: "a", action: "create" };
  server.call("CONSUMER.CREATE.a.pushed", {
    ...document,
    config: { ...config, name: "pushed", deliver_subject: "inbox" },
  });
  server.call("CONSUMER.CREATE.a.pulled", { ...document, config: { ...config, name: "pulled" } });
  const names = (): readonly string[] => [...server.jetStream.stream("a")?.consumers.keys() ?? []];
  server.pass(1999);
  deepStrictEqual(names(), ["pushed", "pulled"]);
  server.pass(1);
  deepStrictEqual(names(), ["pushed"]);
  server.heard.clear();
  server.pass(1000);
  deepStrictEqual(names(), []);
});
