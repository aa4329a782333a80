import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  abortHeaders,
  expiryOfMarker,
  expiryOfNoncurrent,
  expiryOfObject,
  expiryOfUpload,
  formatExpiration,
  type LifecycleFilter,
  type LifecycleRule,
  type LifecycleSubject,
} from "./lifecycle.ts";

const ALL: LifecycleFilter = { form: "filter", tags: new Map() };
const MODIFIED = new Date("2024-05-01T10:30:00Z");

function rule(id: string, rest: Partial<LifecycleRule>): LifecycleRule {
  return { id, isEnabled: true, filter: ALL, ...rest };
}

function subject(rest: Partial<LifecycleSubject> = {}): LifecycleSubject {
  return { key: "logs/a", size: 10, tags: new Map([["a", "1"], ["b", "2"]]), ...rest };
}

function at(expiry: ReturnType<typeof expiryOfObject>): string | undefined {
  return expiry?.at.toISOString().slice(0, 16);
}

Deno.test("days are rounded up to the next midnight UTC", () => {
  const rules = [rule("a", { expiration: { days: 1 } })];
  const rows = [
    ["2024-05-01T10:30:00.000Z", "2024-05-03T00:00"],
    ["2024-05-01T00:00:00.000Z", "2024-05-02T00:00"],
    ["2024-05-01T00:00:00.001Z", "2024-05-03T00:00"],
    ["2024-05-01T23:59:59.999Z", "2024-05-03T00:00"],
  ] as const;
  for (const [modified, expected] of rows) {
    strictEqual(at(expiryOfObject(rules, subject(), new Date(modified))), expected);
  }
  // Days may be shorter than a day.
  const short = expiryOfObject(rules, subject(), new Date(2500), 1000);
  deepStrictEqual(short?.at, new Date(4000));
  const far = [rule("a", { expiration: { days: 2 ** 31 - 1 } })];
  strictEqual(Number.isNaN(expiryOfObject(far, subject(), MODIFIED)?.at.getTime()), false);
});

Deno.test("the shortest expiration wins, and rules that are off or select others do not count", () => {
  const rules = [
    rule("long", { expiration: { days: 10 } }),
    rule("off", { isEnabled: false, expiration: { days: 1 } }),
    rule("elsewhere", { filter: { ...ALL, prefix: "tmp/" }, expiration: { days: 1 } }),
    rule("short", { expiration: { days: 3 } }),
    rule("as short", { expiration: { days: 3 } }),
    rule("noncurrent", { noncurrent: { days: 1 } }),
    rule("markers", { expiration: { markers: true } }),
  ];
  const expiry = expiryOfObject(rules, subject(), MODIFIED);
  deepStrictEqual([at(expiry), expiry?.rule.id], ["2024-05-05T00:00", "short"]);
  const dated = [...rules, rule("date", { expiration: { date: new Date("2024-05-04") } })];
  strictEqual(expiryOfObject(dated, subject(), MODIFIED)?.rule.id, "date");
  strictEqual(expiryOfObject([], subject(), MODIFIED), undefined);
});

Deno.test("filters look at prefix, size and all tags", () => {
  const tags = (...pairs: [string, string][]): LifecycleFilter => ({
    ...ALL,
    tags: new Map(pairs),
  });
  const rows: readonly (readonly [LifecycleFilter, Partial<LifecycleSubject>, boolean])[] = [
    [{ ...ALL, prefix: "logs/" }, {}, true],
    [{ ...ALL, prefix: "logs/b" }, {}, false],
    [{ ...ALL, sizeAbove: 9 }, {}, true],
    [{ ...ALL, sizeAbove: 10 }, {}, false],
    [{ ...ALL, sizeAbove: 0 }, { size: 0 }, false],
    [{ ...ALL, sizeBelow: 11 }, {}, true],
    [{ ...ALL, sizeBelow: 10 }, {}, false],
    [tags(["a", "1"]), {}, true],
    [tags(["a", "2"]), {}, false],
    [tags(["a", "1"], ["b", "2"]), {}, true],
    [tags(["a", "1"], ["c", "3"]), {}, false],
    [tags(["a", "1"]), { tags: new Map() }, false],
    [tags(["a", "1"]), { tags: undefined }, true],
    [{ ...tags(["a", "1"]), prefix: "x" }, { tags: undefined }, false],
  ];
  for (const [filter, rest, applies] of rows) {
    const rules = [rule("a", { filter, expiration: { days: 1 } })];
    strictEqual(expiryOfObject(rules, subject(rest), MODIFIED) !== undefined, applies);
  }
});

Deno.test("noncurrent versions go by the time at which another took their place, and the newest may stay", () => {
  const rules = [rule("a", { noncurrent: { days: 2, newer: 3 } })];
  const expiry = (newer: number): string | undefined =>
    at(expiryOfNoncurrent(rules, subject(), { since: MODIFIED, newer }));
  deepStrictEqual([expiry(0), expiry(2)], [undefined, undefined]);
  deepStrictEqual([expiry(3), expiry(100)], ["2024-05-04T00:00", "2024-05-04T00:00"]);
  const both = [...rules, rule("b", { noncurrent: { days: 5 } })];
  const ids = [0, 3].map((newer) =>
    expiryOfNoncurrent(both, subject(), { since: MODIFIED, newer })?.rule.id
  );
  deepStrictEqual(ids, ["b", "a"]);
});

Deno.test("a delete marker without versions goes at once, or when it is as old as objects that expire", () => {
  const marker = (...rules: LifecycleRule[]): string | undefined =>
    at(expiryOfMarker(rules, "logs/a", MODIFIED));
  strictEqual(marker(rule("a", { expiration: { markers: true } })), "2024-05-01T10:30");
  strictEqual(marker(rule("a", { expiration: { markers: false } })), undefined);
  strictEqual(marker(rule("a", { expiration: { days: 1 } })), "2024-05-03T00:00");
  strictEqual(marker(rule("a", { noncurrent: { days: 1 } })), undefined);
  const tagged = { ...ALL, tags: new Map([["a", "1"]]) };
  strictEqual(marker(rule("a", { filter: tagged, expiration: { days: 1 } })), undefined);
});

Deno.test("uploads are aborted by their prefix", () => {
  const rules = [rule("a b", { filter: { ...ALL, prefix: "logs/" }, abortDays: 7 })];
  const expiry = expiryOfUpload(rules, "logs/a", MODIFIED);
  deepStrictEqual(abortHeaders(expiry), {
    "x-amz-abort-date": "Thu, 09 May 2024 00:00:00 GMT",
    "x-amz-abort-rule-id": "a%20b",
  });
  deepStrictEqual(abortHeaders(expiryOfUpload(rules, "tmp/a", MODIFIED)), {});
});

Deno.test("x-amz-expiration has the time and the encoded id of the rule", () => {
  const expiry = { at: new Date("2012-12-23"), rule: rule('my "rule" ü', {}) };
  strictEqual(
    formatExpiration(expiry),
    'expiry-date="Sun, 23 Dec 2012 00:00:00 GMT", rule-id="my%20%22rule%22%20%C3%BC"',
  );
});
