/**
 * The calls about streams, messages and consumers: `$JS.API.…`.
 * See https://docs.nats.io/reference/reference-protocols/nats_api_reference
 * @module
 */

import type { Call, Fields } from "./api_call.ts";
import type { ApiError } from "./api_errors.ts";
import { createConsumer, deleteConsumer } from "./consumer_calls.ts";
import { deleteMessage, getMessage, purgeStream } from "./message_calls.ts";
import { createStream, deleteStream, updateStream } from "./stream_changes.ts";
import { listNames, listStreams, readStream } from "./stream_reading.ts";

/** A call and the type of its response. */
export type ApiCall = {
  readonly type: string;
  readonly run: Call;
  /** Fields that a refusal has, too. */
  readonly zero?: Fields;
};

/** All calls, by the method. */
export const CALLS: Readonly<Record<string, ApiCall>> = {
  "STREAM.CREATE": { type: "stream_create_response", run: createStream },
  "STREAM.UPDATE": { type: "stream_update_response", run: updateStream },
  "STREAM.DELETE": { type: "stream_delete_response", run: deleteStream },
  "STREAM.INFO": {
    type: "stream_info_response",
    run: readStream,
    zero: { total: 0, offset: 0, limit: 0 },
  },
  "STREAM.NAMES": { type: "stream_names_response", run: listNames },
  "STREAM.LIST": { type: "stream_list_response", run: listStreams },
  "STREAM.PURGE": { type: "stream_purge_response", run: purgeStream, zero: { purged: 0 } },
  "STREAM.MSG.DELETE": { type: "stream_msg_delete_response", run: deleteMessage },
  "STREAM.MSG.GET": { type: "stream_msg_get_response", run: getMessage },
  "CONSUMER.CREATE": { type: "consumer_create_response", run: createConsumer },
  "CONSUMER.DELETE": { type: "consumer_delete_response", run: deleteConsumer },
};

/** Returns the response of a call that was refused. */
export function refusal({ zero }: ApiCall, error: ApiError): Fields {
  return { ...zero, error };
}
