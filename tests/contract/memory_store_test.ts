import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { storeContract } from "./store_contract.ts";

storeContract("MemoryStore", ({ minPartSize, now }) => {
  const store = createMemoryStore({ minPartSize, ...(now && { now }) });
  return Promise.resolve({
    store,
    retain: (bucket: BucketName, key: ObjectKey, until: Date) =>
      Promise.resolve(store.retain(bucket, key, until)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}, { versions: true });
