/**
 * Calls that make, change and delete streams.
 * @module
 */

import { type ApiContext, fieldsOf, type Respond, streamOf } from "./api_call.ts";
import { ApiErrors, invalidConfig, Refused } from "./api_errors.ts";
import { overLimit, overSubjectLimit } from "./limits.ts";
import { describe } from "./stream_reading.ts";
import { Stream } from "./stream.ts";
import { complete, type Config, update } from "./stream_config.ts";
import { collide, matcherOf } from "./subject_filter.ts";

/** STREAM.CREATE. */
export function createStream(
  context: ApiContext,
  [name = ""]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const sent = fieldsOf(document);
  if (sent["name"] !== name) throw new Refused(ApiErrors.streamMismatch);
  if (sent["sealed"] === true) {
    throw new Refused(invalidConfig("stream configuration for create can not be sealed"));
  }
  const config = complete(sent);
  const existing = context.streams.get(name);
  if (existing !== undefined) {
    if (!isSame(existing.config, config)) throw new Refused(ApiErrors.nameInUse);
    // A cluster does not say so.
    respond({ ...describe(context, existing), ...(!context.isCluster && { did_create: true }) });
    return;
  }
  checkOverlap(context, config);
  const stream = new Stream(context.clock, config, context.now());
  context.streams.set(name, stream);
  const origin = config.mirror && context.streams.get(config.mirror.name);
  if (origin) {
    const matches = matcherOf(config.mirror?.filter_subject ?? "");
    for (const message of origin.store.messages.values()) {
      if (matches(message.subject)) stream.commit({ kind: "store", message });
    }
  }
  context.expireAll(stream);
  respond({ ...describe(context, stream), did_create: true });
}

function checkOverlap({ streams }: ApiContext, { name, subjects = [] }: Config): void {
  for (const other of streams.values()) {
    if (other.config.name === name) continue;
    const taken = other.config.subjects ?? [];
    if (subjects.some((one) => taken.some((two) => collide(one, two)))) {
      throw new Refused(ApiErrors.overlap);
    }
  }
}

function isSame(one: Config, other: Config): boolean {
  const text = (config: Config): string => JSON.stringify(Object.entries(config).sort());
  return text(one) === text(other);
}

/** STREAM.UPDATE. */
export function updateStream(
  context: ApiContext,
  [name = ""]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const sent = fieldsOf(document);
  const config = complete(sent);
  if (config.name !== name) throw new Refused(ApiErrors.streamMismatch);
  const stream = streamOf(context, name);
  const updated = update(stream.config, config);
  checkOverlap(context, config);
  stream.configure(updated);
  if (updated.allow_atomic !== true) stream.batches.clear();
  for (const change of overLimit(stream.store, updated)) stream.commit(change);
  for (const subject of [...stream.store.subjects.keys()]) {
    for (const change of overSubjectLimit(stream.store, updated, subject)) stream.commit(change);
  }
  context.expireAll(stream);
  respond(describe(context, stream));
}

/** STREAM.DELETE. */
export function deleteStream(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  if (Object.keys(fieldsOf(document)).length > 0) throw new Refused(ApiErrors.notEmpty);
  const stream = streamOf(context, name);
  for (const consumer of [...stream.consumers.values()]) stream.end(consumer);
  context.streams.delete(stream.config.name);
  respond({ success: true });
}
