/**
 * A cluster of servers without a meta leader: whoever calls the API is refused, while streams go on storing messages and
 * answering direct gets. See `isLeaderless` in
 * https://github.com/nats-io/nats-server/blob/v2.15.2/server/jetstream_api.go
 * @module
 */

import { API } from "./jetstream/api_calls.ts";
import { ApiErrors } from "./jetstream/api_errors.ts";
import { jsonMessage, type WireMessage } from "./jetstream/wire.ts";

/** Begin the subjects that streams and consumers answer themselves. */
const ELSEWHERE = [`${API}DIRECT.`, `${API}CONSUMER.MSG.NEXT.`, `${API}INFO`] as const;

/** Returns the refusal of a call; undefined if no meta leader is needed for it. */
export function refusalOf({ subject, reply }: WireMessage): WireMessage | undefined {
  if (!subject.startsWith(API) || reply === "") return undefined;
  if (ELSEWHERE.some((begin) => subject.startsWith(begin))) return undefined;
  return jsonMessage(reply, { error: ApiErrors.unavailable });
}
