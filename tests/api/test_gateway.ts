/**
 * A gateway over a memory store, called with Requests and no port, and a client that signs them.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { strictEqual } from "node:assert/strict";
import {
  type Authorize,
  type AuthorizeServices,
  createAuthorize,
} from "../../src/access/authorize.ts";
import { createBucketAccounts } from "../../src/access/bucket_accounts.ts";
import { createBucketAccesses } from "../../src/access/bucket_access.ts";
import { PublicAccessBlocks } from "../../src/access/public_access_blocks.ts";
import { createStrangerReads } from "../../src/access/strangers.ts";
import {
  type Authenticate,
  type AuthenticateOptions,
  createAuthenticate,
} from "../../src/auth/authenticate.ts";
import { createAuthenticateQuery } from "../../src/auth/authenticate_query.ts";
import { createCredentials } from "../../src/auth/credentials.ts";
import { createHandler, type GatewayServices, type Handler } from "../../src/gateway.ts";
import { FixedBodies } from "../../src/http/fixed_bodies.ts";
import { Lifecycles } from "../../src/operations/answers/lifecycle.ts";
import { DocumentBudget } from "../../src/operations/bodies/document_budget.ts";
import { createCors } from "../../src/http/cors.ts";
import { createRulesOf } from "../../src/http/cors_rules.ts";
import { InFlight } from "../../src/http/in_flight.ts";
import { BodyTurns } from "../../src/http/body_turns.ts";
import { Turns } from "../../src/http/turns.ts";
import { AS_OF } from "../../src/s3/as_of.ts";
import type { Permission } from "../../src/s3/permission.ts";
import { childrenOf, parseXml, textOf, type XmlElement } from "../../src/s3/xml_reader.ts";
import { createMemoryStore, type MemoryStore } from "../../src/store/memory/memory_store.ts";
import { createMemoryUsers } from "../../src/store/memory/users.ts";
import type { Users } from "../../src/store/users.ts";
import type { Store } from "../../src/store/store.ts";
import { StallWatch } from "../../src/streams/stall_watch.ts";
import { SILENT_LOG } from "../../src/telemetry/log.ts";

export const ACCESS_KEY_ID = "alice";
const SECRET = "alice-secret";
export const REGION = "us-east-1";
/** The account that owns all buckets. */
export const ACCOUNT = "111122223333";
/** The clock of gateway and client. */
export const NOW = new Date("2024-05-01T10:00:00.500Z");

/** The parts of a request that a test may set. */
export type Send = {
  readonly headers?: Readonly<Record<string, string>>;
  /** With a stream, set `content-length` and `x-amz-content-sha256` also. */
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Sends the request unsigned, as a browser does. */
  readonly anonymous?: boolean;
  /** The region to sign for, instead of {@linkcode REGION}. */
  readonly region?: string;
  /** The service to sign for, instead of `s3`. */
  readonly service?: string;
  /** Whether `x-amz-content-sha256` states the hash of the body, as S3 requires; true by default. */
  readonly statesHash?: boolean;
  /** The time of the signature, instead of {@linkcode NOW}. */
  readonly now?: Date;
  /** Signs with this access key id and this secret instead of the right ones. */
  readonly accessKeyId?: string;
  readonly secret?: string;
  /** Instead of `localhost`. */
  readonly host?: string;
  /** The host to which a proxy sends the request instead, and the proxy's address. */
  readonly via?: { readonly host: string; readonly peer: string };
};

/** A gateway under test. */
export type TestGateway = {
  readonly store: MemoryStore;
  readonly handler: Handler;
  /** Signs and sends a request; `target` is its path and query as they go over the wire. */
  readonly send: (method: string, target: string, send?: Send) => Promise<Response>;
  /** Does the same as `send`; the response must be a success. */
  readonly ok: (method: string, target: string, send?: Send) => Promise<Response>;
};

/** Returns the options by which requests are authenticated that are signed for a region; `*` accepts any. */
export function authenticationIn(
  region: string,
  locations: readonly string[] = [],
): AuthenticateOptions {
  return {
    credentials: createCredentials(ACCESS_KEY_ID, SECRET, ACCOUNT),
    region,
    locations,
    clockSkew: 300_000,
    sigv2: "off",
    now: () => NOW,
  };
}

/** Creates the step that authenticates requests which are signed for a region; `*` accepts any. */
export function authenticateIn(region: string, locations: readonly string[] = []): Authenticate {
  return createAuthenticate(authenticationIn(region, locations));
}

/** Creates the step that asks policies about the buckets of a store. */
export function authorizeWith(
  store: Store,
  { isIsolated = false, users = createMemoryUsers(), ...services }: Partial<AuthorizeServices> & {
    readonly isIsolated?: boolean;
    readonly users?: Users;
  } = {},
): Authorize {
  const accounts = createBucketAccounts({
    store,
    home: ACCOUNT,
    isIsolated: () => isIsolated,
    accountOfKey: () => undefined,
  });
  const blocks = new PublicAccessBlocks({ documents: store, users });
  return createAuthorize({
    store,
    buckets: createBucketAccesses({
      store,
      strangers: createStrangerReads(store),
      blocks,
      ...accounts,
    }),
    blocks,
    dropsAcls: false,
    accountOfListed: accounts.accountOfListed,
    account: ACCOUNT,
    now: () => NOW,
    decided: () => {},
    ...services,
  });
}

/** Wraps the step so that a test sees the permissions which operations ask for; what `watch` throws refuses one. */
export function watchPermissions(
  authorize: Authorize,
  watch: (permission: Permission) => void,
): Authorize {
  return async (asked) => {
    const access = await authorize(asked);
    return {
      get isWaiting() {
        return access.isWaiting;
      },
      allow: (permission) => (watch(permission), access.allow(permission)),
      allowRead: (permission) => (watch(permission), access.allowRead(permission)),
      confirm: () => access.confirm(),
      seen: (object) => access.seen(object),
      blocks: (block, bucket) => access.blocks(block, bucket),
      owns: (bucket) => access.owns(bucket),
      may: (action, resource) => access.may(action, resource),
      conceal: (cause, bucket) => access.conceal(cause, bucket),
    };
  };
}

/** Creates a gateway with the bucket `bucket`. */
export async function createTestGateway(
  overrides: Partial<GatewayServices> & { readonly minPartSize?: number } = {},
): Promise<TestGateway> {
  const store = overrides.store as MemoryStore | undefined ??
    createMemoryStore({ minPartSize: overrides.minPartSize ?? 5, now: () => NOW });
  const users = overrides.users ?? createMemoryUsers();
  let requests = 0;
  const handler = createHandler({
    store,
    region: REGION,
    encryptionAtRest: false,
    documents: new DocumentBudget(),
    lifecycles: new Lifecycles(overrides.store ?? store),
    checksumDefault: undefined,
    authenticate: authenticateIn(REGION),
    authenticateQuery: createAuthenticateQuery(authenticationIn(REGION)),
    users,
    sources: () => ({ now: NOW, random: randomBytes }),
    authorize: authorizeWith(overrides.store ?? store, {
      users,
      dropsAcls: overrides.dropAcl !== undefined,
    }),
    account: ACCOUNT,
    cors: createCors({ rulesOf: createRulesOf(store), fallback: undefined }),
    domains: ["s3.test"],
    inFlight: new InFlight(1000),
    turns: new Turns(),
    bodyTurns: new BodyTurns(() => {}),
    fixedBodies: new FixedBodies(60_000),
    stalls: new StallWatch(60_000),
    log: SILENT_LOG,
    newRequestId: () => `REQUEST${++requests}`,
    ...overrides,
  });
  const send: TestGateway["send"] = (method, target, options = {}) =>
    handler(
      signedRequest(method, target, options),
      options.via && {
        completed: Promise.resolve(),
        remoteAddr: { hostname: options.via.peer },
      },
    );
  const ok: TestGateway["ok"] = async (method, target, options) => {
    const response = await send(method, target, options);
    if (!response.ok) strictEqual(await response.text(), "", `${method} ${target}`);
    return response;
  };
  const { region = REGION } = overrides;
  await ok("PUT", "/bucket", region === "*" ? {} : { region });
  return { store, handler, send, ok };
}

/** Creates a request as `Deno.serve` would pass it on: its URL is not normalised. */
export function signedRequest(method: string, target: string, options: Send): Request {
  const { body, anonymous = false, host = "localhost", via } = options;
  const sentTo = via?.host ?? host;
  const stream = body instanceof ReadableStream ? body : undefined;
  const bytes = body === undefined || body instanceof ReadableStream
    ? undefined
    : new Uint8Array(Buffer.from(body));
  const headers = new Headers(options.headers);
  if (bytes !== undefined) headers.set("content-length", String(bytes.length));
  if (!anonymous) sign(headers, method, target, host, bytes ?? new Uint8Array(), options);
  const request = new Request("http://localhost/", {
    method,
    headers,
    body: stream ?? bytes ?? null,
  });
  const url = `http://${sentTo}${target}`;
  return Object.defineProperty(request, "url", { value: url, configurable: true });
}

function sign(
  headers: Headers,
  method: string,
  target: string,
  host: string,
  body: Uint8Array,
  {
    region = REGION,
    service = "s3",
    statesHash = true,
    now = NOW,
    accessKeyId = ACCESS_KEY_ID,
    secret = SECRET,
  }: Send,
): void {
  const [path = "", query = ""] = target.split("?", 2);
  const date = `${now.toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const payloadHash = headers.get("x-amz-content-sha256") ?? sha256(body);
  headers.set("x-amz-date", date);
  if (statesHash) headers.set("x-amz-content-sha256", payloadHash);

  const signed = [...headers].filter(([name]) =>
    name === "content-md5" || name.startsWith("x-amz-") || name === AS_OF
  )
    .concat([["host", host]]).sort(([a], [b]) => a < b ? -1 : 1);
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    method,
    path.replaceAll(":", "%3A"),
    canonicalQuery(query),
    ...signed.map(([name, value]) => `${name}:${value.trim()}`),
    "",
    names,
    payloadHash,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", date, scope, sha256(Buffer.from(canonical, "latin1"))]
    .join("\n");
  let key: Uint8Array = Buffer.from(`AWS4${secret}`);
  for (const part of scope.split("/")) key = hmac(key, part);
  headers.set(
    "authorization",
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${
      Buffer.from(hmac(key, text)).toString("hex")
    }`,
  );
}

/** Sorts a query by name and value; tests send values as they are signed. */
function canonicalQuery(query: string): string {
  return query.split("&").filter((pair) => pair !== "")
    .map((pair): [string, string] => {
      const [name = "", value = ""] = pair.split("=", 2);
      return [name, value];
    })
    .sort(([a, x], [b, y]) => a < b || a === b && x < y ? -1 : 1)
    .map(([name, value]) => `${name}=${value}`).join("&");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

/** Returns the path of an object, encoded as SDKs encode it. */
export function pathTo(key: string, bucket = "bucket"): string {
  const encoded = encodeURIComponent(key).replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return `/${bucket}/${encoded}`;
}

/** Reads a response in XML. */
export async function readXml(response: Response, root: string): Promise<XmlElement> {
  strictEqual(response.headers.get("content-type"), "application/xml");
  return parseXml(await response.text(), root);
}

/** Returns the texts of the elements at a path of names, which begins at the root's children. */
export function textsAt(element: XmlElement, ...path: readonly string[]): readonly string[] {
  return path.reduce<readonly XmlElement[]>(
    (elements, name) => elements.flatMap((element) => childrenOf(element, name)),
    [element],
  ).map(({ text }) => text);
}

/** Asserts that a response is this error. */
export async function assertError(
  response: Response,
  status: number,
  code: string,
): Promise<XmlElement> {
  const text = await response.text();
  strictEqual(response.status, status, text);
  const error = parseXml(text, "Error");
  strictEqual(textOf(error, "Code"), code, text);
  return error;
}

/** Returns the MD5 of a text in base64, for Content-MD5. */
export function contentMD5(body: string): string {
  return createHash("md5").update(body).digest("base64");
}
