/**
 * What an exchange is given: the gateway's services, and what the server knows about the request.
 * @module
 */

import type { TrustedProxies } from "../s3/forwarded.ts";
import type { EndedRequest } from "../s3/log_line.ts";
import type { Store } from "../store/store.ts";
import type { StallWatch } from "../streams/stall_watch.ts";
import type { Log } from "../telemetry/log.ts";
import type { Rejection } from "../telemetry/rejections.ts";
import type { RequestObserver } from "../telemetry/request_record.ts";
import type { RequestTracing } from "../telemetry/request_trace.ts";
import type { BodyTurns } from "./body_turns.ts";
import type { FailedRequest } from "./error_response.ts";
import type { FixedBodies } from "./fixed_bodies.ts";
import type { InFlight } from "./in_flight.ts";
import type { RateLimit } from "./rate_limit.ts";
import type { Turns } from "./turns.ts";

/** The services that exchanges use. */
export type ExchangeServices = {
  /** Proxies whose X-Forwarded-* headers are trusted; none by default. */
  readonly proxies?: TrustedProxies | undefined;
  readonly log: Log;
  /** Knows the locations of buckets that were used. */
  readonly store: Pick<Store, "knownLocation">;
  /** Returns a new id for each request: `x-amz-request-id`. */
  readonly newRequestId: () => string;
  /** Counts the requests in flight, up to a limit. */
  readonly inFlight: InFlight;
  /** Counts small bodies that clients may not have taken. */
  readonly fixedBodies: FixedBodies;
  /** Keeps one client's lists from holding others up. */
  readonly turns: Turns;
  /** Keeps one client's uploads from filling the memory and holding others up. */
  readonly bodyTurns: BodyTurns;
  /** Limits the rate of each user's requests. */
  readonly rateLimit?: RateLimit;
  /** Called for each request that was turned away. */
  readonly rejected?: (reason: Rejection) => void;
  /** Ends bodies of requests and responses that make no progress. */
  readonly stalls: StallWatch;
  /** Called for each request when its response was sent or broken off. */
  readonly observe?: RequestObserver;
  /** Logs each request at the same time, as its bucket demands. It returns immediately and does not throw. */
  readonly accessLog?: { readonly add: (ended: EndedRequest) => void };
  /** Renders the error of a request; as XML by default. */
  readonly renderError?: (cause: unknown, failed: FailedRequest) => Response;
  /** Undefined if requests are not traced. */
  readonly tracing?: RequestTracing | undefined;
};

/** What a server such as `Deno.serve` knows about a request in addition to the request itself. */
export type RequestInfo = {
  /** Settles when the response was sent, or cannot be. */
  readonly completed: Promise<unknown>;
  readonly remoteAddr?: { readonly hostname?: string; readonly port?: number };
};

/**
 * Responds to a request and never rejects. A request is in flight until its response was sent or broken off; without
 * {@linkcode RequestInfo}, until the last byte was read from the response.
 */
export type Handler = (request: Request, info?: RequestInfo) => Promise<Response>;
