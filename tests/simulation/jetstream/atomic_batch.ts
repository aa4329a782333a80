/**
 * Atomic batches: messages that a stream stores together or not at all.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
 * @module
 */

import { ApiErrors, Refused, tooLargeBatch, unsupportedHeader } from "./api_errors.ts";
import type { PublishContext } from "./publish.ts";
import { checkSize, Staged } from "./staged.ts";
import type { Stream } from "./stream.ts";
import { headerOf, jsonMessage, type WireMessage, withHeader } from "./wire.ts";

/** The messages of a batch that has not ended. */
export type StagedBatch = { readonly messages: WireMessage[]; readonly at: number };

/** Most messages of a batch, and batches at a time; milliseconds without a message after which one is given up. */
const MAX_BATCH = 1000;
const MAX_BATCHES = 50;
const BATCH_TIMEOUT = 10_000;

const NOTHING = new Uint8Array();

/** Takes a message of a batch. Throws Refused, which ends the batch. */
export function publishInBatch(
  context: PublishContext,
  stream: Stream,
  message: WireMessage,
  id: string,
): void {
  const { config, batches } = stream;
  const { headers, reply } = message;
  if (config.sealed) throw new Refused(ApiErrors.sealed);
  checkSize(stream, message);
  if (config.allow_atomic !== true) throw new Refused(ApiErrors.noBatches);
  if (id.length > 64) throw new Refused(ApiErrors.badBatchId);
  const text = headerOf(headers, "Nats-Batch-Sequence");
  if (text === "") throw new Refused(ApiErrors.noBatchSequence);
  const sequence = /^\d+$/.test(text) ? Number(text) : Infinity;
  const commit = headerOf(headers, "Nats-Batch-Commit");
  const isEnd = commit === "eob";
  const size = isEnd ? sequence - 1 : sequence;
  const now = context.now();
  for (const [name, { at }] of batches) if (at + BATCH_TIMEOUT <= now.ms) batches.delete(name);
  const known = batches.get(id);
  if (known === undefined && sequence !== 1) {
    throw new Refused(size > MAX_BATCH ? tooLargeBatch(MAX_BATCH) : ApiErrors.incompleteBatch);
  }
  if (known === undefined && batches.size >= MAX_BATCHES) {
    throw new Refused(ApiErrors.incompleteBatch);
  }
  const messages = known?.messages ?? [];
  batches.delete(id);
  if (commit !== "" && !isEnd && commit !== "1") throw new Refused(ApiErrors.badCommit);
  if (messages.length + 1 !== sequence || (sequence === 1 && isEnd)) {
    throw new Refused(ApiErrors.incompleteBatch);
  }
  if (size > MAX_BATCH) throw new Refused(tooLargeBatch(MAX_BATCH));
  if (!isEnd) messages.push(message);
  else {
    const end = messages.pop();
    // The last message gets the header that it would have had otherwise.
    if (end !== undefined) {
      messages.push({ ...end, headers: withHeader(end.headers, "Nats-Batch-Commit", 1) });
    }
  }
  if (commit === "") {
    batches.set(id, { messages, at: now.ms });
    if (reply !== "") context.send({ subject: reply, reply: "", headers: "", data: NOTHING });
    return;
  }
  const staged = new Staged(stream, now);
  let last = 0;
  for (const one of messages) {
    if (headerOf(one.headers, "Nats-Expected-Last-Msg-Id") !== "") {
      throw new Refused(unsupportedHeader("Nats-Expected-Last-Msg-Id"));
    }
    staged.check(one, true);
    last = staged.add(one, true).sequence;
  }
  context.propose(
    stream,
    staged.proposal(() => {
      if (reply === "") return;
      const answer = { stream: config.name, seq: last, batch: id, count: messages.length };
      context.send(jsonMessage(reply, answer));
    }),
  );
}
