import { deepStrictEqual, fail, strictEqual } from "node:assert/strict";
import { type Admission, InFlight } from "./in_flight.ts";

function enter(inFlight: InFlight, hasBody = false): Admission {
  const admission = inFlight.enter({ hasBody });
  return typeof admission === "string" ? fail(admission) : admission;
}

/** Lists the names of promises in the order in which they resolve. */
function follow(promises: Readonly<Record<string, Promise<void>>>): readonly string[] {
  const resolved: string[] = [];
  for (const [name, promise] of Object.entries(promises)) {
    promise.then(() => resolved.push(name));
  }
  return resolved;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

Deno.test("InFlight counts a request once although it leaves twice", () => {
  const inFlight = new InFlight(2);
  const first = enter(inFlight);
  enter(inFlight);
  strictEqual(inFlight.enter(), "requests");
  first.leave();
  first.leave();
  strictEqual(inFlight.count, 1);
});

Deno.test("InFlight counts bodies that are arriving until they arrive or their request ends", () => {
  const inFlight = new InFlight(10);
  enter(inFlight);
  const read = enter(inFlight, true);
  const failed = enter(inFlight, true);
  strictEqual(inFlight.arriving, 2);
  read.arrived();
  read.arrived();
  deepStrictEqual([inFlight.arriving, inFlight.count], [1, 3]);
  failed.leave();
  deepStrictEqual([inFlight.arriving, inFlight.count], [0, 2]);
});

Deno.test("InFlight.bodiesArrived() waits for the bodies that are arriving now, not for later ones", async () => {
  const inFlight = new InFlight(10);
  await inFlight.bodiesArrived();
  const early = enter(inFlight, true);
  const resolved = follow({ early: inFlight.bodiesArrived() });
  const late = enter(inFlight, true);
  const both = follow({ both: inFlight.bodiesArrived() });
  await turn();
  deepStrictEqual(resolved, []);
  early.arrived();
  await turn();
  deepStrictEqual([...resolved, ...both], ["early"]);
  late.leave();
  await turn();
  deepStrictEqual(both, ["both"]);
});

Deno.test("InFlight.ended() waits for the last request", async () => {
  const inFlight = new InFlight(10);
  await inFlight.ended();
  const [first, second] = [enter(inFlight), enter(inFlight)];
  const resolved = follow({ ended: inFlight.ended() });
  first.leave();
  await turn();
  deepStrictEqual(resolved, []);
  second.leave();
  await turn();
  deepStrictEqual(resolved, ["ended"]);
});

Deno.test("InFlight.refuseBodies() still lets requests without a body in", () => {
  const inFlight = new InFlight(10);
  inFlight.refuseBodies();
  strictEqual(inFlight.enter({ hasBody: true }), "stopping");
  enter(inFlight);
  strictEqual(inFlight.count, 1);
});
