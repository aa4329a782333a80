import { deepStrictEqual, throws } from "node:assert/strict";
import type { ObjectKey } from "./names.ts";
import { checkRemoval, checkRetentionChange, checkUntil, retentionFrom } from "./object_lock.ts";

const key = "key" as ObjectKey;
const now = new Date("2024-05-01T00:00:00Z");
const at = (days: number): Date => new Date(now.getTime() + days * 24 * 60 * 60 * 1000);
const governance = (days: number) => ({ mode: "GOVERNANCE", until: at(days) });
const compliance = (days: number) => ({ mode: "COMPLIANCE", until: at(days) });

Deno.test("checkRemoval() protects until the end of retention, and while a hold stands", () => {
  const denied = { code: "AccessDenied" };
  throws(() => checkRemoval(key, { retention: governance(1) }, now, false), denied);
  throws(() => checkRemoval(key, { retention: compliance(1) }, now, true), denied);
  throws(() => checkRemoval(key, { retention: undefined, legalHold: true }, now, true), denied);
  throws(() => checkRemoval(key, { retention: governance(1), legalHold: true }, now, true), denied);
  // A mode that Amazon may add, or that another program wrote, protects as the strictest.
  throws(() => checkRemoval(key, { retention: { mode: "X", until: at(1) } }, now, true), denied);
  checkRemoval(key, { retention: governance(1) }, now, true);
  checkRemoval(key, { retention: compliance(0) }, now, false);
  checkRemoval(key, { retention: undefined }, now, false);
});

Deno.test("checkRetentionChange() lets nobody weaken COMPLIANCE", () => {
  const change = (retention: ReturnType<typeof governance> | undefined): void =>
    checkRetentionChange(key, compliance(2), { retention, bypass: true }, now);
  for (const weaker of [undefined, compliance(1), governance(3)]) {
    throws(() => change(weaker), { code: "AccessDenied" });
  }
  for (const same of [compliance(2), compliance(3)]) change(same);
});

Deno.test("checkRetentionChange() names a date in the past before a lock", () => {
  const change = { retention: compliance(-1), bypass: false };
  throws(() => checkRetentionChange(key, compliance(2), change, now), {
    code: "InvalidArgument",
    message: "The retain until date must be in the future!",
  });
  throws(() => checkUntil(now, now), { code: "InvalidArgument" });
});

Deno.test("retentionFrom() counts days from the time of modification", () => {
  deepStrictEqual(retentionFrom({ mode: "GOVERNANCE", days: 365 }, now), governance(365));
  deepStrictEqual(retentionFrom(governance(3), now), governance(3));
  deepStrictEqual(retentionFrom(undefined, now), undefined);
});
