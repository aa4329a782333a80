/**
 * Finds the operation that a request asks for.
 *
 * The operation with the most required query and header names wins. A sub-resource that AWS knows never falls through
 * to a plain GET, PUT, POST or DELETE. Query parameters that AWS does not know are ignored, as AWS ignores them.
 * @module
 */

import type { Operation, Route } from "../operations/operation.ts";
import { S3Error } from "../s3/errors.ts";
import { TAGS_PATH } from "../s3/resource_arn.ts";
import type { S3Request } from "../s3/request.ts";
import { isSubResource, type SubResource } from "../s3/subresources.ts";

/** The parts of a request that routing reads. */
export type RoutedRequest = Pick<S3Request, "method" | "target" | "query" | "headers">;

/** A table of operations, ready to be searched. */
export type Router = {
  /**
   * Finds the operation of a request.
   *
   * @throws S3Error `MethodNotAllowed`; `InvalidRequest` or `InvalidArgument` for sub-resources that do not go together
   */
  readonly match: (request: RoutedRequest) => Operation;
};

/** Creates a router; the order of the operations does not matter. */
export function createRouter(operations: readonly Operation[]): Router {
  const candidates = Map.groupBy(operations, ({ method, on }) => `${method} ${on}`);
  return {
    match(request) {
      const { method, target: { on }, query } = request;
      const given = [...query.keys()].filter(isSubResource);

      let best: Operation | undefined;
      for (const operation of candidates.get(`${method} ${on}`) ?? []) {
        if (!matches(operation, request, given)) continue;
        if (best === undefined || specificity(operation) > specificity(best)) best = operation;
      }
      if (best !== undefined) return best;
      throw noOperation(operations, request, given);
    },
  };
}

/** Returns the error of a request that no operation matches; `Allow` names the methods that would match. */
function noOperation(
  operations: readonly Operation[],
  request: RoutedRequest,
  given: readonly SubResource[],
): S3Error {
  const { method, target } = request;
  const { on } = target;
  if (method === "PUT" && on === "object" && given.length === 1 && given[0] === "partNumber") {
    return new S3Error("InvalidArgument", {
      ArgumentName: "partNumber",
      ArgumentValue: "partNumber",
    }, { message: "This operation does not accept partNumber without uploadId" });
  }
  if (given.length > 1) {
    return new S3Error("InvalidRequest", {}, {
      message: `Conflicting query string parameters: ${given.join(", ")}`,
    });
  }
  const allowed = new Set(
    operations.filter((operation) =>
      matches(operation, { ...request, method: operation.method }, given)
    )
      .map(({ method }) => method),
  );
  const isTags = target.on === "account" && `${target.path}/`.startsWith(`${TAGS_PATH}/`);
  const type = isTags ? "BUCKET_TAGS" : on.toUpperCase();
  return new S3Error("MethodNotAllowed", { Method: method, ResourceType: type }, {
    headers: { "allow": [...allowed].join(", ") },
  });
}

function matches(
  { on, method, path = "", query = [], optionalQuery = [], headers = [] }: Route,
  request: RoutedRequest,
  given: readonly SubResource[],
): boolean {
  const { target } = request;
  return on === target.on && method === request.method &&
    (target.on !== "account" || `${target.path}/`.startsWith(`${path}/`)) &&
    query.every((text) => hasQuery(request.query, text)) &&
    headers.every((name) => request.headers.has(name)) &&
    given.every((name) => query.includes(name) || optionalQuery.includes(name));
}

function hasQuery(query: RoutedRequest["query"], text: string): boolean {
  const [name = "", value] = text.split("=", 2);
  return value === undefined ? query.has(name) : query.get(name) === value;
}

/** Returns how many names a route requires. */
function specificity({ query = [], headers = [] }: Route): number {
  return query.length + headers.length;
}
