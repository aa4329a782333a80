/**
 * The largest message that a NATS server accepts: its setting `max_payload`, 1 MiB by default.
 * @module
 */

/** The smallest `max_payload` with which the gateway works, in bytes: a chunk with its headers, and object info. */
export const MIN_MAX_PAYLOAD = 64 * 1024;

/** The server accepts only messages that are too small for the gateway. */
export class MaxPayloadTooSmall extends Error {
  override readonly name = "MaxPayloadTooSmall";

  constructor(maxPayload: number) {
    super(
      `nats-server accepts messages of at most ${maxPayload} bytes: set max_payload in its configuration to at least ` +
        `${MIN_MAX_PAYLOAD}`,
    );
  }
}

/** @throws MaxPayloadTooSmall */
export function checkMaxPayload(maxPayload: number): void {
  if (maxPayload < MIN_MAX_PAYLOAD) throw new MaxPayloadTooSmall(maxPayload);
}
