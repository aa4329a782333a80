/**
 * What a cluster is made of.
 * @module
 */

import type { NatsStoreOptions } from "../../src/nats/store.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** The form of a cluster. */
export type ClusterShape = {
  readonly gateways: number;
  /** Copies of each stream. */
  readonly replicas: number;
  readonly nativeLayout: NatsStoreOptions["nativeLayout"];
  /** Subjects in a page of the server; undefined for its own number. */
  readonly page: number | undefined;
  /** Bytes that readers request beyond what clients accept; undefined for the store's own number. */
  readonly readAhead: number | undefined;
  /** Keys from which on an index is saved; undefined for the store's own number. */
  readonly savedFrom: number | undefined;
  /** Bytes that objects may fill in a bucket; undefined for no limit. */
  readonly quota: number | undefined;
  /** Which messages of the bucket a mirror copies; undefined without a mirror. */
  readonly mirror: string | undefined;
  /** There is an object that is larger than all others together. */
  readonly hasLarge: boolean;
  /** Gateways sweep so rarely that they have to do without at first. */
  readonly sweepsRarely: boolean;
  /** Lifecycle rules; absent if gateways carry none out. */
  readonly lifecycle?: Lifecycle | undefined;
};
