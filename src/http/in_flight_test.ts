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

Deno.test("InFlight makes room for a client at the cost of one that holds more than its share", () => {
  const held: (string | undefined)[] = [];
  const ended: string[] = [];
  const admissions = new Map<string, Admission>();
  const inFlight = new InFlight(4, {
    share: 0.5,
    end(accepts) {
      for (const [name, { leave }] of admissions) {
        const client = name.slice(0, 1);
        held.push(client);
        if (!accepts(client)) continue;
        admissions.delete(name);
        ended.push(name);
        leave();
        return true;
      }
      return false;
    },
  });
  const letIn = (name: string): boolean => {
    const admission = inFlight.enter();
    if (typeof admission === "string") return false;
    if (!admission.countFor(name.slice(0, 1))) {
      admission.leave();
      return false;
    }
    admissions.set(name, admission);
    return true;
  };
  // Below the limit a client may hold everything.
  deepStrictEqual(["b1", "a1", "a2", "a3"].map(letIn), [true, true, true, true]);
  strictEqual(letIn("a4"), false);
  strictEqual(letIn("c1"), true);
  deepStrictEqual(ended, ["a1"]);
  // a holds two of four, which is its share; so does nobody else, and the one that has stood still longest goes.
  strictEqual(letIn("c2"), true);
  deepStrictEqual(ended, ["a1", "a2"]);
  strictEqual(letIn("d1"), true);
  deepStrictEqual(ended, ["a1", "a2", "c1"]);
  strictEqual(inFlight.count, 4);
});

Deno.test("InFlight gives the place of a request that takes a moment to end away at once", () => {
  let ends = 1;
  const inFlight = new InFlight(2, { share: 0.5, end: () => ends-- > 0 });
  for (const client of ["ann", "ann", "bob"]) strictEqual(enter(inFlight).countFor(client), true);
  strictEqual(enter(inFlight).countFor("cid"), false, "nothing stands still any more");
});

Deno.test("InFlight lets requests in beyond the limit until it is known whose they are", () => {
  const inFlight = new InFlight(2, { share: 0.5, end: () => false });
  const admissions = Array.from({ length: 66 }, () => inFlight.enter());
  strictEqual(inFlight.enter(), "requests");
  const [first, second, third] = admissions;
  if (typeof first !== "object" || typeof second !== "object" || typeof third !== "object") {
    fail("refused");
  }
  strictEqual(first.countFor("ann"), false);
  for (const other of admissions.slice(3)) if (typeof other === "object") other.leave();
  first.leave();
  strictEqual(second.countFor("ann"), true);
  strictEqual(third.countFor("ann"), true); // there is room
  strictEqual(third.countFor("bob"), true);
  strictEqual(inFlight.count, 2);
  // Without sharing the limit is strict.
  const strict = new InFlight(1);
  strictEqual(typeof strict.enter(), "object");
  strictEqual(strict.enter(), "requests");
});

Deno.test("InFlight has a sixteenth more for others while one client holds its share", () => {
  const inFlight = new InFlight(32, { share: 0.5, end: () => false });
  const letIn = (client: string): boolean => {
    const admission = enter(inFlight);
    const isLetIn = admission.countFor(client);
    if (!isLetIn) admission.leave();
    return isLetIn;
  };
  for (let i = 0; i < 32; i++) strictEqual(letIn("ann"), true);
  deepStrictEqual(["ann", "bob", "cid", "dan"].map(letIn), [false, true, true, false]);
  strictEqual(inFlight.count, 34);

  const busy = new InFlight(32, { share: 0.5, end: () => false });
  for (let i = 0; i < 32; i++) strictEqual(enter(busy).countFor(`client${i}`), true);
  strictEqual(enter(busy).countFor("bob"), false, "nobody holds a share");
});
