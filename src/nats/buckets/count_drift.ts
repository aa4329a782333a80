/**
 * Notices that nats-server counts messages which a consumer will never get.
 *
 * With each message nats-server sends how many are left. It counts one too many, as long as the consumer exists, if a
 * message is replaced at the moment at which the consumer is made. Such a consumer never says that nothing is left, so
 * another one must take its place.
 * @module
 */

import { startTicker, stopTicker } from "../../world/world.ts";

/** Milliseconds between two looks. */
const LOOK = 50;
/** Number of looks behind the barrier after which the count is wrong: if nothing was delivered since, and in any case. */
const LOOKS_IDLE = 2;
const LOOKS_BUSY = 20;

/**
 * Watches a consumer on its way to a barrier, until it is disposed.
 *
 * @param feed Knows the sequence that was delivered last, and whether its consumer delivers: a new one takes its time to
 * prove where it begins.
 * @param barrier The sequence behind which the consumer should soon say that nothing is left; undefined if there is none.
 * @param restart Called when the count is most likely wrong.
 */
export function watchCountDrift(
  feed: { readonly position: number; readonly isDelivering: boolean },
  barrier: number | undefined,
  restart: () => void,
): Disposable {
  let looks = 0;
  let before = 0;
  const ticker = startTicker(LOOK, () => {
    const { position, isDelivering } = feed;
    looks = barrier === undefined || position < barrier || !isDelivering ? 0 : looks + 1;
    const isIdle = position === before;
    before = position;
    if (looks < (isIdle ? LOOKS_IDLE : LOOKS_BUSY)) return;
    looks = 0;
    restart();
  });
  return { [Symbol.dispose]: () => stopTicker(ticker) };
}
