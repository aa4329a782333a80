/** Bucket documents that a server lost in a power failure: a gateway that has read them does not go on using them. */

import { ok, strictEqual } from "node:assert/strict";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { STORE_OPTIONS } from "../nats/store_on_server.ts";
import { startInRealTime } from "./real_time.ts";

const bucket = "documented" as BucketName;
/** Milliseconds after which a gateway looks for changes of documents again, and a little more. */
const LEASE = 1100;

const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LEASE));

for (const knows of [false, true]) {
  const who = knows ? "knew the bucket's revision" : "did not know the bucket";
  Deno.test(`a gateway that ${who} drops a document that the server has lost`, async () => {
    using given = startInRealTime(1);
    const connections = [given.network.connect("writer"), given.network.connect("reader")] as const;
    using writer = createNatsStore(connections[0].asLibrary, STORE_OPTIONS);
    using reader = createNatsStore(connections[1].asLibrary, STORE_OPTIONS);
    await writer.createBucket(bucket, "alice");
    if (knows) {
      await reader.readDocument(bucket, "tagging");
      await wait();
      await reader.readDocument(bucket, "tagging"); // it reads the revision
    }
    given.jetStream.sync();
    await writer.putDocument(bucket, "cors", "rules");
    strictEqual(await reader.readDocument(bucket, "cors"), "rules");
    ok((given.jetStream.stream(`OBJ_${bucket}`)?.loseTail(0) ?? 0) > 0);
    await wait();
    strictEqual(await reader.readDocument(bucket, "cors"), undefined);
    for (const connection of connections) await connection.close();
  });
}
