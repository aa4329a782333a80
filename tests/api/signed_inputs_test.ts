/**
 * Nothing that an operation reads can be changed behind the signature: a property of SigV4 and SigV2, in headers and in
 * presigned URLs.
 *
 * First, every operation runs with recorders in the place of query and headers, which note the names that it reads. Then
 * correctly signed requests are changed: names are added, also encoded and more than once, values are replaced, headers
 * and parameters are removed, the path and the method are others. Authentication must refuse each of them, or pass on what
 * was signed. The names that may change are a closed list for each way to sign, without any row too many.
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Authenticate, createAuthenticate } from "../../src/auth/authenticate.ts";
import { createCredentials } from "../../src/auth/credentials.ts";
import { sign as signV2, SIGNED_QUERY, stringToSign } from "../../src/auth/sigv2.ts";
import type { Operation } from "../../src/operations/operation.ts";
import { OPERATIONS } from "../../src/operations/table.ts";
import { isS3Error } from "../../src/s3/errors.ts";
import { parseRequest, type Query } from "../../src/s3/request.ts";
import type { RequestHeaders } from "../../src/s3/request_headers.ts";
import { isUnsignedBySigV2 } from "../../src/s3/subresources.ts";
import type { VerifiedRequest } from "../../src/s3/verified_request.ts";
import { Random } from "../http/malformed_requests.ts";
import { PAIR, presign, sign, type WireRequest } from "../http/wire_request.ts";
import {
  authenticateIn,
  createTestGateway,
  NOW,
  REGION,
  type TestGateway,
} from "./test_gateway.ts";

const WAYS = ["SigV4 header", "SigV4 URL", "SigV2 header", "SigV2 URL"] as const;
type Way = typeof WAYS[number];

/**
 * Headers that clients may send unsigned, as AWS lets them: they choose which bytes are read, or whether, or describe an
 * object. A client signs them if it cares.
 */
const UNSIGNED = [
  ...["cache-control", "content-disposition", "content-encoding", "content-language"],
  ...["expires", "if-match", "if-modified-since", "if-none-match", "if-range"],
  ...["if-unmodified-since", "range"],
] as const;
/** SigV2 signs these two in its text. */
const SIGNED_BY_SIGV2 = ["content-md5", "content-type"] as const;
/**
 * Parameters that SigV2 does not sign, as on AWS: they choose which keys a list shows, and how, or lead to questions about
 * configurations. A change with one of the sub-resources among them is refused.
 */
const QUERY_OF_SIGV2 = [
  ...["attributes", "bucket-region", "continuation-token", "delimiter", "encoding-type"],
  ...["fetch-owner", "key-marker", "list-type", "marker", "max-buckets", "max-keys", "max-parts"],
  ...["max-uploads", "part-number-marker", "prefix", "renameObject", "start-after"],
  ...["upload-id-marker", "version-id-marker", "id", "encryption", "intelligent-tiering"],
  ...["legal-hold", "ownershipControls", "policyStatus", "publicAccessBlock", "retention"],
] as const;

/** A reader of all names might act on any, so these stand for them. */
const ITERATED = {
  query: ["response-other", "x-amz-meta-added", "other"],
  headers: ["x-amz-meta-added", "x-amz-other"],
} as const;

/** Names that came after SigV2: on their own, they only lead to operations that are not implemented. */
const UNSUPPORTED_AFTER_SIGV2: readonly string[] = [
  ...new Set(OPERATIONS.flatMap(({ query = [] }) => query.map((text) => text.split("=")[0] ?? ""))),
].filter((name) =>
  !SIGNED_QUERY.has(name) &&
  OPERATIONS.every(({ query = [], unsupported }) =>
    unsupported === true || !query.some((text) => text.split("=")[0] === name)
  )
);

const OPEN_QUERY_OF_SIGV2 = [
  ...QUERY_OF_SIGV2,
  ...UNSUPPORTED_AFTER_SIGV2,
  // The router and GetObject at most refuse a name that they do not know.
  ...["other", "response-other"],
];

/** The names that may change behind a signature. */
const OPEN: Readonly<
  Record<Way, { readonly query: readonly string[]; readonly headers: readonly string[] }>
> = {
  "SigV4 header": { query: [], headers: [...UNSIGNED, ...SIGNED_BY_SIGV2] },
  "SigV4 URL": { query: [], headers: [...UNSIGNED, ...SIGNED_BY_SIGV2] },
  "SigV2 header": { query: [...OPEN_QUERY_OF_SIGV2, "x-amz-meta-added"], headers: UNSIGNED },
  "SigV2 URL": { query: OPEN_QUERY_OF_SIGV2, headers: UNSIGNED },
};

/** Headers that frame the body: the payload has what they announce, and is checked as it streams. */
const FRAMING: readonly string[] = ["content-length", "transfer-encoding"];
/** Headers that authentication itself reads. */
const OF_SIGNATURES: readonly string[] = ["authorization", "date", "host"];

type Reads = { readonly query: Set<string>; readonly headers: Set<string> };

function recordHeaders(headers: RequestHeaders, reads: Set<string>): RequestHeaders {
  const all = (): void => ITERATED.headers.forEach((name) => reads.add(name));
  return {
    get: (name) => (reads.add(name), headers.get(name)),
    has: (name) => (reads.add(name), headers.has(name)),
    keys: () => (all(), headers.keys()),
    [Symbol.iterator]: () => (all(), headers[Symbol.iterator]()),
  };
}

function recordQuery(query: Query, reads: Set<string>): Query {
  return new Proxy(query, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const [name] = args;
        if (property !== "get" && property !== "has") {
          for (const iterated of ITERATED.query) reads.add(iterated);
        } else if (typeof name === "string") reads.add(name);
        return value.apply(target, args);
      };
    },
  });
}

const authenticate: Authenticate = createAuthenticate({
  credentials: createCredentials(PAIR.accessKeyId, PAIR.secretAccessKey),
  region: REGION,
  clockSkew: 300_000,
  sigv2: "on",
  now: () => NOW,
});

async function createGateway(reads: Reads): Promise<TestGateway> {
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

const PATHS = { service: "/", account: "/", bucket: "/bucket", object: "/bucket/key" } as const;

/** A request of an operation, as the router finds it, with a parameter and two headers in addition. */
function requestOf({ on, method, query = [], headers = [] }: Operation): WireRequest {
  const values: Readonly<Record<string, string>> = { uploadId: "x", partNumber: "1" };
  const pairs = query.map((text) => {
    const [name = "", value = values[name] ?? ""] = text.split("=");
    return `${name}=${value}`;
  });
  return {
    method,
    path: PATHS[on],
    query: [...pairs, "prefix=a"].join("&"),
    headers: [
      ["host", "localhost"],
      ["content-type", "text/plain"],
      ["x-amz-meta-a", "1"],
      ...headers.map((name) =>
        [name, name === "x-amz-copy-source" ? "/bucket/other" : "x"] as const
      ),
    ],
    body: "",
  };
}

function toRequest({ method, path, query, headers, body }: WireRequest): Request {
  const request = new Request("http://localhost/", {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    ...(method === "PUT" || method === "POST" ? { body: new Uint8Array(Buffer.from(body)) } : {}),
  });
  const url = `http://localhost${path}${query === "" ? "" : `?${query}`}`;
  return Object.defineProperty(request, "url", { value: url, configurable: true });
}

const SUPPORTED = OPERATIONS.filter(({ unsupported }) => unsupported !== true);

function signed(request: WireRequest, way: Way): WireRequest {
  const framed = {
    ...request,
    headers: [...request.headers, ["content-length", String(request.body.length)] as const],
  };
  if (way === "SigV4 header") {
    return { ...framed, headers: sign(framed, { now: NOW, region: REGION }).headers };
  }
  // The headers that a URL signs are in its query.
  const hoisted = way.endsWith("URL")
    ? framed.headers.filter(([name]) => name.startsWith("x-amz-"))
    : [];
  const headers = framed.headers.filter((pair) => !hoisted.includes(pair));
  const query = [
    framed.query,
    ...hoisted.map(([name, value]) => `${name}=${encodeURIComponent(value)}`),
  ].join("&");
  if (way === "SigV4 URL") {
    return { ...framed, headers, query: presign({ ...framed, headers, query }, { now: NOW }) };
  }
  const date = way === "SigV2 URL" ? String(NOW.getTime() / 1000 + 60 | 0) : NOW.toUTCString();
  const asked = parseRequest(toRequest(framed), []);
  const signature = signV2(PAIR.secretAccessKey, stringToSign(asked, asked.headers, date));
  if (way === "SigV2 header") {
    const authorization = `AWS ${PAIR.accessKeyId}:${signature}`;
    return { ...framed, headers: [...headers, ["date", date], ["authorization", authorization]] };
  }
  const own = `AWSAccessKeyId=${PAIR.accessKeyId}&Expires=${date}`;
  const text = `${query}&${own}&Signature=${encodeURIComponent(signature)}`;
  return { ...framed, headers, query: text };
}

/** Runs every operation and returns the names that were read behind authentication. */
async function readNames(): Promise<Reads> {
  const reads: Reads = { query: new Set(), headers: new Set() };
  const gateway = await createGateway(reads);
  for (const way of WAYS) {
    for (const operation of SUPPORTED) {
      await gateway.ok("PUT", "/bucket"); // DeleteBucket is one of them
      const response = await gateway.handler(toRequest(signed(requestOf(operation), way)));
      const text = await response.text();
      const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? String(response.status);
      const isRefused = ["SignatureDoesNotMatch", "AccessDenied", "403"].includes(code);
      ok(!isRefused, `${operation.name} by ${way}: ${text}`);
    }
  }
  return reads;
}

/** The parts of a request that operations act on. */
function viewOf(verified: VerifiedRequest, reads: Reads): Map<string, string> {
  const { method, target, query, headers, region } = verified;
  const view = new Map([["request", JSON.stringify({ method, target, region })]]);
  for (const name of reads.query) view.set(`query ${name}`, query.get(name) ?? "none");
  for (const name of reads.headers) {
    if (OF_SIGNATURES.includes(name) || FRAMING.includes(name)) continue;
    view.set(`headers ${name}`, headers.get(name) ?? "none");
  }
  return view;
}

/** Percent-encodes some letters of a name. */
function spell(random: Random, name: string): string {
  const hex = (char: string): string => {
    const code = char.charCodeAt(0).toString(16);
    return `%${random.chance(0.5) ? code : code.toUpperCase()}`;
  };
  return Array.from(name, (char) => random.chance(0.3) ? hex(char) : char).join("");
}

/** Inserts a parameter at a random place. */
function addPair(random: Random, query: string, pair: string): string {
  const pairs = query.split("&");
  return pairs.toSpliced(random.below(pairs.length + 1), 0, pair).join("&");
}

type Change = (random: Random, request: WireRequest, name: string) => WireRequest;

const OF_QUERY: Readonly<Record<string, Change>> = {
  "add a parameter": (random, request, name) => ({
    ...request,
    query: addPair(random, request.query, `${name}=2`),
  }),
  "add a parameter without a value": (random, request, name) => ({
    ...request,
    query: addPair(random, request.query, name),
  }),
  "add a parameter with an encoded name": (random, request, name) => ({
    ...request,
    query: addPair(random, request.query, `${spell(random, name)}=2`),
  }),
  "add a parameter twice": (random, request, name) => ({
    ...request,
    query: addPair(
      random,
      addPair(random, request.query, `${name}=2`),
      `${spell(random, name)}=3`,
    ),
  }),
  "replace a value": (_, request, name) => ({
    ...request,
    query: request.query.split("&")
      .map((pair) => pair.split("=")[0] === name ? `${name}=2` : pair).join("&"),
  }),
  "remove a parameter": (_, request, name) => ({
    ...request,
    query: request.query.split("&").filter((pair) => pair.split("=")[0] !== name).join("&"),
  }),
  "add a header as a parameter": (random, request, name) => ({
    ...request,
    query: addPair(random, request.query, `${spell(random, name.toUpperCase())}=2`),
  }),
};

const OF_HEADERS: Readonly<Record<string, Change>> = {
  "add a header": (_, request, name) => ({
    ...request,
    headers: [...request.headers, [name, "2"]],
  }),
  "add a header before others": (_, request, name) => ({
    ...request,
    headers: [[name, "2"], ...request.headers],
  }),
  "replace a header": (_, request, name) => ({
    ...request,
    headers: request.headers.map(([other, value]) => [other, other === name ? "2" : value]),
  }),
  "change a blank in a header": (_, request, name) => ({
    ...request,
    headers: request.headers.map(([other, value]) => [
      other,
      other === name ? `${value}, ${value}` : value,
    ]),
  }),
  "remove a header": (_, request, name) => ({
    ...request,
    headers: request.headers.filter(([other]) => other !== name),
  }),
  "send a header as a parameter": (random, request, name) => ({
    ...request,
    query: addPair(random, request.query, `${spell(random, name)}=2`),
  }),
};

const OF_REQUEST: Readonly<Record<string, Change>> = {
  "another method": (random, request) => ({
    ...request,
    method: random.pick(
      ["GET", "HEAD", "PUT", "POST", "DELETE"].filter((m) => m !== request.method),
    ),
  }),
  "another path": (random, request) => ({
    ...request,
    path: request.path +
      random.pick(["/", "x", "/x", "%2F", "%2e", "%3F", "//", "/..", "/../other"]),
  }),
  "another spelling of the path": (random, request) => ({
    ...request,
    path: request.path.split("/").map((part) => spell(random, part)).join("/"),
  }),
};

/** Returns the operations that may be signed in a way, before and after a name was added to their query. */
function operationsFor(way: Way, added: string): readonly Operation[] {
  if (!way.startsWith("SigV2")) return SUPPORTED;
  return SUPPORTED.filter(({ method, query = [] }) =>
    method === "GET" || method === "HEAD" || ![added, ...query].some(isUnsignedBySigV2)
  );
}

Deno.test("nothing that an operation reads can be changed behind a signature, except names on closed lists", async () => {
  const reads = await readNames();
  // The recorders work.
  for (const name of ["versionId", "partNumber", "prefix", "response-content-type", "other"]) {
    ok(reads.query.has(name), name);
  }
  for (const name of ["x-amz-copy-source", "x-amz-tagging", "if-match", "x-amz-meta-added"]) {
    ok(reads.headers.has(name), name);
  }

  const random = new Random(17);
  let [refused, same] = [0, 0];
  const changed: Record<Way, Record<"query" | "headers", Set<string>>> = Object.fromEntries(
    WAYS.map((way) => [way, { query: new Set(), headers: new Set() }] as const),
  ) as never;
  const attempt = async (way: Way, name: string, what: string, change: Change): Promise<void> => {
    const operation = random.pick(operationsFor(way, name));
    const request = signed(requestOf(operation), way);
    const { verified } = await authenticate(parseRequest(toRequest(request), []));
    const before = viewOf(verified, reads);
    const sent = change(random, request, name);
    let after: Map<string, string>;
    try {
      const { identity, verified } = await authenticate(parseRequest(toRequest(sent), []));
      if (identity.kind === "anonymous") return void refused++;
      after = viewOf(verified, reads);
    } catch (cause) {
      ok(isS3Error(cause), `${what} ${name}: ${cause}`);
      return void refused++;
    }
    same++;
    for (const [part, value] of after) {
      if (before.get(part) === value) continue;
      const [kind = "", name = ""] = part.split(" ");
      const isOpen = (kind === "query" || kind === "headers") && OPEN[way][kind].includes(name);
      ok(isOpen, `${operation.name} by ${way}: ${what} changes ${part}: ${JSON.stringify(sent)}`);
      if (kind === "query" || kind === "headers") changed[way][kind].add(name);
    }
  };

  for (const way of WAYS) {
    for (const [kind, changes] of [["query", OF_QUERY], ["headers", OF_HEADERS]] as const) {
      for (const name of reads[kind]) {
        if (OF_SIGNATURES.includes(name) || FRAMING.includes(name)) continue;
        for (const [what, change] of Object.entries(changes)) {
          await attempt(way, name, what, change);
        }
      }
    }
    for (const [what, change] of Object.entries(OF_REQUEST)) {
      for (let i = 0; i < 30; i++) await attempt(way, "", what, change);
    }
  }
  // Both happen: an encoded path is the same request, and an added version is another one.
  ok(refused > 1000 && same > 100, `${refused} refused, ${same} the same`);
  for (const way of WAYS) {
    for (const kind of ["query", "headers"] as const) {
      // A route with two names reads the second one only if the request has the first.
      const open = OPEN[way][kind].filter((name) =>
        reads[kind].has(name) || !UNSUPPORTED_AFTER_SIGV2.includes(name)
      );
      deepStrictEqual([...changed[way][kind]].sort(), open.sort(), `${way}: ${kind}`);
    }
  }
  strictEqual(SUPPORTED.length > 20, true);
});
