/**
 * The paths by which clients ask a MinIO server for its health, among them `mc ready`. They need no signature.
 * See https://github.com/minio/minio/blob/master/docs/metrics/healthcheck/README.md
 *
 * The admin listener has pages of its own. These are for clients that know only the port of S3, and they are served only if
 * the operator says so, because they hide four keys of a bucket that is called `minio`.
 * @module
 */

import type { S3Request } from "../s3/request.ts";

/** Resolves to the reason why requests cannot be served now; undefined if they can. */
export type Problem = () => Promise<string | undefined>;

/** The keys that the paths would have in a bucket `minio`, and whether they ask for more than a sign of life. */
const PATHS: Readonly<Record<string, "live" | "ready">> = {
  "health/live": "live",
  "health/ready": "ready",
  "health/cluster": "ready",
  "health/cluster/read": "ready",
};

/** Returns what a request asks about the gateway's health; undefined if it is about something else. */
export function healthQuestion(
  { method, target, rawPath }: Pick<S3Request, "method" | "target" | "rawPath">,
): "live" | "ready" | undefined {
  if (target.on !== "object" || target.bucket !== "minio") return undefined;
  // In virtual-host style the bucket is not in the path, which then names an ordinary key.
  if ((method !== "GET" && method !== "HEAD") || rawPath !== `/minio/${target.key}`) {
    return undefined;
  }
  return Object.hasOwn(PATHS, target.key) ? PATHS[target.key] : undefined;
}

/** Returns the response to such a request. */
export async function healthResponse(
  question: "live" | "ready",
  problem: Problem,
): Promise<Response> {
  const isWell = question === "live" || await problem() === undefined;
  return new Response(null, {
    status: isWell ? 200 : 503,
    headers: { "content-length": "0", "cache-control": "no-store" },
  });
}
