/**
 * The body of a request on its way to its operation: watched, counted, and received in turns.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import type { VerifiedRequest } from "../s3/verified_request.ts";
import type { SourceGate } from "../streams/watched_streams.ts";
import type { RequestRecord } from "../telemetry/request_record.ts";
import { isLong, type Receiver } from "./body_turns.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { Admission } from "./in_flight.ts";

/** The exchange that receives a body. */
type Receiving = Receiver & { readonly record: RequestRecord; readonly standsStill: () => void };

/**
 * Watches the payload of a request that has a body: counts its bytes, ends it if the client sends nothing, and divides a
 * long one into turns.
 */
export function watchBody(
  verified: VerifiedRequest,
  exchange: Receiving,
  { stalls, bodyTurns }: ExchangeServices,
  { arrived }: Admission,
  gate: SourceGate | undefined,
): VerifiedRequest {
  const { payload, method } = verified;
  const source = stalls.watchSource(payload.source, {
    owner: exchange,
    gate,
    stalled: () => new S3Error("RequestTimeout"),
    received: (bytes) => void (exchange.record.received += bytes),
    // What PUT has received, it stores. Other work begins when it has the whole document, and may be long.
    ended: method === "PUT" ? arrived : () => {
      bodyTurns.end(exchange);
      arrived();
    },
  });
  const taken = isLong(payload.size) ? bodyTurns.divide(source, exchange) : source;
  return { ...verified, payload: { ...payload, source: taken, sender: exchange.client } };
}
