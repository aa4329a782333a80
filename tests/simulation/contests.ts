/**
 * Operations that meet each other at a key in a way that chance alone rarely brings about.
 * @module
 */

import type { Acting } from "./clients.ts";
import { GRACE } from "./gateway.ts";
import { completeUpload } from "./multipart.ts";
import { readKey } from "./reads.ts";
import { tag } from "./tags.ts";
import { put, removeKey } from "./writes.ts";

/** Milliseconds for which a delete waits for a response before it is repeated. */
const UNANSWERED = 5000;
/** The time around the end of the grace in which the trash is emptied, in milliseconds after a Complete. */
const [EARLIEST, LATEST] = [GRACE - 500, GRACE + 1200];
/** Longest pause of a reader between two pieces, in milliseconds: its read ends before it needs a lease. */
const READ_PAUSE = 300;

/** Returns the same client at some gateway. */
function elsewhere(acting: Acting): Acting {
  const gateways = acting.gateways();
  const gateway = gateways.length === 0 ? acting.gateway : acting.random.pick(gateways);
  return { ...acting, gateway, call: (what, work) => gateway.call(what, work) };
}

/** Puts an object and deletes it, and changes its tags through another gateway while the delete may be unanswered. */
export async function removeWhileTagged(acting: Acting): Promise<string> {
  const key = acting.random.pick(acting.keys);
  if (acting.random.chance(0.7)) await put({ ...acting, keys: [key] });
  const tagging = async (): Promise<void> => {
    await acting.wait(acting.random.between(1, UNANSWERED));
    await tag({ ...elsewhere(acting), keys: [key] });
  };
  const [outcome] = await Promise.all([removeKey(acting, key, undefined), tagging()]);
  return outcome;
}

/** Replaces an object in parts when its upload is due in the trash, while somebody reads it. */
export async function replaceWhenDue(acting: Acting): Promise<string> {
  const key = acting.random.pick(acting.keys);
  const completed = await completeUpload({ ...acting, keys: [key] });
  if (completed !== "done") return completed;
  await acting.wait(acting.random.between(EARLIEST, LATEST));
  const reader = { ...elsewhere(acting), slowness: acting.random.between(1, READ_PAUSE) };
  const [outcome] = await Promise.all([
    put({ ...elsewhere(acting), keys: [key] }),
    readKey(reader, key, undefined),
  ]);
  return outcome;
}
