import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Turns } from "./turns.ts";

Deno.test("Turns gives each client sixteen turns at a time, and the next ones in their order", async () => {
  const turns = new Turns();
  const done: string[] = [];
  const take = (client: string, name: string): void => {
    const waiting = turns.take(client);
    if (waiting === undefined) done.push(name);
    else if (waiting === "full") throw new TypeError("too many wait");
    else waiting.then(() => done.push(name));
  };
  for (let i = 0; i < 18; i++) take("a", `a${i}`);
  take("b", "b0");
  strictEqual(done.length, 17);
  turns.give("a");
  turns.give("a");
  await Promise.resolve();
  deepStrictEqual(done.slice(16), ["b0", "a16", "a17"]);
  for (let i = 0; i < 16; i++) turns.give("a");
  turns.give("a"); // once too often
  for (let i = 0; i < 16; i++) strictEqual(turns.take("a"), undefined);
});

Deno.test("Turns lets no more than 64 requests of a client wait", () => {
  const turns = new Turns();
  const found = Array.from({ length: 90 }, () => turns.take("a"));
  strictEqual(found.filter((turn) => turn === undefined).length, 16);
  strictEqual(found.filter((turn) => turn === "full").length, 10);
  strictEqual(turns.take("b"), undefined);
});
