/** A server that counts one message too many for a consumer: whoever reads with it must end all the same. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createBucketsContext } from "../../src/nats/buckets/context.ts";
import { readOnce } from "../../src/nats/buckets/read_once.ts";
import { STORE_OPTIONS } from "../nats/store_on_server.ts";
import { startInRealTime } from "./real_time.ts";

Deno.test("reading a filter ends although its first consumer counts a message too many", async () => {
  let consumers = 0;
  using given = startInRealTime(1, { miscounts: () => ++consumers === 1 });
  const connection = given.network.connect("store");
  const context = createBucketsContext(connection.asLibrary, STORE_OPTIONS);
  const [stream, subjects] = ["OBJ_photos", ["$O.photos.>"]];
  await context.requests.call(`STREAM.CREATE.${stream}`, { name: stream, subjects });
  await context.requests.publish("$O.photos.C.one", "bytes");
  // The last message of the stream is none of those that are read: only the count tells where they end.
  const lastSequence = await context.requests.publish("$O.photos.M.key", "info");
  const found: string[] = [];
  const isWhole = await readOnce(context, { stream, lastSequence }, {
    filter: "$O.photos.C.>",
    deliver: ({ subject }) => found.push(subject),
  });
  strictEqual(isWhole, true);
  deepStrictEqual(found, ["$O.photos.C.one"]);
  strictEqual(consumers, 1, "of the second consumer nothing is left to count");
  context.requests[Symbol.dispose]();
  await connection.close();
});
