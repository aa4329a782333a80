/**
 * The web site of the bucket `bucket`, beside the gateway on whose store it reads.
 * @module
 */

import { createStrangerReads } from "../../src/access/strangers.ts";
import { createCors } from "../../src/http/cors.ts";
import { createRulesOf } from "../../src/http/cors_rules.ts";
import type { ExchangeServices, RequestInfo } from "../../src/http/exchange_services.ts";
import { FixedBodies } from "../../src/http/fixed_bodies.ts";
import { InFlight } from "../../src/http/in_flight.ts";
import { BodyTurns } from "../../src/http/body_turns.ts";
import { Turns } from "../../src/http/turns.ts";
import { formatPublicRead } from "../../src/s3/policy.ts";
import { StallWatch } from "../../src/streams/stall_watch.ts";
import { SILENT_LOG } from "../../src/telemetry/log.ts";
import type { RequestRecord } from "../../src/telemetry/request_record.ts";
import { createWebsiteHandler } from "../../src/website/website.ts";
import { authorizeWith, createTestGateway, type TestGateway } from "./test_gateway.ts";

export const INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";
export const ERROR_DOCUMENT = "<ErrorDocument><Key>errors/all.html</Key></ErrorDocument>";

/** A site under test. */
export type TestSite = TestGateway & {
  /** Sends a request; `path` goes over the wire as it is. */
  readonly visit: (
    path: string,
    init?: RequestInit & { readonly host?: string; readonly info?: RequestInfo },
  ) => Promise<Response>;
  /** Returns the status and the Location of the response to a GET. */
  readonly redirectOf: (path: string) => Promise<readonly [number, string | null]>;
  /** The requests that have ended. */
  readonly records: readonly RequestRecord[];
};

/** Creates a site. Without elements the bucket has no configuration. */
export async function createTestSite(
  elements: string,
  { isPublic = true, ...services }: Partial<Omit<ExchangeServices, "store">> & {
    readonly isPublic?: boolean;
  } = {},
): Promise<TestSite> {
  const gateway = await createTestGateway();
  const { store, ok } = gateway;
  const reads = createStrangerReads(store);
  const records: RequestRecord[] = [];
  const handler = createWebsiteHandler({
    store,
    reads,
    authorize: authorizeWith(store),
    domains: ["web.test"],
    cors: createCors({ rulesOf: createRulesOf(store), fallback: undefined }),
    inFlight: new InFlight(1000),
    turns: new Turns(),
    bodyTurns: new BodyTurns(() => {}),
    fixedBodies: new FixedBodies(60_000),
    stalls: new StallWatch(60_000),
    log: SILENT_LOG,
    observe: (record) => records.push(record),
    newRequestId: () => "REQUEST1",
    ...services,
  });
  if (elements !== "") {
    const body = `<WebsiteConfiguration>${elements}</WebsiteConfiguration>`;
    await ok("PUT", "/bucket?website", { body });
  }
  if (isPublic) await ok("PUT", "/bucket?policy", { body: formatPublicRead("bucket") });
  const put = async (key: string, body: string, headers: Record<string, string> = {}) => {
    const all = { "content-type": "text/html", ...headers };
    await ok("PUT", `/bucket/${key}`, { body, headers: all });
  };
  await put("index.html", "home");
  await put("a/index.html", "folder a");
  await put("b", "file b");
  await put("errors/all.html", "custom error");
  await put("moved", "old", { "x-amz-website-redirect-location": "/b" });
  const visit: TestSite["visit"] = (path, { host = "bucket.web.test", info, ...init } = {}) => {
    const request = new Request("http://localhost/", init);
    Object.defineProperty(request, "url", { value: `http://${host}${path}` });
    return handler(request, info);
  };
  return {
    ...gateway,
    visit,
    records,
    async redirectOf(path) {
      const { status, headers } = await visit(path);
      return [status, headers.get("location")];
    },
  };
}
