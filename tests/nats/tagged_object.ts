/**
 * An object whose tags are changed, in a store behind a proxy and in one that nothing disturbs.
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Maintenance } from "../../src/store/maintenance.ts";
import type { Store } from "../../src/store/store.ts";
import { compareWithLive } from "./live_bytes.ts";
import {
  input,
  openStore,
  read,
  sameBytes,
  someBytes,
  type StoreOnServer,
  storeOnServer,
} from "./store_on_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

/** Its bucket, whose stream has another name. */
export const bucket = "tagged" as BucketName;
export const stream = "OBJ_tagged";
/** Its key, and the subject of its object info. */
export const key = "k" as ObjectKey;
export const SUBJECT: string = `$O.tagged.M.${btoa(key)}`;
/** Its bytes: a group of several chunks. */
export const BYTES: Uint8Array = someBytes(300_000);

/** Values by key. */
export type Tags = Readonly<Record<string, string>>;

/** A store behind a proxy, and one beside it that nothing disturbs. */
export type Given = StoreOnServer & {
  readonly proxy: TcpProxy;
  readonly slow: Store & Maintenance;
};

/** Creates both stores and the object. */
export async function withProxy(run: (given: Given) => Promise<void>): Promise<void> {
  await using given = await storeOnServer({ store: { grace: 0 } });
  await using proxy = new TcpProxy(given.server.port);
  const options = { grace: 0, timeout: 500, nativeLayout: "background" } as const;
  await using slow = await openStore(proxy.url, options);
  await given.store.createBucket(bucket, "alice");
  await given.store.putObject(bucket, key, input(BYTES, withTags({ first: "1" })));
  await slow.store.readObject(bucket, key);
  await run({ ...given, proxy, slow: slow.store });
}

/** Properties with these tags. */
export function withTags(tags: Tags): Pick<ReturnType<typeof input>, "properties"> {
  return { properties: { system: { contentType: "text/plain" }, user: {}, tags } };
}

/** Returns the tags of the object. */
export async function tagsOf({ store }: Pick<Given, "store">): Promise<Tags> {
  return (await store.readObject(bucket, key)).properties.tags;
}

/** The object has these bytes, also after the trash was emptied and a sweep, which leave nothing else. */
export async function hasBytes(
  { store, connection }: StoreOnServer,
  bytes: Uint8Array,
): Promise<void> {
  for (let i = 0; (await store.freeReplaced(bucket)).waiting > 0; i++) {
    ok(i < 60, "the trash is not emptied");
    await delay(100);
  }
  await store.sweep(bucket, { minAge: 0, dryRun: false });
  deepStrictEqual(await compareWithLive(connection, bucket), { unnamed: [], missing: [] });
  ok(sameBytes((await read(store, bucket, key)).bytes, bytes));
}
