/**
 * Calls about consumers.
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { type ApiContext, type Fields, fieldsOf, type Respond, streamOf } from "./api_call.ts";
import { ApiErrors, notSimulated, Refused } from "./api_errors.ts";
import { Consumer } from "./consumer.ts";
import type { ConsumerConfig } from "./consumer_config.ts";
import { formatTime } from "./stored_time.ts";
import type { Stream } from "./stream.ts";

/** CONSUMER.CREATE. */
export function createConsumer(
  context: ApiContext,
  [stream_name = "", name = ""]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { config, action } = fieldsOf(document) as {
    readonly config?: ConsumerConfig;
    readonly action?: string;
  };
  const stream = streamOf(context, stream_name);
  if (config === undefined || config.name !== name) {
    throw new Refused(notSimulated("consumers without a name"));
  }
  if (action !== "create") throw new Refused(notSimulated("consumers that exist"));
  const existing = stream.consumers.get(name);
  if (existing !== undefined) {
    if (!isDeepStrictEqual(existing.config, config)) {
      throw new Refused({ code: 400, err_code: 10148, description: "consumer already exists" });
    }
    respond(describeConsumer(context, stream, existing));
    return;
  }
  // It lives on some server of the stream, whose copy may be behind.
  const { copies } = stream;
  const copy = copies[Math.floor(context.random() * copies.length)] ?? copies[0];
  if (copy === undefined) throw new RangeError("A stream has no copy");
  const consumer = new Consumer(context, stream, copy, config);
  stream.consumers.set(name, consumer);
  copy.consumers.add(consumer);
  respond(describeConsumer(context, stream, consumer));
  consumer.deliver();
}

function consumerOf(
  context: ApiContext,
  [stream, name = ""]: readonly string[],
): readonly [Stream, Consumer] {
  const found = streamOf(context, stream);
  const consumer = found.consumers.get(name);
  if (consumer === undefined) throw new Refused(ApiErrors.consumerNotFound);
  return [found, consumer];
}

/** CONSUMER.DELETE. */
export function deleteConsumer(
  context: ApiContext,
  names: readonly string[],
  _: unknown,
  respond: Respond,
): void {
  const [stream, consumer] = consumerOf(context, names);
  stream.end(consumer);
  respond({ success: true });
}

function describeConsumer({ now }: ApiContext, { config }: Stream, consumer: Consumer): Fields {
  return {
    stream_name: config.name,
    name: consumer.config.name,
    created: formatTime(now()),
    config: {
      max_deliver: -1,
      ...(consumer.config.deliver_subject === undefined && { max_waiting: 512 }),
      ...consumer.config,
    },
    delivered: consumer.delivered,
    ack_floor: consumer.delivered,
    num_ack_pending: 0,
    num_redelivered: 0,
    num_waiting: 0,
    num_pending: consumer.pending,
    ts: formatTime(now()),
  };
}
