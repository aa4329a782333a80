/**
 * What is known of a request once it has ended: metrics, the log and the audit log are made of it.
 * @module
 */

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
