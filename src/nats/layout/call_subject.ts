/**
 * What a call of JetStream is about, by its subject: for metrics and traces.
 * @module
 */

import { type StoreName, streamOf } from "./names.ts";

/**
 * Returns the stream that a call of JetStream concerns, by the call's method and subject, and whether the call writes or
 * reads one chunk.
 *
 * @example Usage
 * ```ts
 * import { describeCall } from "./call_subject.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(describeCall("publish", "$O.a.C.x"), { stream: "OBJ_a", isChunk: true });
 * deepStrictEqual(describeCall("STREAM.INFO", "$JS.API.STREAM.INFO.OBJ_a"), {
 *   stream: "OBJ_a",
 *   isChunk: false,
 * });
 * ```
 */
export function describeCall(
  method: string,
  subject: string,
): { readonly stream: string | undefined; readonly isChunk: boolean } {
  const [, owner, store, after = ""] = /(?:^|\.)(OBJ_|\$O\.)([\w-]+)(.*)/.exec(subject) ?? [];
  if (store === undefined) return { stream: undefined, isChunk: false };
  const isWritten = method === "publish" && owner === "$O." && after.startsWith(".C.");
  // A direct get by sequence names only the stream.
  const isRead = method === "direct_get" && after === "";
  return { stream: streamOf(store as StoreName), isChunk: isWritten || isRead };
}
