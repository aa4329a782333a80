import { strictEqual } from "node:assert/strict";
import { ByteBudget } from "./byte_budget.ts";

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
