import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { ByteBudget } from "./byte_budget.ts";
import { workFor } from "./clients_work.ts";

Deno.test("ByteBudget serves in order, a large request before a later small one", async () => {
  const budget = new ByteBudget(10);
  strictEqual(budget.take(8), undefined);
  const order: string[] = [];
  const large = budget.take(9)?.then(() => order.push("large"));
  const small = budget.take(1)?.then(() => order.push("small"));
  strictEqual(budget.used, 8);
  budget.give(8);
  await Promise.all([large, small]);
  strictEqual(order.join(), "large,small");
  strictEqual(budget.used, 10);
});

Deno.test("ByteBudget.takeNow() takes free bytes and never overtakes a waiting caller", async () => {
  const budget = new ByteBudget(10);
  strictEqual(budget.takeNow(6), true);
  strictEqual(budget.takeNow(6), false);
  const waiting = budget.take(5);
  strictEqual(budget.takeNow(1), false);
  budget.give(6);
  await waiting;
  strictEqual(budget.takeNow(5), true);
});

Deno.test("ByteBudget lets a request larger than itself pass alone", async () => {
  const budget = new ByteBudget(10);
  strictEqual(budget.take(50), undefined);
  const next = budget.take(1);
  budget.give(50);
  await next;
  strictEqual(budget.used, 1);
});

Deno.test("ByteBudget serves clients in turns, and each one's requests in their order", async () => {
  const budget = new ByteBudget(10);
  budget.take(10);
  const order: string[] = [];
  const wait = (client: string | undefined, name: string): void => {
    workFor(client, () => budget.take(5))?.then(() => order.push(name));
  };
  for (let i = 1; i <= 100; i++) wait("ann", `ann${i}`);
  wait("bob", "bob1");
  wait("bob", "bob2");
  wait(undefined, "none1");
  budget.give(10);
  for (let i = 0; i < 6; i++) {
    await Promise.resolve();
    budget.give(5);
  }
  await Promise.resolve();
  const expected = ["ann1", "bob1", "none1", "ann2", "bob2", "ann3", "ann4", "ann5"];
  deepStrictEqual(order, expected);
});

Deno.test("ByteBudget gives free bytes away once, however many clients wait", async () => {
  const budget = new ByteBudget(10);
  budget.take(10);
  let served = 0;
  for (const client of ["ann", "bob", "cid"]) {
    for (let i = 0; i < 3; i++) workFor(client, () => budget.take(3))?.then(() => served++);
  }
  budget.give(10);
  await Promise.resolve();
  deepStrictEqual([served, budget.used], [3, 9]);
  for (let i = 0; i < 6; i++) budget.give(3);
  await Promise.resolve();
  deepStrictEqual([served, budget.used], [9, 9]);
  strictEqual(budget.takeNow(1), true, "nobody waits any more");
});
