/**
 * The record of a request, from which metrics, the request log and the audit log are made.
 * @module
 */

import { redact } from "./redact.ts";

/** What a request wrote or deleted, as far as its operation knows. */
export type RequestOutcome = {
  readonly key: string;
  /** Bytes. */
  readonly size?: number;
  /** Bare. */
  readonly etag?: string;
  readonly versionId?: string | undefined;
};

/** One of the keys that a request is about beside that of its target, and what came of it. */
export type RecordedKey = {
  readonly key: string;
  /** AWS's error code; undefined for success. */
  readonly code: string | undefined;
};

/** Facts about a request, collected while it is processed. */
export type RequestRecord = {
  readonly id: string;
  readonly method: string;
  /** As sent, without the query, which may contain a signature. */
  readonly path: string;
  /** Address of the client, if known. */
  readonly client: string | undefined;
  /** Id of the trace that the request belongs to, if any. */
  trace: string | undefined;
  /** Time of arrival by `performance.now()`. */
  readonly began: number;
  /** Its name in AWS's API; undefined for a request that is not an operation. */
  operation: string | undefined;
  bucket: string | undefined;
  key: string | undefined;
  /** Undefined unless the request succeeded and its operation reports one. */
  outcome: RequestOutcome | undefined;
  /** Lists the keys of DeleteObjects. */
  keys: (() => readonly RecordedKey[]) | undefined;
  /** Access key id of the authenticated sender. */
  user: string | undefined;
  /** Account of the authenticated sender: 12 digits. */
  account: string | undefined;
  /** Name of the authenticated sender; undefined for the root of an account. */
  userName: string | undefined;
  status: number;
  /** AWS's error code; undefined for success. */
  code: string | undefined;
  /** Payload bytes read, without framing. */
  received: number;
  /** Bytes of the response body that the client accepted; small bodies count when they are handed to the runtime. */
  sent: number;
  /** Milliseconds until the headers of the response, and until its end. */
  answered: number;
  ended: number;
  /** The response was cut short. */
  broken: boolean;
};

/** A function that is called with each request that has ended. It returns immediately and does not throw. */
export type RequestObserver = (record: RequestRecord) => void;

/** Returns the record of a request that has just arrived. */
export function newRecord(
  facts: Pick<RequestRecord, "id" | "method" | "path" | "client">,
): RequestRecord {
  return {
    ...facts,
    trace: undefined,
    began: performance.now(),
    operation: undefined,
    bucket: undefined,
    key: undefined,
    outcome: undefined,
    keys: undefined,
    user: undefined,
    account: undefined,
    userName: undefined,
    status: 0,
    code: undefined,
    received: 0,
    sent: 0,
    answered: 0,
    ended: 0,
    broken: false,
  };
}

/** Facts for the request log and the audit log; undefined if unknown or as usual. */
export type RequestFacts = {
  readonly id: string;
  readonly trace: string | undefined;
  readonly method: string;
  /** Set if the request names no bucket. */
  readonly path: string | undefined;
  readonly operation: string | undefined;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly user: string | undefined;
  readonly client: string | undefined;
  readonly status: number;
  readonly code: string | undefined;
  readonly received: number;
  readonly sent: number;
  readonly milliseconds: number;
  /** Set if the response was cut short. */
  readonly broken: true | undefined;
};

/** Maximum number of characters of a path or a method in logs; a key is no longer than that. */
const MAX_SHOWN = 1024;

/** Returns the facts of a record, without the signature of a request. */
export function factsOf(record: RequestRecord): RequestFacts {
  const { id, trace, method, bucket, key, operation, user, client, status, code } = record;
  return {
    id,
    trace,
    method: method.slice(0, MAX_SHOWN),
    path: bucket === undefined ? redact(record.path.slice(0, MAX_SHOWN)) : undefined,
    operation,
    bucket,
    key: user === undefined ? redact(key) : key,
    user,
    client,
    status,
    code,
    received: record.received,
    sent: record.sent,
    milliseconds: Math.round(record.ended * 10) / 10,
    broken: record.broken || undefined,
  };
}
