/**
 * What is known of a request once it has ended: metrics, the log and the audit log are made of it.
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
  readonly versionId?: string;
};

/** Facts about a request, filled while it is answered. */
export type RequestRecord = {
  readonly id: string;
  readonly method: string;
  /** As sent, without the query, which may bear a signature. */
  readonly path: string;
  /** Address of the client, where known. */
  readonly client: string | undefined;
  /** Id of the trace that it belongs to, where there is one. */
  trace: string | undefined;
  /** In `performance.now()`. */
  readonly began: number;
  /** As AWS names it; undefined for what is none. */
  operation: string | undefined;
  bucket: string | undefined;
  key: string | undefined;
  /** Undefined unless the request succeeded and its operation reports one. */
  outcome: RequestOutcome | undefined;
  /** Access key id of who is proved to have sent it. */
  user: string | undefined;
  status: number;
  /** AWS's error code; undefined for success. */
  code: string | undefined;
  /** Bytes of payload that were read, without framing. */
  received: number;
  /** Bytes of the answer's body that were taken. */
  sent: number;
  /** Milliseconds until the answer's headers, and until its end. */
  answered: number;
  ended: number;
  /** The answer was not sent to its end. */
  broken: boolean;
};

/** What is told of requests; it returns at once and does not throw. */
export type RequestObserver = (record: RequestRecord) => void;

/** A record of what has only just come. */
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
    user: undefined,
    status: 0,
    code: undefined,
    received: 0,
    sent: 0,
    answered: 0,
    ended: 0,
    broken: false,
  };
}

/** What the request log and the audit log say of a request; undefined for what is not known, or is as usual. */
export type RequestFacts = {
  readonly id: string;
  readonly trace: string | undefined;
  readonly method: string;
  /** Of a request that names no bucket. */
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
  /** Only where the answer was not sent to its end. */
  readonly broken: true | undefined;
};

/** Characters of a path or a method that are shown; a key is no longer than that. */
const SHOWN = 1024;

/** A record as logs show it: without anything that signs a request. */
export function factsOf(record: RequestRecord): RequestFacts {
  const { id, trace, method, bucket, key, operation, user, client, status, code } = record;
  return {
    id,
    trace,
    method: method.slice(0, SHOWN),
    path: bucket === undefined ? redact(record.path.slice(0, SHOWN)) : undefined,
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
