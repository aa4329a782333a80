/**
 * The admin listener's pages: whether the process is alive, whether it can serve requests, and its metrics.
 *
 * They have a port of their own, so that S3 clients cannot see them and a bucket may be called `metrics`.
 * @module
 */

import { rawPathOf } from "./raw_path.ts";

/** The sources of the pages. */
export type AdminServices = {
  /** Returns all metrics in the text format of Prometheus. */
  readonly renderMetrics: () => string;
  /** Resolves to the reason why requests cannot be served now; undefined if they can. */
  readonly problem: () => Promise<string | undefined>;
};

/** Creates the handler that serves the pages. */
export function createAdminHandler(
  { renderMetrics, problem }: AdminServices,
): (request: Request) => Promise<Response> {
  const pages: Readonly<Record<string, () => Response | Promise<Response>>> = {
    "/livez": () => text("ok\n"),
    async "/readyz"() {
      const reason = await problem();
      return reason === undefined ? text("ok\n") : text(`${reason}\n`, 503);
    },
    "/metrics": () => text(renderMetrics(), 200, "text/plain; version=0.0.4; charset=utf-8"),
  };
  return async ({ method, url }) => {
    const path = rawPathOf(url);
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined) return text(`There is ${Object.keys(pages).join(", ")}\n`, 404);
    if (method !== "GET" && method !== "HEAD") {
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    }
    const response = await page();
    return method === "HEAD" ? new Response(null, response) : response;
  };
}

function text(body: string, status = 200, type = "text/plain; charset=utf-8"): Response {
  return new Response(body, {
    status,
    headers: { "content-type": type, "cache-control": "no-store" },
  });
}
