import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { OPERATIONS } from "../../src/operations/table.ts";
import { fuzzedRequest } from "./fuzzed_requests.ts";
import { sendMalformed } from "./malformed_run.ts";
import { routedRequest } from "./routed_requests.ts";

const SCENERY = { bucket: "photos", keys: ["k0", "k1"], uploadId: "id", host: "localhost" };

Deno.test("routedRequest() makes the same of the same seed, and reaches every operation in every way", () => {
  const operations = new Set<string>();
  const ways = new Set<string>();
  const texts = new Set<string>();
  for (let seed = 0; seed < 3000; seed++) {
    const { pieces, ...rest } = routedRequest(seed, SCENERY);
    operations.add(rest.operation);
    ways.add(rest.ways.at(-1) ?? "");
    texts.add(pieces.join(""));
    if (seed % 50 !== 0) continue;
    const { pieces: _, ...again } = routedRequest(seed, SCENERY);
    deepStrictEqual(rest, again);
  }
  deepStrictEqual(OPERATIONS.filter(({ name }) => !operations.has(name)), []);
  deepStrictEqual([...ways].sort(), [
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "header",
    "query",
  ]);
  ok(texts.size > 2500, `${texts.size} different requests of 3,000`);
});

Deno.test("1,000 requests, half of them correctly signed, do no harm and are cheap", async () => {
  const { times, signed } = await sendMalformed({
    count: 1000,
    seed: 0,
    connections: 16,
    requestOf: fuzzedRequest,
  });
  strictEqual(signed, 500);
  // If all requests failed in the same way, the generators would find nothing.
  for (const status of ["200", "204", "400", "403", "404", "501"]) {
    ok((times[status] ?? 0) > 10, `${status}: ${JSON.stringify(times)}`);
  }
});
