/**
 * The mark of a DeleteBucket in the metadata of a stream's configuration.
 *
 * Pure. The mark names its holder and expires by nats-server's clock, as the record of a lock does. Without a fence it
 * counts for nothing.
 * @module
 */

import type { StoreName } from "../layout/names.ts";
import { isFenced, type StreamConfig, type StreamInfo } from "./stream_config.ts";

/** A mark in a stream's configuration. */
export type Mark = {
  readonly holder: string;
  /** When it expires, in milliseconds since 1970; Infinity if its holder decided to delete the bucket. */
  readonly until: number;
};

/** Key of the mark in the metadata. */
const MARK = "s3-deletion";

/** Returns the mark of a fenced stream; undefined if there is none or it has expired. */
export function readMark(store: StoreName, info: StreamInfo): Mark | undefined {
  const mark = isFenced(store, info.config) ? markOf(info) : undefined;
  return mark !== undefined && mark.until > Date.parse(info.ts) ? mark : undefined;
}

/** Returns the mark of a stream, also if it counts for nothing. */
export function markOf({ config }: StreamInfo): Mark | undefined {
  const [holder = "", until] = config.metadata?.[MARK]?.split(" ") ?? [];
  return until === undefined ? undefined : { holder, until: Number(until) };
}

/** Returns a configuration with a mark, or without one. */
export function withMark(config: StreamConfig, mark: Mark | undefined): StreamConfig {
  const { [MARK]: _, ...others } = config.metadata ?? {};
  if (mark === undefined) return { ...config, metadata: others };
  return { ...config, metadata: { ...others, [MARK]: `${mark.holder} ${mark.until}` } };
}

/** Returns when a mark that is set now expires, in milliseconds since 1970. */
export function expiryOf({ ts }: StreamInfo, seconds: number): number {
  return Date.parse(ts) + seconds * 1000;
}
