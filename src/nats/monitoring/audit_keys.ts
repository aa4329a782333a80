/**
 * The keys of DeleteObjects in messages of the audit log.
 * @module
 */

import type { RecordedKey } from "../../telemetry/request_record.ts";

/** Most characters of the keys in one message; the maximum payload of nats-server is 1 MiB by default. */
const MAX_KEYS = 200_000;

/** Splits keys so that each part fits into a message. There is one part without keys if there are none. */
export function pagesOf(
  keys: readonly RecordedKey[] | undefined,
): readonly (readonly RecordedKey[] | undefined)[] {
  if (keys === undefined) return [undefined];
  const pages: RecordedKey[][] = [[]];
  let size = 0;
  for (const { key, code } of keys) {
    const length = JSON.stringify(key).length;
    if (size > 0 && size + length > MAX_KEYS) {
      pages.push([]);
      size = 0;
    }
    size += length;
    pages.at(-1)?.push({ key, code });
  }
  return pages;
}
