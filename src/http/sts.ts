/**
 * STS on the port of S3: GetCallerIdentity, by which clients learn the number of the account.
 * See https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 *
 * STS speaks another protocol than S3: parameters in a form or a query, and XML of its own. Its body is read before the
 * caller is known, because the signature covers it.
 * @module
 */

import { createHash } from "node:crypto";
import type { AuthenticateSts } from "../auth/authenticate_sts.ts";
import { createPayload } from "../auth/body.ts";
import type { User } from "../auth/identity.ts";
import { readDocument } from "../operations/bodies/document.ts";
import type { DocumentBudget } from "../operations/bodies/document_budget.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import { parseIntegrity } from "../s3/integrity.ts";
import { parseQuery, type Query, type S3Request } from "../s3/request.ts";
import { formatXml } from "../s3/xml.ts";
import { STS_NAMESPACE } from "./error_response.ts";
import type { Exchange } from "./exchange.ts";

/** The services that STS uses. */
export type StsServices = {
  readonly authenticateSts: AuthenticateSts;
  readonly documents: DocumentBudget;
};

const OPERATION = "GetCallerIdentity";
const VERSION = "2011-06-15";
/** Longest form, in bytes. */
const MAX_FORM = 64 * 1024;
/** Longest part of a parameter that an error repeats, in characters. */
const MAX_SHOWN = 256;

/**
 * Authenticates and answers a request to STS.
 *
 * @throws S3Error with a code of STS
 */
export async function answerSts(
  asked: S3Request,
  exchange: Exchange,
  { authenticateSts, documents }: StsServices,
): Promise<Response> {
  const { method, headers, query } = asked;
  const form = await readForm(asked, exchange, documents);
  const identity = await authenticateSts(asked, createHash("sha256").update(form).digest("hex"));
  const refused = exchange.identify(identity, !headers.has("authorization"));
  if (refused !== undefined) return refused;
  if (identity.kind === "anonymous") throw new S3Error("MissingAuthenticationToken");

  checkOperation(method === "POST" ? parseForm(form) : query);
  exchange.record.operation = OPERATION;
  return respond(identity, exchange.record.id);
}

/** Reads the body, which GET need not have. */
async function readForm(
  { body, ...asked }: S3Request,
  exchange: Exchange,
  documents: DocumentBudget,
): Promise<string> {
  const payload = createPayload(asked.headers, body, "UNSIGNED-PAYLOAD", undefined);
  if (payload.size === 0) return "";
  const watched = exchange.watch({ ...asked, region: "", payload });
  try {
    const integrity = parseIntegrity(asked.headers);
    return await readDocument({ payload: watched.payload, documents }, integrity, MAX_FORM);
  } catch (cause) {
    throw isS3Error(cause, "MalformedXML") ? malformed(cause) : cause;
  } finally {
    await watched.payload.source.cancel().catch(() => {});
  }
}

function parseForm(form: string): Query {
  try {
    return parseQuery(form);
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause: unknown): S3Error {
  return new S3Error("MalformedQueryString", {}, { cause });
}

function checkOperation(query: Query): void {
  const action = query.get("Action");
  if (action === undefined) throw new S3Error("MissingAction");
  const version = query.get("Version") ?? "NO_VERSION_SPECIFIED";
  if (action === OPERATION && version === VERSION) return;
  const [shown, of] = [action, version].map((text) => text.slice(0, MAX_SHOWN));
  throw new S3Error("InvalidAction", {}, {
    message: `Could not find operation ${shown} for version ${of}`,
  });
}

function respond({ principal: { account, arn, userId } }: User, id: string): Response {
  const value = {
    GetCallerIdentityResult: {
      Arn: arn,
      UserId: userId,
      Account: account,
    },
    ResponseMetadata: { RequestId: id },
  };
  const text = formatXml("GetCallerIdentityResponse", value, STS_NAMESPACE);
  return new Response(text, {
    headers: {
      "content-type": "text/xml",
      "content-length": String(new TextEncoder().encode(text).length),
      "x-amzn-requestid": id,
    },
  });
}
