/**
 * CORS: responses to preflights, and the headers that let a page of another origin read a response.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
 *
 * A preflight is sent without credentials. It learns what the bucket's rules permit, and whether the bucket exists, which
 * is public (`access/disclosure.ts`).
 * @module
 */

import { type CorsQuestion, type CorsRule, findRule } from "../s3/cors.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import type { S3Request } from "../s3/request.ts";

/** The parts of a request that CORS reads. */
export type CorsRequest = Pick<S3Request, "method" | "headers" | "target">;

/** Applies the rules of buckets. */
export type Cors = {
  /**
   * Responds to a preflight.
   *
   * @throws S3Error `AccessForbidden` if no rule permits the request; `BadRequest` for a preflight that asks for nothing
   */
  readonly preflight: (request: CorsRequest) => Promise<Response>;
  /** Adds headers to a response, errors included. It never rejects: without the headers a browser hides the response. */
  readonly addHeaders: (request: CorsRequest, response: Response) => Promise<void>;
};

/** Where the rules come from. */
export type CorsServices = {
  /**
   * Reads the rules of a bucket; undefined if it has none.
   *
   * @throws S3Error `NoSuchBucket`
   */
  readonly rulesOf: (bucket: BucketName) => Promise<readonly CorsRule[] | undefined>;
  /** The rules for buckets that have none (`--http.cors`), and for requests about no bucket. */
  readonly fallback: readonly CorsRule[] | undefined;
};

/** Everything on which a response to a request of another origin depends. */
const VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/** The response headers that pages may read under `--http.cors`: those of S3 that browsers would hide. */
const EXPOSED = [
  "Accept-Ranges",
  "Content-Disposition",
  "Content-Encoding",
  "Content-Range",
  "Date",
  "ETag",
  "Retry-After",
  "x-amz-bucket-region",
  "x-amz-checksum-crc32",
  "x-amz-checksum-crc32c",
  "x-amz-checksum-crc64nvme",
  "x-amz-checksum-sha1",
  "x-amz-checksum-sha256",
  "x-amz-checksum-type",
  "x-amz-copy-source-version-id",
  "x-amz-delete-marker",
  "x-amz-id-2",
  "x-amz-mp-parts-count",
  "x-amz-request-id",
  "x-amz-tagging-count",
  "x-amz-version-id",
];

/** Returns the rules that `--http.cors` stands for: pages of these origins may do everything. */
export function rulesForOrigins(origins: readonly string[]): readonly CorsRule[] {
  const methods = ["GET", "PUT", "HEAD", "POST", "DELETE"];
  return [{ origins, methods, headers: ["*"], exposed: EXPOSED, maxAge: 3600 }];
}

/** Creates the functions that apply CORS rules. */
export function createCors({ rulesOf, fallback }: CorsServices): Cors {
  const rulesFor = async ({ target }: CorsRequest): Promise<readonly CorsRule[] | undefined> =>
    ("bucket" in target ? await rulesOf(target.bucket) : undefined) ?? fallback;
  return {
    async preflight(request) {
      const question = questionOf(request);
      let rules: readonly CorsRule[] | undefined;
      try {
        rules = await rulesFor(request);
      } catch (cause) {
        // A page may create the bucket.
        if (!isS3Error(cause, "NoSuchBucket")) throw cause;
        if (fallback === undefined) throw forbidden(request, "Bucket not found", cause);
        rules = fallback;
      }
      if (rules === undefined) {
        throw forbidden(
          request,
          "bucket" in request.target ? "CORS is not enabled for this bucket." : "Bucket not found",
        );
      }
      const rule = findRule(rules, question);
      if (rule === undefined) throw forbidden(request, NOT_ALLOWED);
      const headers = new Headers({ "content-length": "0" });
      setHeaders(headers, rule, question);
      return new Response(null, { headers });
    },

    async addHeaders(request, response) {
      const origin = request.headers.get("origin");
      if (origin === null || request.method === "OPTIONS") return;
      const rules = await rulesFor(request).catch((cause) =>
        isS3Error(cause, "NoSuchBucket") ? fallback : undefined
      );
      if (rules === undefined) return;
      const question = { origin, method: request.method, headers: [] };
      const rule = findRule(rules, question);
      if (rule === undefined) response.headers.append("vary", VARY);
      else setHeaders(response.headers, rule, question);
    },
  };
}

/** As AWS words it. */
const NOT_ALLOWED =
  "This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";

function questionOf({ headers }: CorsRequest): CorsQuestion {
  const origin = headers.get("origin");
  if (origin === null) {
    throw new S3Error("BadRequest", {}, {
      message: "Insufficient information. Origin request header needed.",
    });
  }
  const method = headers.get("access-control-request-method");
  if (method === null || !METHODS.has(method)) {
    throw new S3Error("BadRequest", {}, {
      message: `Invalid Access-Control-Request-Method: ${method}`,
    });
  }
  const names = headers.get("access-control-request-headers")?.split(",") ?? [];
  return {
    origin,
    method,
    headers: names.map((name) => name.trim().toLowerCase()).filter((name) => name !== ""),
  };
}

const METHODS: ReadonlySet<string> = new Set(["GET", "PUT", "HEAD", "POST", "DELETE"]);

function setHeaders(
  headers: Headers,
  rule: CorsRule,
  { origin, headers: names }: CorsQuestion,
): void {
  const isForAll = rule.origins.includes("*");
  headers.set("access-control-allow-origin", isForAll ? "*" : origin);
  if (!isForAll) headers.set("access-control-allow-credentials", "true");
  headers.set("access-control-allow-methods", rule.methods.join(", "));
  if (names.length > 0) headers.set("access-control-allow-headers", names.join(", "));
  if (rule.exposed.length > 0) {
    headers.set("access-control-expose-headers", rule.exposed.join(", "));
  }
  if (rule.maxAge !== undefined) headers.set("access-control-max-age", String(rule.maxAge));
  headers.append("vary", VARY);
}

function forbidden({ headers, target }: CorsRequest, reason: string, cause?: unknown): S3Error {
  return new S3Error("AccessForbidden", {
    Method: headers.get("access-control-request-method") ?? "OPTIONS",
    ResourceType: target.on === "object" ? "OBJECT" : "BUCKET",
  }, { message: `CORSResponse: ${reason}`, cause });
}
