/**
 * Publishes into a stream.
 * @module
 */

import { type ApiError, Refused } from "./api_errors.ts";
import { publishInBatch } from "./atomic_batch.ts";
import { Staged } from "./staged.ts";
import type { Proposal, Stream } from "./stream.ts";
import type { StoredTime } from "./stored_time.ts";
import { headerOf, jsonMessage, textMessage, type WireMessage } from "./wire.ts";

/** What publishing needs of the server. */
export type PublishContext = {
  readonly now: () => StoredTime;
  readonly send: (message: WireMessage) => void;
  /** Commits a proposal once it has a majority: at once where there is one copy. */
  readonly propose: (stream: Stream, proposal: Proposal) => void;
};

/** Publishes a message, or a part of a batch. */
export function publish(context: PublishContext, stream: Stream, message: WireMessage): void {
  try {
    const id = headerOf(message.headers, "Nats-Batch-Id");
    if (id === "") publishOne(context, stream, message);
    else publishInBatch(context, stream, message, id);
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    refuse(context, stream, message.reply, cause.error);
  }
}

function refuse(
  { send }: PublishContext,
  { config }: Stream,
  reply: string,
  error: ApiError,
): void {
  if (reply !== "") send(jsonMessage(reply, { error, stream: config.name, seq: 0 }));
}

function publishOne(context: PublishContext, stream: Stream, message: WireMessage): void {
  const { config, ids } = stream;
  const { reply, headers } = message;
  const acknowledge = (more: Readonly<Record<string, unknown>>): void => {
    if (reply !== "") context.send(jsonMessage(reply, { stream: config.name, ...more }));
  };
  const staged = new Staged(stream, context.now());
  const id = headerOf(headers, "Nats-Msg-Id");
  const known = staged.check(message, false) ? ids.get(id) : undefined;
  if (known !== undefined) {
    acknowledge({ seq: known.sequence, duplicate: true });
    return;
  }
  const { sequence } = staged.add(message, false);
  context.propose(
    stream,
    staged.proposal(() => {
      if (reply === "") return;
      const text = `{"stream":${JSON.stringify(config.name)},"seq":${sequence}}`;
      context.send(textMessage(reply, text));
    }),
  );
}
