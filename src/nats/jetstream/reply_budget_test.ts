import { rejects, strictEqual } from "node:assert/strict";
import { Unanswered } from "./errors.ts";
import { ReplyBudget } from "./reply_budget.ts";

Deno.test("ReplyBudget takes free bytes at once and lets requests wait in line", async () => {
  const budget = new ReplyBudget(100);
  strictEqual(budget.take(0, "s", 1000), undefined);
  strictEqual(budget.take(60, "s", 1000), undefined);
  const waiting = budget.take(60, "s", 60_000);
  strictEqual(budget.take(0, "s", 1000), undefined, "nothing is never waited for");
  budget.give(60);
  await waiting;
  budget.give(60);
  strictEqual(budget.take(1000, "s", 1000), undefined, "more than all is all");
});

Deno.test("ReplyBudget fails requests that wait too long, and their bytes come back", async () => {
  const budget = new ReplyBudget(100);
  budget.take(100, "first", 1000);
  await rejects(budget.take(100, "late", 1) ?? Promise.resolve(), Unanswered);
  budget.give(100);
  await Promise.resolve(); // the turn of the one that left
  strictEqual(budget.take(100, "next", 1000), undefined);
});

Deno.test("ReplyBudget expects messages as large as the largest that was seen", () => {
  const budget = new ReplyBudget(100);
  const { expected } = budget;
  budget.note(expected - 1);
  strictEqual(budget.expected, expected);
  budget.note(2 * expected);
  strictEqual(budget.expected, 2 * expected);
});
