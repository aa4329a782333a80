/**
 * Publishing where there may be no room.
 * @module
 */

import { isFull } from "./errors.ts";
import type { PublishOptions } from "./messages.ts";
import type { Requests } from "./requests.ts";

/**
 * Publishes a message, unless the stream, the account or the server is full.
 *
 * @returns the sequence of the message; undefined if there is no room
 * @throws as {@linkcode Requests.publish} does
 */
export async function publishIfRoom(
  requests: Pick<Requests, "publish">,
  subject: string,
  data: string,
  options: PublishOptions,
): Promise<number | undefined> {
  try {
    return await requests.publish(subject, data, options);
  } catch (cause) {
    if (!isFull(cause)) throw cause;
    return undefined;
  }
}
