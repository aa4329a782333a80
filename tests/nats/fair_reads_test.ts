/** Reads of several clients on one connection: however many one of them makes, the others have their turns. */

import { ok as assert, strictEqual } from "node:assert/strict";
import { OrderedConsumer } from "../../src/nats/jetstream/ordered_consumer.ts";
import { Requests } from "../../src/nats/jetstream/requests.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";
import { ByteBudget } from "../../src/streams/byte_budget.ts";
import { currentClient, workFor } from "../../src/streams/clients_work.ts";
import { input, read, someBytes, STORE_OPTIONS, storeOnServer } from "./store_on_server.ts";

const bucket = "shared" as BucketName;
const small = "small" as ObjectKey;
const large = "large" as ObjectKey;

/** Requests of one client: many times what the connection carries at once. */
const MANY = 300;
/** Requests that may be ahead of another client's: those under way, and a turn for each of its calls. */
const FEW = 100;

/** Returns how many of one client's requests ended before the last of another's, all begun in this order. */
async function countAhead(
  store: Store,
  many: (store: Store) => Promise<unknown>,
  one: (store: Store) => Promise<unknown>,
): Promise<number> {
  let ended = 0;
  const all = Array.from({ length: MANY }, async () => {
    await workFor("ann", many, store);
    ended++;
  });
  await workFor("bob", one, store);
  const ahead = ended;
  await Promise.all(all);
  return ahead;
}

Deno.test("A client's read does not wait for the hundreds that another one has begun", async (t) => {
  await using given = await storeOnServer({ store: { timeout: 60_000 } });
  const { store } = given;
  await store.createBucket(bucket, "alice");
  await store.putObject(bucket, small, input(someBytes(10)));
  await store.putObject(bucket, large, input(someBytes(256 * 1024)));
  const head = (store: Store): Promise<unknown> => store.readObject(bucket, small);
  const get = (store: Store): Promise<unknown> => read(store, bucket, large);
  const put = (store: Store): Promise<unknown> =>
    store.putObject(bucket, "new" as ObjectKey, input(someBytes(10)));
  await read(store, bucket, large); // the positions of its chunks are known
  const rows = [
    ["HEADs", "HEAD", head, head],
    ["GETs of 256 KiB", "HEAD", get, head],
    ["GETs of 256 KiB", "GET", get, get],
    ["GETs of 256 KiB", "PUT", get, put],
  ] as const;
  for (const [manyName, oneName, many, one] of rows) {
    await t.step(`a ${oneName} beside ${MANY} ${manyName}`, async () => {
      const ahead = await countAhead(store, many, one);
      assert(ahead <= FEW, `${ahead} of ${MANY}`);
    });
  }
});

Deno.test("A consumer works for nobody, whoever needed it first", async () => {
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  using requests = new Requests(connection, {
    ...STORE_OPTIONS,
    timeout: 4000,
    observe: undefined,
  });
  const begun = Promise.withResolvers<string | undefined>();
  using _consumer = workFor(
    "ann",
    () =>
      new OrderedConsumer({ requests, budget: new ByteBudget(1) }, {
        stream: `OBJ_${bucket}`,
        filters: [infoSubject(bucket as string as StoreName, small)],
        from: () => 1,
        deliver() {},
        made() {
          begun.resolve(currentClient());
          return Promise.resolve(true);
        },
        lost() {},
        caughtUp() {},
        failed: (cause) => begun.reject(cause),
      }),
  );
  strictEqual(await begun.promise, undefined);
});
