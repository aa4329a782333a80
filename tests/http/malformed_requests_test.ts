import { deepStrictEqual, ok } from "node:assert/strict";
import { malformedRequest } from "./malformed_requests.ts";
import { sendMalformed } from "./malformed_run.ts";

const SCENERY = { bucket: "photos", keys: ["k0", "k1"], uploadId: "id", host: "localhost" };

Deno.test("malformedRequest() makes the same of the same seed, and something else of another", () => {
  const ways = new Set<string>();
  const texts = new Set<string>();
  for (let seed = 0; seed < 500; seed++) {
    const { pieces, ...rest } = malformedRequest(seed, SCENERY);
    const { pieces: _, ...again } = malformedRequest(seed, SCENERY);
    deepStrictEqual(rest, again);
    for (const way of rest.ways) ways.add(way);
    texts.add(pieces.join(""));
  }
  ok(ways.size > 25, [...ways].join());
  ok(texts.size > 450, `${texts.size} different requests of 500`);
});

Deno.test("5,000 malformed requests do no harm", async () => {
  const { times } = await sendMalformed({ count: 5000, seed: 0, connections: 16 });
  // If all requests failed in the same way, the generator would find nothing.
  for (const status of ["200", "400", "403", "404", "405", "501", "closed"]) {
    const few = status === "501" ? 3 : 10; // not many operations are left that are not implemented
    ok((times[status] ?? 0) > few, `${status}: ${JSON.stringify(times)}`);
  }
});
