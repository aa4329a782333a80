/**
 * The query APIs of STS and IAM, on the port of S3.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/Welcome.html and
 * https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
 *
 * They speak another protocol than S3: parameters in a form or a query, and XML of their own. A body is read before the
 * caller is known, because the signature covers it. The service in the scope of the credential says which of the two is
 * meant; a request that is not signed says so by the version of the API.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { allowIam } from "../access/iam.ts";
import type { AuthenticateQuery, QueryService } from "../auth/authenticate_query.ts";
import { createPayload } from "../auth/body.ts";
import { claimedService } from "../auth/credential_scope.ts";
import { callerValues } from "../iam/caller_values.ts";
import type { Sources } from "../iam/identifiers.ts";
import type { Principal } from "../iam/principal.ts";
import { readDocument } from "../operations/bodies/document.ts";
import type { DocumentBudget } from "../operations/bodies/document_budget.ts";
import { getCallerIdentity } from "../operations/get_caller_identity.ts";
import { IAM_ACTIONS } from "../operations/iam/table.ts";
import type { QueryOperation, QueryRequest } from "../operations/query_operation.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import { parseIntegrity } from "../s3/integrity.ts";
import { parseQuery, type Query, type S3Request } from "../s3/request.ts";
import { formatXml } from "../s3/xml.ts";
import type { Users } from "../store/users.ts";
import { QUERY_NAMESPACES } from "./error_response.ts";
import type { Exchange } from "./exchange.ts";

/** The services that the query APIs use. */
export type QueryServices = {
  readonly authenticateQuery: AuthenticateQuery;
  readonly users: Users;
  /** Returns the time and the source of identifiers of one request. */
  readonly sources: () => Sources;
  readonly documents: DocumentBudget;
};

/** An API. */
type Api = {
  readonly version: string;
  readonly operations: ReadonlyMap<string, QueryOperation>;
  /** Longest form, in bytes. */
  readonly maxForm: number;
};

const APIS: Readonly<Record<QueryService, Api>> = {
  sts: {
    version: "2011-06-15",
    operations: new Map([[getCallerIdentity.name, getCallerIdentity]]),
    maxForm: 64 * 1024,
  },
  iam: {
    version: "2010-05-08",
    operations: new Map(IAM_ACTIONS.map((action) => [action.name, action])),
    // Policies are long, and encoded for a form.
    maxForm: 128 * 1024,
  },
};

/**
 * The region of IAM, which is global: its endpoint lies there, whatever the region of a request to S3.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
 */
const GLOBAL_REGION = "us-east-1";

/** Longest part of a parameter that an error repeats, in characters. */
const MAX_SHOWN = 256;

/**
 * Authenticates and answers a request to STS or IAM.
 *
 * @throws S3Error with a code of the service
 */
export async function answerQuery(
  asked: S3Request,
  exchange: Exchange,
  services: QueryServices,
): Promise<Response> {
  const { method, headers, query } = asked;
  const claimed = claimedService(asked);
  let service = exchange.form = serviceOf(claimed, query);
  const form = await readForm(asked, exchange, services.documents, APIS[service].maxForm);
  const parameters = method === "POST" ? parseForm(form) : query;
  if (parameters !== undefined) service = exchange.form = serviceOf(claimed, parameters);

  const hash = createHash("sha256").update(form).digest("hex");
  const identity = await services.authenticateQuery(asked, hash, service);
  const refused = exchange.identify(identity, !headers.has("authorization"));
  if (refused !== undefined) return refused;
  if (identity.kind === "anonymous") throw new S3Error("MissingAuthenticationToken");

  if (parameters === undefined) throw new S3Error("MalformedQueryString");
  const operation = operationOf(parameters, APIS[service]);
  exchange.record.operation = operation.name;
  const request = requestOf(asked, parameters, identity.principal, services);
  return respond(operation, await operation.run(request), service, exchange.record.id);
}

/** Returns the service that is meant. */
function serviceOf(claimed: string | undefined, parameters: Query): QueryService {
  if (claimed === "sts" || claimed === "iam") return claimed;
  return parameters.get("Version") === APIS.iam.version ? "iam" : "sts";
}

/** Reads the body, which GET need not have. */
async function readForm(
  { body, ...asked }: S3Request,
  exchange: Exchange,
  documents: DocumentBudget,
  maxForm: number,
): Promise<string> {
  const payload = createPayload(asked.headers, body, "UNSIGNED-PAYLOAD", undefined);
  if (payload.size === 0) return "";
  const watched = exchange.watch({ ...asked, region: "", payload });
  try {
    const integrity = parseIntegrity(asked.headers);
    return await readDocument({ payload: watched.payload, documents }, integrity, maxForm);
  } catch (cause) {
    throw isS3Error(cause, "MalformedXML")
      ? new S3Error("MalformedQueryString", {}, { cause })
      : cause;
  } finally {
    await watched.payload.source.cancel().catch(() => {});
  }
}

/** Returns the parameters of a form; undefined if it is not encoded as forms are. */
function parseForm(form: string): Query | undefined {
  try {
    return parseQuery(form);
  } catch {
    return undefined;
  }
}

function operationOf(parameters: Query, { version: expected, operations }: Api): QueryOperation {
  const action = parameters.get("Action");
  if (action === undefined) throw new S3Error("MissingAction");
  const version = parameters.get("Version") ?? "NO_VERSION_SPECIFIED";
  const operation = operations.get(action);
  if (operation !== undefined && version === expected) return operation;
  const [shown, of] = [action, version].map((text) => text.slice(0, MAX_SHOWN));
  throw new S3Error("InvalidAction", {}, {
    message: `Could not find operation ${shown} for version ${of}`,
  });
}

function requestOf(
  { headers, address, scheme }: S3Request,
  parameters: Query,
  caller: Principal,
  { users, sources }: QueryServices,
): QueryRequest {
  const now = sources();
  const common = callerValues(caller);
  const ofRequest: Readonly<Record<string, string | undefined>> = {
    "aws:currenttime": now.now.toISOString(),
    "aws:epochtime": String(Math.floor(now.now.getTime() / 1000)),
    "aws:referer": headers.get("referer") ?? undefined,
    "aws:requestedregion": GLOBAL_REGION,
    "aws:resourceaccount": caller.account,
    "aws:securetransport": String(scheme === "https"),
    "aws:sourceip": address,
    "aws:useragent": headers.get("user-agent") ?? undefined,
  };
  for (const [key, value] of Object.entries(ofRequest)) {
    if (value !== undefined) common.set(key, value);
  }
  const allow: QueryRequest["allow"] = (action, resource, conditions) => {
    allowIam(caller, action, resource, new Map([...common, ...Object.entries(conditions ?? {})]));
  };
  return { parameters, caller, users, sources: now, allow };
}

function respond(
  { name }: QueryOperation,
  result: Awaited<ReturnType<QueryOperation["run"]>>,
  service: QueryService,
  id: string,
): Response {
  const value = { [`${name}Result`]: result, ResponseMetadata: { RequestId: id } };
  const text = formatXml(`${name}Response`, value, QUERY_NAMESPACES[service]);
  return new Response(text, {
    headers: {
      "content-type": "text/xml",
      "content-length": String(Buffer.byteLength(text)),
      "x-amzn-requestid": id,
    },
  });
}
