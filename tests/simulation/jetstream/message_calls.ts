/**
 * Calls that get and remove messages.
 * @module
 */

import { type ApiContext, fieldsOf, type Respond, streamOf } from "./api_call.ts";
import { type ApiError, ApiErrors, Refused, sequenceNotFound } from "./api_errors.ts";
import { leaderGet, leaderRequest } from "./gets.ts";
import type { Stream } from "./stream.ts";

/** STREAM.PURGE. */
export function purgeStream(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  const { filter = "", seq = 0, keep = 0 } = fieldsOf(document) as {
    readonly filter?: string;
    readonly seq?: number;
    readonly keep?: number;
  };
  // A cluster looks for the stream before it reads the document.
  if (context.isCluster) streamOf(context, name);
  if (seq > 0 && keep > 0) throw new Refused(ApiErrors.badRequest);
  const stream = streamOf(context, name);
  const { config } = stream;
  if (config.sealed) throw new Refused(ApiErrors.sealed);
  if (config.deny_purge) {
    throw new Refused({ code: 500, err_code: 10110, description: "stream purge not permitted" });
  }
  const below = seq > 0 ? seq : undefined;
  context.propose(stream, {
    // There is nothing below the first sequence.
    changes: below === 1 ? [] : [{ kind: "purge", filter, below, keep }],
    ids: [],
    subjects: [],
    expected: [],
    committed: (purged) => respond({ success: true, purged }),
  });
}

/** STREAM.MSG.DELETE. */
export function deleteMessage(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  if (document === undefined) throw new Refused(ApiErrors.badRequest);
  const { seq = 0 } = fieldsOf(document) as { readonly seq?: number };
  const stream = streamOf(context, name);
  const { config, store } = stream;
  if (config.sealed) throw new Refused(ApiErrors.sealed);
  if (config.deny_delete) {
    throw new Refused({ code: 500, err_code: 10057, description: "message delete not permitted" });
  }
  if (!store.messages.has(seq)) {
    throw new Refused(notHeld(stream, seq));
  }
  const changes = [{ kind: "remove", sequences: [seq] }] as const;
  context.propose(stream, {
    changes,
    ids: [],
    subjects: [],
    expected: [],
    committed: (removed) =>
      // Another one may have removed it before there was a majority.
      respond(removed > 0 ? { success: true } : { error: notHeld(stream, seq) }),
  });
}

/** Returns why a message that a stream does not hold cannot be deleted: files distinguish more than memory. */
function notHeld({ config, store }: Stream, sequence: number): ApiError {
  const isWithin = sequence >= store.firstSequence && sequence <= store.lastSequence &&
    store.messages.size > 0;
  if (config.storage === "memory" || isWithin) return sequenceNotFound(sequence);
  const isBefore = sequence <= store.lastSequence;
  const description = isBefore ? "no message found" : "stream store EOF";
  return { code: 500, err_code: 10057, description };
}

/** STREAM.MSG.GET. */
export function getMessage(
  context: ApiContext,
  [name]: readonly string[],
  document: unknown,
  respond: Respond,
): void {
  if (context.isCluster) streamOf(context, name);
  if (document === undefined) throw new Refused(ApiErrors.badRequest);
  const request = leaderRequest(fieldsOf(document));
  const { store } = streamOf(context, name);
  respond(`"message":${leaderGet(store, request)}`);
}
