/**
 * What the pipeline reads of a SigV4 request behind authentication is covered by its signature, or is on a closed list.
 *
 * Each operation is run with recorders in the place of query and headers. Then every name that was read is changed or
 * added behind the signature, and the request must be refused.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createAuthenticate } from "../../src/auth/authenticate.ts";
import { createCredentials } from "../../src/auth/credentials.ts";
import { OPERATIONS } from "../../src/operations/table.ts";
import type { Operation } from "../../src/operations/operation.ts";
import type { RequestHeaders } from "../../src/s3/request_headers.ts";
import type { Query } from "../../src/s3/request.ts";
import { PAIR, presign, sign, type WireRequest } from "../http/wire_request.ts";
import {
  authenticateIn,
  createTestGateway,
  NOW,
  REGION,
  type TestGateway,
} from "./test_gateway.ts";

/**
 * Headers that clients may send unsigned, as AWS lets them: they choose what is read, or whether. `content-*` and the like
 * describe an object; a client signs them if it cares.
 */
const UNSIGNED_HEADERS: readonly string[] = [
  ...["cache-control", "content-disposition", "content-encoding", "content-language"],
  ...["content-length", "content-md5", "content-type", "expires", "transfer-encoding"],
  ...["if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range"],
];
/** Headers that authentication itself reads: a change breaks the signature in another way. */
const OF_SIGNATURES: readonly string[] = ["authorization", "host"];

type Reads = { readonly query: Set<string>; readonly headers: Set<string> };

function recordHeaders(headers: RequestHeaders, reads: Set<string>): RequestHeaders {
  return {
    get: (name) => (reads.add(name), headers.get(name)),
    has: (name) => (reads.add(name), headers.has(name)),
    keys: () => headers.keys(),
    [Symbol.iterator]: () => headers[Symbol.iterator](),
  };
}

function recordQuery(query: Query, reads: Set<string>): Query {
  return new Proxy(query, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if ((property === "get" || property === "has") && typeof args[0] === "string") {
          reads.add(args[0]);
        }
        return value.apply(target, args);
      };
    },
  });
}

async function createGateway(reads: Reads): Promise<TestGateway> {
  const authenticate = createAuthenticate({
    credentials: createCredentials(PAIR.accessKeyId, PAIR.secretAccessKey),
    region: REGION,
    clockSkew: 300_000,
    sigv2: "off",
    now: () => NOW,
  });
  const ofTests = authenticateIn(REGION);
  return await createTestGateway({
    authenticate: async (request) => {
      // The test gateway makes its bucket with its own key.
      const isOwn = request.headers.get("authorization")?.includes("Credential=alice/");
      if (isOwn === true) return await ofTests(request);
      const { identity, verified } = await authenticate(request);
      const query = recordQuery(verified.query, reads.query);
      const headers = recordHeaders(verified.headers, reads.headers);
      return { identity, verified: { ...verified, query, headers } };
    },
  });
}

const PATHS = { service: "/", bucket: "/bucket", object: "/bucket/key" } as const;

/** A request of an operation, as the router finds it. */
function requestOf({ on, method, query = [], headers = [] }: Operation): WireRequest {
  const values: Readonly<Record<string, string>> = { uploadId: "x", partNumber: "1" };
  const pairs = query.map((text) => {
    const [name = "", value = values[name] ?? ""] = text.split("=");
    return `${name}=${value}`;
  });
  return {
    method,
    path: PATHS[on],
    query: pairs.join("&"),
    headers: [
      ["host", "localhost"],
      ...headers.map((name) =>
        [name, name === "x-amz-copy-source" ? "/bucket/other" : "x"] as const
      ),
    ],
    body: "",
  };
}

function toRequest({ method, path, query, headers, body }: WireRequest): Request {
  const bytes = new Uint8Array(Buffer.from(body));
  const request = new Request("http://localhost/", {
    method,
    headers: [...headers].map(([name, value]): [string, string] => [name, value]),
    ...(method === "PUT" || method === "POST" ? { body: bytes } : {}),
  });
  const url = `http://localhost${path}${query === "" ? "" : `?${query}`}`;
  return Object.defineProperty(request, "url", { value: url, configurable: true });
}

const SUPPORTED = OPERATIONS.filter(({ unsupported }) => unsupported !== true);

/** Signs in the headers, or in the query. */
function signed(request: WireRequest, way: "headers" | "query"): WireRequest {
  const length = ["content-length", String(request.body.length)] as const;
  return way === "headers"
    ? { ...request, headers: [...sign(request, { now: NOW }).headers, length] }
    : { ...request, query: presign(request, { now: NOW }), headers: [...request.headers, length] };
}

async function codeOf(gateway: TestGateway, request: WireRequest): Promise<string> {
  const response = await gateway.handler(toRequest(request));
  const text = await response.text();
  return /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? String(response.status);
}

const REFUSED = ["SignatureDoesNotMatch", "AccessDenied", "403"];

Deno.test("nothing that an operation reads can be added to or changed in a request signed by SigV4", async () => {
  const reads: Reads = { query: new Set(), headers: new Set() };
  const gateway = await createGateway(reads);
  for (const operation of SUPPORTED) {
    for (
      const way of operation.headers?.length ? ["headers"] as const : ["headers", "query"] as const
    ) {
      const code = await codeOf(gateway, signed(requestOf(operation), way));
      ok(!REFUSED.includes(code), `${operation.name} signed in its ${way}: ${code}`);
    }
  }
  // The recorders work.
  for (const name of ["versionId", "partNumber", "prefix", "response-content-type"]) {
    ok(reads.query.has(name), name);
  }
  for (const name of ["x-amz-copy-source", "x-amz-tagging", "if-match", "range"]) {
    ok(reads.headers.has(name), name);
  }

  const open = [...reads.headers].filter((name) =>
    !name.startsWith("x-amz-") && !OF_SIGNATURES.includes(name)
  );
  deepStrictEqual(open.filter((name) => !UNSIGNED_HEADERS.includes(name)), []);

  for (const way of ["headers", "query"] as const) {
    for (const operation of SUPPORTED) {
      if (way === "query" && operation.headers?.length) continue;
      const request = signed(requestOf(operation), way);
      for (const name of reads.query) {
        for (const spelled of [name, `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`]) {
          const added = `${spelled}=1`;
          for (const query of [`${request.query}&${added}`, `${added}&${request.query}`]) {
            const changed = { ...request, query: query.replace(/^&|&$/g, "") };
            const code = await codeOf(gateway, changed);
            ok(
              REFUSED.includes(code),
              `${operation.name} signed in its ${way} + ${added}: ${code}`,
            );
          }
        }
      }
      for (const name of reads.headers) {
        if (!name.startsWith("x-amz-") || request.headers.some(([other]) => other === name)) {
          continue;
        }
        const headers = [...request.headers, [name, "x"] as const];
        const code = await codeOf(gateway, { ...request, headers });
        ok(REFUSED.includes(code), `${operation.name} signed in its ${way} + ${name}: ${code}`);
      }
    }
  }
  strictEqual(SUPPORTED.length > 20, true);
});
