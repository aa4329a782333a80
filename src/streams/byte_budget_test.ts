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

Deno.test("ByteBudget lets a request larger than itself pass alone", async () => {
  const budget = new ByteBudget(10);
  strictEqual(budget.take(50), undefined);
  const next = budget.take(1);
  budget.give(50);
  await next;
  strictEqual(budget.used, 1);
});
