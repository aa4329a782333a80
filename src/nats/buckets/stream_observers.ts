/**
 * Who learns from the streams that are read.
 * @module
 */

import type { ForgetfulBuckets } from "./forgets.ts";
import type { ServerClock } from "./server_clock.ts";
import type { ReportUnreadable } from "./unreadable.ts";

/** What learns from the streams that are read. */
export type StreamObservers = {
  readonly report?: ReportUnreadable;
  readonly clock?: Pick<ServerClock, "note">;
  readonly forgetful?: ForgetfulBuckets;
};
