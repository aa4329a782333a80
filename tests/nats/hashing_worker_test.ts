/** A hashing worker that dies fails the writes that it was hashing, which leave nothing, and nobody else's. */

import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import { compareWithLive } from "./live_bytes.ts";
import { input, read, sameBytes, someBytes, storeOnServer } from "./store_on_server.ts";

const bucket = "hashed" as BucketName;
const key = "k" as ObjectKey;
const MIB = 1024 * 1024;

/** Makes workers mortal until it is disposed: `kill` ends the one that was started last. */
function mortalWorkers(): Disposable & { readonly kill: () => void } {
  const Original = globalThis.Worker;
  let last: Worker | undefined;
  globalThis.Worker = class extends Original {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      last = this;
    }
  };
  return {
    kill: () => last?.postMessage(null), // it cannot read that
    [Symbol.dispose]() {
      globalThis.Worker = Original;
    },
  };
}

Deno.test("a hashing worker that dies fails PUT and UploadPart, which leave nothing", async () => {
  using workers = mortalWorkers();
  await using given = await storeOnServer();
  const { store, connection } = given;
  await store.createBucket(bucket, "alice");
  const bytes = someBytes(12 * MIB);
  await store.putObject(bucket, key, input(bytes));
  const { properties, owner } = input(bytes);
  const id = await store.createUpload(bucket, key, {
    properties,
    owner,
    algorithm: undefined,
    checksumType: undefined,
  });

  const dying = (): ReturnType<typeof input> => {
    const { content, ...rest } = input(bytes);
    async function* pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
      for (let at = 0; at < bytes.length; at += MIB) {
        if (at === 2 * MIB) workers.kill();
        yield bytes.slice(at, at + MIB);
        await Promise.resolve();
      }
    }
    return { ...rest, content: { ...content, stream: ReadableStream.from(pieces()) } };
  };
  await rejects(store.putObject(bucket, "new" as ObjectKey, dying()), /worker failed/);
  await rejects(store.putPart(bucket, key, id, 1 as PartNumber, dying()), /worker failed/);
  deepStrictEqual(await compareWithLive(connection, "hashed"), { unnamed: [], missing: [] });

  const others = someBytes(12 * MIB, 2);
  await store.putObject(bucket, key, input(others));
  ok(sameBytes((await read(store, bucket, key)).bytes, others));
});
