/**
 * Calls that get and remove messages.
 * @module
 */

import { type ApiContext, fieldsOf, type Respond, streamOf } from "./api_call.ts";
import { type ApiError, ApiErrors, Refused, sequenceNotFound } from "./api_errors.ts";
import { leaderGet, leaderRequest } from "./gets.ts";
import type { StoreChange } from "./message_store.ts";
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
  const { config, store } = stream;
  if (config.sealed) throw new Refused(ApiErrors.sealed);
  if (config.deny_purge) {
    throw new Refused({ code: 500, err_code: 10110, description: "stream purge not permitted" });
  }
  const isWhole = filter === "" || filter === ">";
  let changes: StoreChange[];
  let purged: number;
  if (seq === 1 || (isWhole && seq === 0 && keep === 0)) {
    changes = seq === 1 ? [] : [{ kind: "compact", sequence: store.lastSequence + 1 }];
    purged = seq === 1 ? 0 : store.messages.size;
  } else if (isWhole && seq > 1) {
    changes = [{ kind: "compact", sequence: seq }];
    purged = store.sequencesOf("").filter((sequence) => sequence < seq).length;
  } else {
    const found = store.sequencesOf(filter);
    const gone = seq > 0
      ? found.filter((sequence) => sequence < seq)
      : found.slice(0, Math.max(0, found.length - keep));
    changes = gone.length === 0 ? [] : [{ kind: "remove", sequences: gone }];
    purged = gone.length;
  }
  context.propose(stream, {
    changes,
    ids: [],
    subjects: [],
    committed: () => respond({ success: true, purged }),
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
    committed: () => respond({ success: true }),
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
  if (document === undefined) throw new Refused(ApiErrors.badRequest);
  const request = leaderRequest(fieldsOf(document));
  const { store } = streamOf(context, name);
  respond({ message: leaderGet(store, request) });
}
