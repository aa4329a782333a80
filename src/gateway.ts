/**
 * The pipeline, from a Request to a Response: parse, authenticate, authorize, run, answer. Read this first.
 * @module
 */

import { Buffer } from "node:buffer";
import type { Authorize } from "./access/authorize.ts";
import type { Authenticate } from "./auth/authenticate.ts";
import type { Identity, User } from "./auth/identity.ts";
import type { InFlight, Refusal } from "./http/in_flight.ts";
import { answerLate, PATIENCE, type Patience } from "./http/late_answer.ts";
import type { Deliver, Operation, Services } from "./operations/operation.ts";
import { OPERATIONS } from "./operations/table.ts";
import type { RateLimit } from "./http/rate_limit.ts";
import { createRouter } from "./http/router.ts";
import { isS3Error, S3Error } from "./s3/errors.ts";
import type { Origin, TrustedProxies } from "./s3/forwarded.ts";
import { parseRequest, type Target } from "./s3/request.ts";
import type { VerifiedRequest } from "./s3/verified_request.ts";
import { formatXml } from "./s3/xml.ts";
import { release } from "./streams/release.ts";
import type { StallWatch } from "./streams/stall_watch.ts";
import { type Log, SILENT_LOG } from "./telemetry/log.ts";
import { newRecord, type RequestObserver, type RequestRecord } from "./telemetry/request_record.ts";
import type { RequestTracing } from "./telemetry/request_trace.ts";
import type { RequestHeaders } from "./s3/request_headers.ts";

/** What the pipeline needs beside what operations need. */
export type GatewayServices = Services & {
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  /** Host names under which buckets are addressed in virtual-host style. */
  readonly domains: readonly string[];
  /** Who is believed what they say of where requests come from; nobody by default. */
  readonly proxies?: TrustedProxies | undefined;
  readonly log: Log;
  /** A new id for each request: `x-amz-request-id`. */
  readonly newRequestId: () => string;
  /** Counts the requests, up to a limit. */
  readonly inFlight: InFlight;
  /** Bounds what each user sends. */
  readonly rateLimit?: RateLimit;
  /** Told of each request that was not let in. */
  readonly rejected?: (reason: Rejection) => void;
  /** Ends bodies, of requests and of answers, that stand still. */
  readonly stalls: StallWatch;
  /** How long slow operations wait before they begin to answer. */
  readonly patience?: Patience;
  /** Told of each request when its answer was sent, or broken off. */
  readonly observe?: RequestObserver;
  /** Undefined where requests are not traced. */
  readonly tracing?: RequestTracing | undefined;
};

/** Why a request was not let in: as {@linkcode Refusal}, or its user sends too many. */
export type Rejection = Refusal | "rate";

/** What a server knows of a request beside it, as `Deno.serve` does. */
export type RequestInfo = {
  /** Settles when the answer was sent, or cannot be. */
  readonly completed: Promise<unknown>;
  readonly remoteAddr?: { readonly hostname?: string };
};

/**
 * Answers requests; it never rejects. A request is in flight until its answer was sent or broken off; without
 * {@linkcode RequestInfo} until the last byte was taken from here.
 */
export type Handler = (request: Request, info?: RequestInfo) => Promise<Response>;

/** One request on its way. */
type Exchange = {
  readonly record: RequestRecord;
  readonly origin: Origin;
  /** Its signal aborts when the client has gone. */
  readonly request: Pick<Request, "signal">;
  readonly log: Log;
  readonly deliver: Deliver;
  /** Called when the body was read to its end, or given up. */
  readonly arrived: () => void;
};

const ROUTER = createRouter(OPERATIONS);

/** Milliseconds between two warnings that there are too many requests. */
const WARNING_INTERVAL = 10_000;

/** Creates the gateway's handler. */
export function createHandler(services: GatewayServices): Handler {
  const { inFlight, observe = () => {}, rejected } = services;
  let warned = -Infinity;
  return async (request, info) => {
    const id = services.newRequestId();
    const { method, url } = request;
    const path = pathOf(url);
    const peer = info?.remoteAddr?.hostname;
    const origin = services.proxies?.originOf(peer, request.headers) ??
      { address: peer, host: undefined, scheme: undefined };
    const record = newRecord({ id, method, path, client: origin.address });
    const trace = services.tracing?.begin(record, request, origin.scheme);
    const log = services.log.with({ id, method, path, trace: record.trace });

    const admission = inFlight.enter({ hasBody: request.body !== null });
    const isIn = typeof admission !== "string";
    let isOver = false;
    const end = (broken: boolean): void => {
      if (isOver) return;
      isOver = true;
      if (isIn) admission.leave();
      record.broken = broken;
      record.ended = performance.now() - record.began;
      observe(record);
      trace?.end(record);
    };
    if (!isIn) {
      rejected?.(admission);
      if (admission === "requests" && record.began - warned >= WARNING_INTERVAL) {
        warned = record.began;
        services.log.warn("Too many requests in flight", { limit: inFlight.limit });
      }
      discard(request.body);
      const error = new S3Error(admission === "requests" ? "SlowDown" : "ServiceUnavailable");
      const response = errorResponse(error, { record, request, log: SILENT_LOG });
      record.answered = performance.now() - record.began;
      if (method !== "HEAD") record.sent = lengthOf(response);
      end(false);
      return withCommonHeaders(response, id, inFlight);
    }

    let streams = false;
    const deliver: Deliver = (source) => {
      streams = true;
      return services.stalls.watchReader(trace?.follow(source) ?? source, {
        signal: goneSignal(request, info),
        taken(piece) {
          record.sent += piece.length;
          // The server copies what it takes; another reader may keep the pieces.
          if (info !== undefined) release(piece);
        },
        ended: (broken) => {
          if (broken || info === undefined) end(broken);
        },
      });
    };
    const { arrived } = admission;
    const exchange = { record, origin, request, log, deliver, arrived };
    const answering = (): Promise<Response> => answer(request, services, exchange);
    const response = withCommonHeaders(await (trace?.run(answering) ?? answering()), id, inFlight);
    record.status = response.status;
    record.answered = performance.now() - record.began;
    if (!streams && method !== "HEAD") record.sent = lengthOf(response);
    if (info !== undefined) info.completed.then(() => end(false), () => end(true));
    else if (!streams) end(false);
    return response;
  };
}

async function answer(
  request: Request,
  services: GatewayServices,
  exchange: Exchange,
): Promise<Response> {
  const { record, origin } = exchange;
  try {
    const asked = parseRequest(request, services.domains, origin); //            1. what is asked
    nameTarget(record, asked.target);
    if (asked.method === "OPTIONS") throw corsNotEnabled(request.headers);
    const { identity, verified } = await services.authenticate(asked); //         2. by whom
    if (identity.kind === "user") record.user = identity.accessKeyId;
    const excess = excessOf(identity, services);
    if (excess !== undefined) {
      discard(request.body);
      return errorResponse(excess, { ...exchange, log: SILENT_LOG });
    }
    // After authentication, because a presigned URL carries headers in its query.
    const operation = operationOf(verified, identity);
    if (identity.kind === "user") record.operation = operation.name;
    const caller = await services.authorize.check(identity, operation, verified); // 3. is it allowed?
    const watched = request.body === null ? verified : watchBody(verified, services, exchange);
    return await run(operation, watched, caller, services, exchange); //                  4, 5. do it, answer
  } catch (cause) {
    discard(request.body);
    return errorResponse(cause, exchange);
  }
}

/** Finds the operation. An anonymous caller is denied access rather than told which operations exist. */
function operationOf(verified: VerifiedRequest, identity: Identity): Operation {
  try {
    return ROUTER.match(verified);
  } catch (cause) {
    throw identity.kind === "anonymous" ? new S3Error("AccessDenied", {}, { cause }) : cause;
  }
}

async function run(
  operation: Operation,
  verified: VerifiedRequest,
  caller: User,
  services: GatewayServices,
  exchange: Exchange,
): Promise<Response> {
  const { payload } = verified;
  const running = operation.run(verified, caller, services, exchange.deliver);
  const work = payload.size === 0
    ? running
    : running.finally(() => payload.source.cancel().catch(() => {}));
  if (operation.slow !== true) return await work;
  const renderError = async (cause: unknown): Promise<string> =>
    await errorResponse(cause, exchange).text();
  return await answerLate(work, renderError, services.patience ?? PATIENCE);
}

/** What is wrong with one more request of this user, if it is one too many. */
function excessOf(
  identity: Identity,
  { rateLimit, rejected }: GatewayServices,
): S3Error | undefined {
  if (identity.kind === "anonymous") return undefined;
  const wait = rateLimit?.take(identity.accessKeyId) ?? 0;
  if (wait === 0) return undefined;
  rejected?.("rate");
  return new S3Error("SlowDown", {}, {
    headers: { "retry-after": String(Math.ceil(wait / 1000)) },
  });
}

function nameTarget(record: RequestRecord, target: Target): void {
  if (target.on !== "service") record.bucket = target.bucket;
  if (target.on === "object") record.key = target.key;
}

function watchBody(
  verified: VerifiedRequest,
  { stalls }: GatewayServices,
  { record, arrived }: Exchange,
): VerifiedRequest {
  const { payload } = verified;
  const source = stalls.watchSource(payload.source, {
    stalled: () => new S3Error("RequestTimeout"),
    received: (bytes) => void (record.received += bytes),
    ended: arrived,
  });
  return { ...verified, payload: { ...payload, source } };
}

/** Cancels a body that nobody reads; one that has an owner is left to it. */
function discard(body: ReadableStream<Uint8Array> | null): void {
  if (body !== null && !body.locked) body.cancel().catch(() => {});
}

/** No bucket has a CORS configuration yet; browsers ask unsigned. */
function corsNotEnabled(headers: RequestHeaders): S3Error {
  return new S3Error("AccessForbidden", {
    Method: headers.get("access-control-request-method") ?? "OPTIONS",
    ResourceType: "BUCKET",
  });
}

function errorResponse(
  cause: unknown,
  exchange: Pick<Exchange, "record" | "request" | "log">,
): Response {
  const { record, log } = exchange;
  const { id, method, path } = record;
  const error = isS3Error(cause) ? cause : unexpected(cause, exchange.request.signal);
  const { code, message, status, fields } = error;
  record.code = code;
  record.status = status;
  if (status >= 500 && code !== "NotImplemented") {
    log.error("Failed", { code, message, cause: error.cause });
  }

  const headers = new Headers(error.headers);
  if (status === 503 && !headers.has("retry-after")) headers.set("retry-after", "1");
  if (method === "HEAD" || status === 304) return new Response(null, { status, headers });

  headers.set("content-type", "application/xml");
  const text = formatXml("Error", {
    Code: code,
    Message: message,
    ...fields,
    Resource: path,
    RequestId: id,
    HostId: id,
  }, "");
  headers.set("content-length", String(Buffer.byteLength(text)));
  return new Response(text, { status, headers });
}

/** Whatever goes wrong after the client has gone is no fault of ours, and nobody reads the answer. */
function unexpected(cause: unknown, signal: AbortSignal): S3Error {
  return new S3Error(signal.aborted ? "RequestTimeout" : "InternalError", {}, { cause });
}

function withCommonHeaders(
  response: Response,
  id: string,
  { isStopping }: { readonly isStopping: boolean },
): Response {
  const { headers } = response;
  // The runtime does not close the connection then, but clients do.
  if (isStopping) headers.set("connection", "close");
  headers.set("x-amz-request-id", id);
  headers.set("x-amz-id-2", id);
  headers.set("server", "nats-s3");
  return response;
}

/** Bytes of an answer that is no stream. */
function lengthOf({ headers }: Response): number {
  return Number(headers.get("content-length") ?? 0);
}

/** Aborts when the client has gone, also if it went before anybody asked. */
function goneSignal({ signal }: Request, info: RequestInfo | undefined): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  info?.completed.catch(abort);
  return gone.signal;
}

/** The path of a URL as sent: `new URL()` would fold it. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start).replace(/[?#].*$/s, "");
}
