import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { RateLimit } from "./rate_limit.ts";

/** Creates a limit with a clock, and a function that counts how many requests it lets pass. */
function start(rate: number): {
  readonly limit: RateLimit;
  readonly wait: (milliseconds: number) => void;
  readonly passed: (user: string, requests: number) => number;
} {
  let time = 5000;
  const limit = new RateLimit(rate, () => time);
  return {
    limit,
    wait: (milliseconds) => void (time += milliseconds),
    passed: (user, requests) =>
      Array.from({ length: requests }, () => limit.take(user)).filter((wait) => wait === 0).length,
  };
}

Deno.test("RateLimit lets two seconds' worth pass at once, then its rate", () => {
  const { wait, passed } = start(10);
  strictEqual(passed("ann", 100), 20);
  wait(500);
  strictEqual(passed("ann", 100), 5);
  wait(99);
  strictEqual(passed("ann", 100), 0);
  wait(1);
  strictEqual(passed("ann", 100), 1);
});

Deno.test("RateLimit saves up no more than two seconds' worth", () => {
  const { wait, passed } = start(10);
  strictEqual(passed("ann", 100), 20);
  wait(3_600_000);
  strictEqual(passed("ann", 100), 20);
});

Deno.test("RateLimit counts each user separately", () => {
  const { passed } = start(3);
  deepStrictEqual([passed("ann", 10), passed("bob", 10), passed("ann", 1)], [6, 6, 0]);
});

Deno.test("RateLimit returns when to try again, and a refused request uses no token", () => {
  const { limit, wait, passed } = start(4);
  passed("ann", 100);
  const milliseconds = limit.take("ann");
  ok(milliseconds > 0 && milliseconds <= 250, `${milliseconds}`);
  wait(milliseconds);
  strictEqual(limit.take("ann"), 0);
});
