/**
 * One request and its response, from admission to end: its record, its trace, the limits that may turn it away, and the
 * delivery of its bytes.
 * @module
 */

import type { Identity } from "../auth/identity.ts";
import type { Deliver } from "../operations/operation.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import type { Origin } from "../s3/forwarded.ts";
import type { LoggedParts } from "../s3/log_line.ts";
import type { S3Request } from "../s3/request.ts";
import { bucketAt } from "../s3/resource_arn.ts";
import type { VerifiedRequest } from "../s3/verified_request.ts";
import type { SourceGate } from "../streams/watched_streams.ts";
import { inPieces } from "../streams/in_pieces.ts";
import { release } from "../streams/release.ts";
import { type Log, SILENT_LOG } from "../telemetry/log.ts";
import type { Rejection } from "../telemetry/rejections.ts";
import { newRecord, type RequestRecord } from "../telemetry/request_record.ts";
import type { RequestTrace } from "../telemetry/request_trace.ts";
import { disconnectSignal } from "./disconnect_signal.ts";
import { type ErrorForm, errorResponse } from "./error_response.ts";
import type { ExchangeServices, RequestInfo } from "./exchange_services.ts";
import { type Admission, NOT_ADMITTED, type Refusal } from "./in_flight.ts";
import { rawPathOf } from "./raw_path.ts";
import { regionToName } from "./region_to_name.ts";
import { watchBody } from "./received_body.ts";
import type { Turn } from "./turns.ts";

type RenderError = NonNullable<ExchangeServices["renderError"]>;

/** One request on its way to its response. */
export class Exchange {
  readonly request: Request;
  readonly record: RequestRecord;
  readonly origin: Origin;
  /** Why the request was not let in; undefined if it was. */
  readonly refusal: Refusal | undefined;
  /** Undefined until the request was parsed. */
  asked: S3Request | undefined;
  /** The form of errors: that of the service to which the request is addressed. */
  form: ErrorForm = "s3";
  /** Undefined until the request was authenticated. */
  identity: Identity | undefined;
  /** The region of the request's bucket unless it has a location; undefined if the response must not name it. */
  region: string | undefined;
  /** The parts of the request that have lines of their own in access logs. */
  parts: LoggedParts | undefined;
  answer: Headers | undefined;
  /** For whom the request counts: an access key, or the address of an unknown caller. */
  client: string | undefined;
  /** Turns that it has to receive its body. */
  bodyTurns = 0;
  /** The turn to do work that costs much, if it does; it ends with the exchange. */
  turn: Turn | undefined;
  readonly #services: ExchangeServices;
  readonly #info: RequestInfo | undefined;
  readonly #renderError: RenderError;
  readonly #admission: Admission;
  readonly #trace: RequestTrace | undefined;
  #isDelivering = false;
  #hasFailed = false;
  #isOver = false;

  constructor(request: Request, info: RequestInfo | undefined, services: ExchangeServices) {
    const { method, url, headers, body } = request;
    const peer = info?.remoteAddr?.hostname;
    this.request = request;
    this.#info = info;
    this.#services = services;
    this.#renderError = services.renderError ?? errorResponse;
    this.origin = services.proxies?.originOf(peer, headers) ??
      { address: peer, host: undefined, scheme: undefined };
    const { address, scheme } = this.origin;
    const id = services.newRequestId();
    this.record = newRecord({ id, method, path: rawPathOf(url), client: address });
    this.#trace = services.tracing?.begin(this.record, request, scheme);
    // The address of a trusted proxy stands for many clients.
    const isProxy = address !== undefined && services.proxies?.has(address) === true;
    this.client = isProxy ? undefined : address;
    const admission = services.inFlight.enter({ hasBody: body !== null, client: this.client });
    this.#admission = typeof admission === "string" ? NOT_ADMITTED : admission;
    this.refusal = typeof admission === "string" ? admission : undefined;
  }

  /** The log of this request. */
  get log(): Log {
    const { id, method, path, trace } = this.record;
    return this.#services.log.with({ id, method, path, trace });
  }

  /** Runs work as part of the request's trace. */
  run(answer: (exchange: Exchange) => Promise<Response>): Promise<Response> {
    return this.#trace === undefined ? answer(this) : this.#trace.run(() => answer(this));
  }

  /** Notes what the request is about. */
  nameTarget(asked: S3Request): void {
    this.asked = asked;
    const { target } = asked;
    if (target.on === "account") {
      this.form = "control";
      this.record.bucket = bucketAt(target.path);
    } else if (target.on !== "service") this.record.bucket = target.bucket;
    if (target.on === "object") this.record.key = target.key;
  }

  /**
   * Notes a user and counts the request against the user's rate; returns a response if it is one too many.
   *
   * @param isPresigned Whoever holds a URL shares its access key with others, and counts apart from them.
   */
  identify(identity: Identity, isPresigned = false): Response | undefined {
    this.identity = identity;
    if (identity.kind === "anonymous") {
      return this.#admission.countFor(this.client) ? undefined : this.refuse("requests");
    }
    const { accessKeyId, principal } = identity;
    this.client = isPresigned ? `${accessKeyId} ${this.origin.address ?? ""}` : accessKeyId;
    if (!this.#admission.countFor(this.client)) return this.refuse("requests");
    this.record.user = accessKeyId;
    this.record.account = principal.account;
    this.record.userName = principal.name;
    const wait = this.#services.rateLimit?.take(accessKeyId) ?? 0;
    return wait === 0 ? undefined : this.refuse("rate", wait);
  }

  /** Takes a turn to do work that costs much. Resolves to false if there is no place to wait for it. */
  async takeTurn(): Promise<boolean> {
    this.turn = await this.#services.turns.take(this.client ?? "");
    return this.turn !== undefined;
  }

  /** Lets another body of the same client be received while this one waits for it. */
  standsStill(): void {
    this.#services.bodyTurns.end(this);
  }

  /** Watches the payload of a request that has a body. */
  watch(verified: VerifiedRequest, gate?: SourceGate): VerifiedRequest {
    if (this.request.body === null) return verified;
    return watchBody(verified, this, this.#services, this.#admission, gate);
  }

  /** Wraps the body of the response: counts its bytes and ends it if the client disconnects or reads nothing. */
  readonly deliver: Deliver = (source) => {
    this.#isDelivering = true;
    const isServed = this.#info !== undefined;
    return this.#services.stalls.watchReader(this.#trace?.follow(source) ?? source, {
      owner: this,
      signal: disconnectSignal(this.request, this.#info),
      taken: (piece) => {
        this.record.sent += piece.length;
        // The server copies each piece; another reader may keep it.
        if (isServed) release(piece);
      },
      completed: this.#info?.completed,
      ended: (broken) => this.#end(broken),
    });
  };

  /** Returns the response to a request that failed. */
  fail(cause: unknown, render: RenderError = this.#renderError): Response {
    this.#hasFailed = true;
    if (isS3Error(cause, "NoSuchBucket", "InvalidBucketName")) this.region = undefined;
    this.#discardBody();
    return render(cause, this);
  }

  /**
   * Returns the response to a request that is turned away, which is not a failure to log.
   *
   * @param wait Milliseconds after which the client may try again.
   */
  refuse(reason: Rejection, wait = 1000): Response {
    this.#services.rejected?.(reason);
    this.#discardBody();
    const error = new S3Error(reason === "stopping" ? "ServiceUnavailable" : "SlowDown", {}, {
      headers: { "retry-after": String(Math.ceil(wait / 1000)) },
    });
    const { record, request, form } = this;
    return this.#renderError(error, { record, request, form, log: SILENT_LOG });
  }

  /** Completes a response's headers, and ends the exchange unless its body is still to be sent. */
  respond(given: Response): Response {
    const response = this.#accountFor(given);
    const { record } = this;
    const headers = this.answer = response.headers;
    record.status = response.status;
    record.answered = performance.now() - record.began;
    if (!this.#isDelivering && record.method !== "HEAD") {
      record.sent = Number(headers.get("content-length") ?? 0);
    }
    // The runtime does not close the connection, but clients do.
    if (this.#services.inFlight.isStopping) headers.set("connection", "close");
    headers.set("x-amz-request-id", record.id);
    headers.set("x-amz-id-2", record.id);
    headers.set("server", "nats-s3");
    const region = regionToName(this, this.#hasFailed, this.#services.store);
    if (region !== undefined) headers.set("x-amz-bucket-region", region);
    if (this.#info !== undefined && this.refusal === undefined) {
      this.#info.completed.then(() => this.#end(false), () => this.#end(true));
    } else if (!this.#isDelivering) this.#end(false);
    return response;
  }

  /** Turns a body into a stream that is watched until it was taken, unless it is small. */
  #accountFor(response: Response): Response {
    if (this.#isDelivering || this.record.method === "HEAD") return response;
    const length = Number(response.headers.get("content-length") ?? 0);
    if (length === 0 || this.#takeFixed(length)) return response;
    // Asking for the body of a response makes it a stream, so it is not asked for before.
    const { body, status, headers } = response;
    if (body === null) return response;
    return new Response(this.deliver(inPieces(body)), { status, headers });
  }

  /** Counts a body that is handed over at once; returns false if it must be a stream. */
  #takeFixed(length: number): boolean {
    const { hostname, port } = this.#info?.remoteAddr ?? {};
    const connection = port === undefined ? undefined : `${hostname}:${port}`;
    const { client = "", record: { began } } = this;
    return this.#services.fixedBodies.take(client, length, began, connection);
  }

  #end(broken: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { record } = this;
    this.turn?.end();
    this.standsStill();
    this.#admission.leave(broken ? this.#info?.completed : undefined);
    record.broken = broken;
    record.ended = performance.now() - record.began;
    this.#services.observe?.(record);
    this.#trace?.end(record);
    this.#services.accessLog?.add(this); // what it reads is no part of the request
  }

  /** Cancels a body that no one reads; a body with a reader belongs to that reader. */
  #discardBody(): void {
    const { body } = this.request;
    if (body !== null && !body.locked) body.cancel().catch(() => {});
  }
}
