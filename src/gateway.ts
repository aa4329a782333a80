/**
 * The pipeline, from a Request to a Response: parse, authenticate, authorize, run, respond. Read this first.
 * @module
 */

import type { Authorize } from "./access/authorize.ts";
import type { Permissions } from "./access/request_access.ts";
import { createDisclose, type Disclose } from "./access/disclosure.ts";
import type { Authenticate } from "./auth/authenticate.ts";
import { ANONYMOUS, type Identity } from "./auth/identity.ts";
import type { Cors } from "./http/cors.ts";
import { chooseDoor } from "./http/entry.ts";
import { errorText } from "./http/error_response.ts";
import type { Exchange } from "./http/exchange.ts";
import { createExchangeHandler } from "./http/exchange_handler.ts";
import type { ExchangeServices, Handler, RequestInfo } from "./http/exchange_services.ts";
import { answerLate, LATE_TIMING, type LateTiming } from "./http/late_answer.ts";
import { healthQuestion, healthResponse, type Problem } from "./http/minio_health.ts";
import { answerQuery, type QueryServices } from "./http/query_api.ts";
import { createRouter } from "./http/router.ts";
import type { Operation, Services } from "./operations/operation.ts";
import { CONTROL_OPERATIONS, OPERATIONS } from "./operations/table.ts";
import { S3Error } from "./s3/errors.ts";
import { claimedRegion, homeRegion } from "./s3/region.ts";
import { parseRequest, type S3Request } from "./s3/request.ts";
import type { VerifiedRequest } from "./s3/verified_request.ts";
import { workFor } from "./streams/clients_work.ts";

export type { Handler, RequestInfo };

/** The services of the pipeline, including those of exchanges and operations. */
export type GatewayServices = Services & ExchangeServices & QueryServices & {
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  /** Number of the account to which S3 Control belongs if its host names none. */
  readonly account: string;
  readonly cors: Cors;
  /** Host names under which buckets are addressed in virtual-host style. */
  readonly domains: readonly string[];
  /** Why requests cannot be served now, if MinIO's health paths are to be served. */
  readonly minioHealth?: Problem;
  /** How long slow operations wait before their response begins, and between signs of life. */
  readonly lateTiming?: LateTiming;
};

const ROUTER = createRouter([...OPERATIONS, ...CONTROL_OPERATIONS]);

/** Creates the gateway's handler. */
export function createHandler(services: GatewayServices): Handler {
  const pipeline = { ...services, disclose: createDisclose(services.store) };
  return createExchangeHandler(services, (exchange) => answer(exchange, pipeline));
}

type Pipeline = GatewayServices & { readonly disclose: Disclose };

/** Parses and answers; a page of another origin also needs to be told that it may read the answer. */
async function answer(exchange: Exchange, services: Pipeline): Promise<Response> {
  const { request, origin } = exchange;
  let asked: S3Request;
  try {
    asked = parseRequest(request, services.domains, origin, services.account); //      1. what does the client want?
  } catch (cause) {
    return exchange.fail(cause);
  }
  exchange.nameTarget(asked);
  const response = await perform(asked, exchange, services);
  if (asked.headers.has("origin")) await services.cors.addHeaders(asked, response);
  return response;
}

async function perform(
  asked: S3Request,
  exchange: Exchange,
  services: Pipeline,
): Promise<Response> {
  const { record } = exchange;
  try {
    if (services.minioHealth !== undefined) {
      const question = healthQuestion(asked);
      if (question !== undefined) return await healthResponse(question, services.minioHealth);
    }
    const door = chooseDoor(asked);
    if (door === "preflight") return await services.cors.preflight(asked);
    if (door === "form") refuseForm(exchange);
    if (door === "query") return await answerQuery(asked, exchange, services);

    const { identity, verified } = await services.authenticate(asked); //              2. who is calling?
    exchange.region = homeRegion(services.region, verified.region);
    const refused = exchange.identify(identity, !asked.headers.has("authorization"));
    if (refused !== undefined) return refused;

    // After step 2, because a presigned URL carries headers in its query.
    const operation = operationOf(verified, identity);
    if (identity.kind === "user") record.operation = operation.name;
    const asks = { id: record.id, identity, operation, request: verified };
    const access = await services.authorize(asks); //                                  3. is it allowed?
    record.operation = operation.name;

    if (operation.heavy === true && !await exchange.takeTurn()) return exchange.refuse("requests");
    const turn = exchange.request.body === null
      ? undefined
      : services.bodyTurns.take(exchange, verified.payload.size);
    if (turn !== undefined && !await turn) return exchange.refuse("requests");
    const call = { operation, verified: exchange.watch(verified, access), identity, access };
    const { client } = exchange;
    const work = services.turns.enter(client) //                                        4. do it
      ? workFor(client, run, call, services, exchange)
      : run(call, services, exchange);
    if (operation.slow !== true) return await work; //                                 5. respond
    const renderError = (cause: unknown): string => errorText(cause, exchange);
    return await answerLate(work, renderError, services.lateTiming ?? LATE_TIMING);
  } catch (cause) {
    if (exchange.identity?.kind === "user") return exchange.fail(cause);
    return exchange.fail(await refusalOf(cause, asked, exchange, services));
  }
}

/** Refuses a form, which S3 answers without a signature in its headers. */
function refuseForm(exchange: Exchange): never {
  exchange.identify(ANONYMOUS);
  throw new S3Error("NotImplemented", {}, { message: "PostObject is not implemented" });
}

/** Returns the error for an unknown caller, with the public facts about the bucket. */
async function refusalOf(
  cause: unknown,
  asked: S3Request,
  exchange: Exchange,
  services: Pipeline,
): Promise<unknown> {
  const { error, region } = await services.disclose(cause, {
    method: asked.method,
    target: asked.target,
    isAnonymous: exchange.identity?.kind === "anonymous",
    region: claimedRegion(services.region, asked),
  });
  exchange.region = region;
  return error;
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
  { operation, verified, identity, access }: {
    readonly operation: Operation;
    readonly verified: VerifiedRequest;
    readonly identity: Identity;
    readonly access: Permissions;
  },
  services: GatewayServices,
  exchange: Exchange,
): Promise<Response> {
  const { payload, target } = verified;
  try {
    const result = await operation.run(verified, identity, services, exchange.deliver, access);
    if (access.isWaiting) throw new TypeError(`${operation.name} did not show the object it read`);
    if (result instanceof Response) return result;
    exchange.record.outcome = result.outcome;
    exchange.parts = result.parts;
    if (operation.name === "DeleteObjects") exchange.record.keys = result.parts?.list;
    return result.response;
  } catch (cause) {
    throw "bucket" in target ? access.conceal(cause, target.bucket) : cause;
  } finally {
    services.turns.leave();
    exchange.turn?.endWork();
    services.bodyTurns.end(exchange);
    if (payload.size !== 0) await payload.source.cancel().catch(() => {});
  }
}
