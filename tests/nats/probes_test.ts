/** What questions about a bucket cost in JetStream: as much as HeadBucket. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { UNKEPT } from "../api/bucket_subresources.ts";
import { createTestGateway } from "../api/test_gateway.ts";
import { storeOnServer } from "./store_on_server.ts";

/** Lists scan keys or uploads, and have a cost of their own; the others are read as documents. */
const NOT_CONSTANT: readonly string[] = [
  "lifecycle",
  "object-lock",
  "policyStatus",
  "uploads",
  "versioning",
  "versions",
];

Deno.test("a question about what was never set makes the requests of HeadBucket, and no others", async () => {
  const calls: string[] = [];
  await using opened = await storeOnServer({
    store: {
      observe: {
        call({ method, subject }) {
          calls.push(`${method} ${subject}`);
          return () => {};
        },
      },
    },
  });
  const { store } = opened;
  const { send } = await createTestGateway({ store });
  const callsOf = async (method: string, query: string): Promise<readonly string[]> => {
    let fewest: readonly string[] | undefined;
    // Once a second a request also asks whether the documents of the bucket have changed.
    for (let i = 0; i < 3; i++) {
      calls.length = 0;
      await (await send(method, `/bucket?${query}`)).body?.cancel();
      if (fewest === undefined || calls.length < fewest.length) fewest = [...calls];
    }
    return fewest ?? [];
  };
  const head = await callsOf("HEAD", "");
  ok(head.length > 0);
  const probes = UNKEPT.filter(({ query, get }) =>
    (get.status === 200 || get.status === 404) && !NOT_CONSTANT.includes(query)
  );
  ok(probes.length > 13, `only ${probes.length} were found`);
  for (const { query, delete: deletion } of probes) {
    deepStrictEqual(await callsOf("GET", query), head, `GET ?${query}`);
    if (deletion.status !== 405) {
      deepStrictEqual(await callsOf("DELETE", query), head, `DELETE ?${query}`);
    }
  }
});
