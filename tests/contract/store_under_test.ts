/**
 * A store that the contract is checked against.
 * @module
 */

import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import type { Store } from "../../src/store/store.ts";

/** A store under test, and a lock that its interface has no operation for. */
export type StoreUnderTest = AsyncDisposable & {
  readonly store: Store;
  /** Locks an object until then, as the Go gateway nats-s3 does. */
  readonly retain: (bucket: BucketName, key: ObjectKey, until: Date) => Promise<void>;
};

/** Settings of a store under test. */
export type StoreSettings = {
  /** Bytes. */
  readonly minPartSize: number;
  /** The time of day of a store whose times come from the process. */
  readonly now?: (() => Date) | undefined;
};

/** Creates an empty store. */
export type CreateStore = (settings: StoreSettings) => Promise<StoreUnderTest>;

/** Registers one test, which is given an empty bucket in a store of its own. */
export type Test = (
  behaviour: string,
  run: (given: StoreUnderTest) => Promise<void>,
  settings?: Pick<StoreSettings, "now">,
) => void;
