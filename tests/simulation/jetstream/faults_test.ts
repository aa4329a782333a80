import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { ManualServer } from "./manual_server.ts";

const REPLICATED = { num_replicas: 3 } as const;

Deno.test("leader acknowledges a message when it has a majority", () => {
  const server = new ManualServer({ majority: () => 5 });
  server.create("a", REPLICATED);
  deepStrictEqual(server.publish("a.x", "one"), []);
  deepStrictEqual(server.texts("a"), []);
  server.pass(5);
  deepStrictEqual(server.sent.map(({ text }) => text), ['{"stream":"a","seq":1}']);
  deepStrictEqual(server.texts("a"), ["one"]);
});

Deno.test("leader refuses a condition on a subject that is under way", () => {
  const server = new ManualServer();
  server.create("a", REPLICATED);
  const condition = { "Nats-Expected-Last-Subject-Sequence": "0" };
  server.publish("a.x", "one", condition);
  const [refused] = server.publish("a.x", "two", condition);
  strictEqual(JSON.parse(refused?.text ?? "").error.err_code, 10164);
  server.pass(1);
  deepStrictEqual(server.texts("a"), ["one"]);
});

Deno.test("leader refuses an id that is under way, and acknowledges it once it is stored", () => {
  const server = new ManualServer();
  server.create("a", REPLICATED);
  server.publish("a.x", "one", { "Nats-Msg-Id": "id" });
  const [refused] = server.publish("a.x", "one", { "Nats-Msg-Id": "id" });
  strictEqual(JSON.parse(refused?.text ?? "").error.err_code, 10158);
  server.pass(1);
  server.sent.splice(0);
  const [known] = server.publish("a.x", "one", { "Nats-Msg-Id": "id" });
  deepStrictEqual(JSON.parse(known?.text ?? ""), { stream: "a", seq: 1, duplicate: true });
});

Deno.test("rollup removes what was under way when it was proposed", () => {
  const server = new ManualServer();
  server.create("a", REPLICATED);
  server.publish("a.x", "one");
  server.publish("a.x", "two", { "Nats-Rollup": "sub" });
  server.pass(1);
  deepStrictEqual(server.texts("a"), ["two"]);
});

Deno.test("only the first of two deletes of a message succeeds", () => {
  const server = new ManualServer();
  server.create("a", REPLICATED);
  server.publish("a.x", "one");
  server.publish("a.x", "two");
  server.pass(1);
  server.sent.splice(0);
  server.publish("$JS.API.STREAM.MSG.DELETE.a", '{"seq":1}');
  server.publish("$JS.API.STREAM.MSG.DELETE.a", '{"seq":1}');
  server.pass(1);
  deepStrictEqual(server.sent.map(({ text }) => JSON.parse(text).success === true), [true, false]);
});

Deno.test("election loses the last proposals and leaves those that survive unacknowledged", () => {
  for (const [random, survivors] of [[0, []], [0.5, ["one"]], [0.99, ["one", "two"]]] as const) {
    const server = new ManualServer({ random: () => random, majority: () => 50 });
    server.create("a", REPLICATED);
    server.publish("a.x", "one");
    server.publish("a.x", "two");
    strictEqual(server.jetStream.electLeader("a", 1000), 2 - survivors.length);
    server.pass(50);
    deepStrictEqual(server.sent, []);
    deepStrictEqual(server.texts("a"), survivors);
  }
});

Deno.test("stream without a leader stores nothing and answers calls with 10008, or with nothing", () => {
  let random = 0;
  const server = new ManualServer({ random: () => random });
  server.create("a", REPLICATED);
  server.jetStream.electLeader("a", 1000);
  const message = { subject: "a.x", reply: "reply", headers: "", data: new Uint8Array() };
  strictEqual(server.jetStream.receive(message), true); // lost
  strictEqual((server.call("STREAM.INFO.a")["error"] as { err_code: number }).err_code, 10008);
  random = 0.9;
  strictEqual(server.jetStream.receive(message), false); // nobody listens
  deepStrictEqual(server.publish("$JS.API.STREAM.INFO.a"), []);
  server.pass(1000);
  deepStrictEqual(server.texts("a"), []);
  server.publish("a.x", "one");
  server.pass(1);
  deepStrictEqual(server.texts("a"), ["one"]);
});

Deno.test("follower that is behind answers direct gets with what it had", () => {
  let random = 0;
  const server = new ManualServer({ random: () => random });
  server.create("a", REPLICATED);
  server.publish("a.x", "one");
  server.pass(1);
  server.jetStream.setLag("a", 1, 100);
  server.publish("a.x", "two");
  server.pass(1);
  server.sent.splice(0);
  strictEqual(server.direct("a", "a.x"), "two");
  random = 0.5; // the copy that is behind
  strictEqual(server.direct("a", "a.x"), "one");
  random = 0.9;
  strictEqual(server.direct("a", "a.x"), "two");
  random = 0.5;
  server.pass(100);
  strictEqual(server.direct("a", "a.x"), "two");
});

Deno.test("consumer on a follower that is behind counts and delivers late", () => {
  let random = 0.5;
  const server = new ManualServer({ random: () => random });
  server.create("a", REPLICATED);
  server.jetStream.setLag("a", 1, 100);
  server.publish("a.x", "one");
  server.pass(1);
  server.sent.splice(0);
  server.heard.add("inbox");
  const made = server.call("CONSUMER.CREATE.a.c", {
    stream_name: "a",
    action: "create",
    config: { name: "c", deliver_policy: "all", ack_policy: "none", deliver_subject: "inbox" },
  });
  random = 0;
  strictEqual(made["num_pending"], 0);
  server.sent.splice(0);
  server.pass(100);
  deepStrictEqual(server.sent.map(({ subject, text }) => [subject, text]), [["a.x", "one"]]);
});

Deno.test("restart loses what was not on the disk, removals too, and sequences are used again", () => {
  const server = new ManualServer();
  server.create("a");
  server.publish("a.x", "one");
  server.jetStream.sync();
  server.publish("a.x", "two", { "Nats-Rollup": "sub" });
  server.publish("a.y", "three", { "Nats-Msg-Id": "id" });
  strictEqual(server.jetStream.restart({ losesTail: true }), 3);
  deepStrictEqual(server.texts("a"), ["one"]);
  const [stored] = server.publish("a.y", "four", { "Nats-Msg-Id": "id" });
  deepStrictEqual(JSON.parse(stored?.text ?? ""), { stream: "a", seq: 2 });
});

Deno.test("restart that loses nothing, or of a replicated stream, keeps all messages and ends consumers", () => {
  for (const [replicas, losesTail] of [[1, false], [3, true]] as const) {
    const server = new ManualServer();
    server.create("a", { num_replicas: replicas });
    server.publish("a.x", "one");
    server.pass(1);
    server.call("CONSUMER.CREATE.a.c", {
      stream_name: "a",
      action: "create",
      config: { name: "c", deliver_policy: "all", ack_policy: "none" },
    });
    server.sent.splice(0);
    strictEqual(server.jetStream.restart({ losesTail }), 0);
    deepStrictEqual(server.texts("a"), ["one"]);
    const pull = { subject: "$JS.API.CONSUMER.MSG.NEXT.a.c", reply: "reply", headers: "" };
    strictEqual(server.jetStream.receive({ ...pull, data: new Uint8Array() }), false);
  }
});
