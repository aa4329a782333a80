/**
 * Which operation a request asks for.
 *
 * The operation with the most required query and header names wins. A sub-resource that AWS knows never falls through
 * to a plain GET, PUT, POST or DELETE; query parameters that AWS does not know are ignored, as AWS ignores them.
 * @module
 */

import type { Operation, Route } from "../operations/operation.ts";
import { S3Error } from "../s3/errors.ts";
import type { S3Request } from "../s3/request.ts";

/** What of a request is looked at. */
export type Asked = Pick<S3Request, "method" | "target" | "query" | "headers">;

/** Required query names that are parameters of an operation, no sub-resources of their own. */
const PARAMETERS = ["id", "annotationName"];

/**
 * Finds the operation.
 *
 * @throws S3Error `MethodNotAllowed`; `InvalidRequest` for sub-resources that do not go together
 */
export function match(operations: readonly Operation[], asked: Asked): Operation {
  const { method, target: { on }, query } = asked;
  const known = subresourcesOf(operations);
  const given = [...query.keys()].filter((name) => known.has(name));

  let best: Operation | undefined;
  for (const operation of candidatesOf(operations).get(`${method} ${on}`) ?? []) {
    if (!matches(operation, asked, given)) continue;
    if (best === undefined || specificity(operation) > specificity(best)) best = operation;
  }
  if (best !== undefined) return best;

  if (given.length > 1) {
    throw new S3Error("InvalidRequest", {}, {
      message: `Conflicting query string parameters: ${given.join(", ")}`,
    });
  }
  const allowed = new Set(
    operations.filter((operation) =>
      matches(operation, { ...asked, method: operation.method }, given)
    )
      .map(({ method }) => method),
  );
  throw new S3Error("MethodNotAllowed", { Method: method, ResourceType: on.toUpperCase() }, {
    headers: { "allow": [...allowed].join(", ") },
  });
}

function matches(
  { on, method, query = [], optionalQuery = [], headers = [] }: Route,
  asked: Asked,
  given: readonly string[],
): boolean {
  return on === asked.target.on && method === asked.method &&
    query.every((text) => hasQuery(asked.query, text)) &&
    headers.every((name) => asked.headers.has(name)) &&
    given.every((name) => query.includes(name) || optionalQuery.includes(name));
}

function hasQuery(query: Asked["query"], text: string): boolean {
  const [name = "", value] = text.split("=", 2);
  return value === undefined ? query.has(name) : query.get(name) === value;
}

/** How much a route demands. */
function specificity({ query = [], headers = [] }: Route): number {
  return query.length + headers.length;
}

const candidates = new WeakMap<readonly Operation[], ReadonlyMap<string, readonly Operation[]>>();

/** Operations by what most of them differ in. */
function candidatesOf(
  operations: readonly Operation[],
): ReadonlyMap<string, readonly Operation[]> {
  let map = candidates.get(operations);
  if (map === undefined) {
    map = Map.groupBy(operations, ({ method, on }) => `${method} ${on}`);
    candidates.set(operations, map);
  }
  return map;
}

const cache = new WeakMap<readonly Operation[], ReadonlySet<string>>();

function subresourcesOf(operations: readonly Operation[]): ReadonlySet<string> {
  let names = cache.get(operations);
  if (names === undefined) {
    const all = operations.flatMap(({ query = [], optionalQuery = [] }) => [
      ...query,
      ...optionalQuery,
    ]);
    names = new Set(all.filter((name) => !name.includes("=") && !PARAMETERS.includes(name)));
    cache.set(operations, names);
  }
  return names;
}
