/**
 * The limits of a stream: what is removed when it holds too much.
 * @module
 */

import type { MessageStore, StoreChange } from "./message_store.ts";

/** The limits of a stream. */
export type Limits = {
  readonly discard: "old" | "new";
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_msgs_per_subject: number;
};

const NOTHING: readonly StoreChange[] = [];

/** Returns the changes that remove the oldest messages of a subject that are too many. */
export function overSubjectLimit(
  store: MessageStore,
  { max_msgs_per_subject: max }: Limits,
  subject: string,
): readonly StoreChange[] {
  if (max <= 0) return NOTHING;
  const list = store.subjects.get(subject) ?? [];
  return list.length <= max
    ? NOTHING
    : [{ kind: "remove", sequences: list.slice(0, list.length - max) }];
}

/** Returns the changes that remove the oldest messages of a stream that are too many. */
export function overLimit(
  store: MessageStore,
  { discard, max_msgs, max_bytes }: Limits,
): readonly StoreChange[] {
  if (discard !== "old" || (max_msgs <= 0 && max_bytes <= 0)) return NOTHING;
  let left = store.messages.size;
  let bytes = store.bytes;
  const sequences: number[] = [];
  for (const message of store.messages.values()) {
    const isOver = (max_msgs > 0 && left > max_msgs) || (max_bytes > 0 && bytes > max_bytes);
    if (!isOver) break;
    sequences.push(message.sequence);
    left--;
    bytes -= store.sizeOf(message);
  }
  return sequences.length === 0 ? NOTHING : [{ kind: "remove", sequences }];
}
