/**
 * A call of the API: what it gets, and what it answers.
 * @module
 */

import type { ConsumerContext } from "./consumer_config.ts";
import { ApiErrors, Refused } from "./api_errors.ts";
import type { ServerClock } from "./server_clock.ts";
import type { StoredTime } from "./stored_time.ts";
import type { Proposal, Stream } from "./stream.ts";

/** What the calls need of the server. */
export type ApiContext = ConsumerContext & {
  readonly isCluster: boolean;
  readonly clock: ServerClock;
  readonly random: () => number;
  readonly streams: Map<string, Stream>;
  readonly now: () => StoredTime;
  readonly propose: (stream: Stream, proposal: Proposal) => void;
  /** Sees to it that all messages of a stream expire at their time, after its configuration or its messages changed. */
  readonly expireAll: (stream: Stream) => void;
};

/** Fields of a request. */
export type Fields = Readonly<Record<string, unknown>>;
/** Sends the fields of a response: values, or JSON without its braces. */
export type Respond = (fields: Fields | string) => void;
/** A call: its handler gets the rest of the subject and the document. */
export type Call = (
  context: ApiContext,
  names: readonly string[],
  document: unknown,
  respond: Respond,
) => void;

/** Returns the stream of a name. Throws Refused if there is none. */
export function streamOf({ streams }: ApiContext, name: string | undefined): Stream {
  const stream = streams.get(name ?? "");
  if (stream === undefined) throw new Refused(ApiErrors.streamNotFound);
  return stream;
}

/** Returns the fields of a document, none if there is no document. Throws Refused if it is no object. */
export function fieldsOf(document: unknown): Fields {
  if (document === undefined) return {};
  if (typeof document === "object" && document !== null) return document as Fields;
  throw new Refused({ code: 400, err_code: 10025, description: "invalid JSON" });
}
