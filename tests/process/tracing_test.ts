/**
 * Traces: the spans that a collector receives, the secrets that it must never receive, and requests that never wait for
 * it.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { OtlpExporter } from "../../src/telemetry/otlp.ts";
import type { Span } from "../../src/telemetry/tracing.ts";
import { type Asked, presigned, signed, type Signer } from "../vectors/client.ts";
import { OtlpCollector, type ReceivedSpan } from "./otlp_collector.ts";
import {
  PERMISSIONS,
  type RunningCommand,
  signedFetch,
  startCommand,
  startGateway,
} from "./running_command.ts";

const PAIR = { accessKeyId: "test-access-key", secretAccessKey: "test/secret+access=key" };
const NATS_PASSWORD = "nats+password/of=ann";
const CREDENTIALS = {
  NATS_S3_CREDENTIALS: JSON.stringify({
    credentials: [{ accessKey: PAIR.accessKeyId, secretKey: PAIR.secretAccessKey }],
  }),
};
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

function tracedBy(collector: OtlpCollector): Record<string, string> {
  return { ...CREDENTIALS, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
}

/** Returns the timestamp and the scope of a signature made now. */
function signingNow(): { readonly timestamp: string; readonly scope: string } {
  const timestamp = new Date().toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  return { timestamp, scope: `${timestamp.slice(0, 8)}/us-east-1/s3/aws4_request` };
}

function signedRequest(url: string, asked: Asked, signer: Signer = {}): Request {
  const { method = "GET", path = "/", query = "", body = null } = asked;
  const { headers } = signed({
    ...asked,
    host: new URL(url).host,
    headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD", ...asked.headers },
    target: { on: "service" },
  }, { ...PAIR, ...signingNow(), ...signer });
  return new Request(`${url}${path}${query && `?${query}`}`, { method, headers, body });
}

/** Sends a request without retries; reads the response and returns its status. */
async function send(request: Request): Promise<number> {
  const response = await fetch(request);
  await response.arrayBuffer();
  return response.status;
}

/** Stops the gateway, which then exports the waiting spans, and returns all spans. */
async function endedSpans(
  gateway: RunningCommand,
  collector: OtlpCollector,
): Promise<readonly ReceivedSpan[]> {
  const { code } = await gateway.stop();
  strictEqual(code, 0, gateway.output);
  return collector.spans;
}

/** Returns the spans of requests, without those of JetStream calls. */
function spansOfRequests(spans: readonly ReceivedSpan[]): readonly ReceivedSpan[] {
  return spans.filter(({ kind }) => kind === 2);
}

function childrenOf(spans: readonly ReceivedSpan[], parent: ReceivedSpan): ReceivedSpan[] {
  return spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
}

function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.filter((span) => span.name === name);
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`There are ${found.length} spans "${name}" in ${JSON.stringify(spans)}`);
  }
  return first;
}

/** Returns every encoding in which a secret might leak. */
function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].flatMap((offset) => {
    // The bytes before and after a secret change the digits at its ends.
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const inner = text.slice(offset === 0 ? 0 : 4, text.length - 4);
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_"), encodeURIComponent(inner)];
  });
  const percent = encodeURIComponent(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    percent,
    percent.toLowerCase(),
    encodeURIComponent(percent),
    bytes.toString("hex"),
    ...base64,
  ];
}

function assertHidden(bytes: string, secrets: ReadonlyMap<string, string>): void {
  for (const [what, secret] of secrets) {
    ok(secret.length > 7, `${what} is too short to search for`);
    for (const spelling of spellingsOf(secret)) {
      ok(!bytes.includes(spelling), `The collector received ${what} as "${spelling}"`);
    }
  }
}

Deno.test("a collector sees no signature, secret, session token or password", async () => {
  await using server = await startNatsServer({
    config: `authorization { user: ann, password: "${NATS_PASSWORD}" }`,
  });
  await using collector = new OtlpCollector();
  await using gateway = await startGateway(
    ["--natsServers", server.url, "--natsUser", "ann", "--natsPassword", NATS_PASSWORD],
    { env: tracedBy(collector) },
  );
  const host = new URL(gateway.url).host;
  const secrets = new Map([
    ["the secret access key", PAIR.secretAccessKey],
    ["the NATS password", NATS_PASSWORD],
    ["a session token", "FwoGZXIvYXdzEBYaDH+session/token="],
    ["a customer's key", "MzJieXRlc2xvbmdzZWNyZXRrZXltdXN0cHJvdmlkZWQ="],
    ["a password of Basic", "YWxhZGRpbjpvcGVuc2VzYW1l"],
    ["a bearer token", "eyJhbGciOiJIUzI1NiJ9.bearer.token"],
    ["a cookie", "session=cookie-of-somebody"],
    ["a body", "secret-in-the-body"],
  ]);
  const secret = (what: string): string => secrets.get(what) ?? "";
  const now = signingNow();
  let signatures = 0;
  const remember = (signature: string | undefined): void => {
    if (signature !== undefined) secrets.set(`signature ${++signatures}`, signature);
  };

  const sign = (asked: Asked, signer: Signer = {}): Request => {
    const request = signedRequest(gateway.url, asked, signer);
    const authorization = request.headers.get("authorization") ?? "";
    remember(/Signature=(\w+)/.exec(authorization)?.[1]);
    secrets.set(`header ${signatures}`, authorization);
    return request;
  };
  const presign = (asked: Asked, signer: Signer = {}): string => {
    const { path = "/" } = asked;
    const { rawQuery } = presigned({ ...asked, host, target: { on: "service" } }, {
      ...PAIR,
      ...now,
      ...signer,
    });
    remember(/X-Amz-Signature=(\w+)/.exec(rawQuery)?.[1]);
    return `${gateway.url}${path}?${rawQuery}`;
  };
  const presignV2 = (path: string, key = PAIR.secretAccessKey): string => {
    const expires = Math.floor(Date.now() / 1000) + 600;
    const signature = createHmac("sha1", key).update(`GET\n\n\n${expires}\n${path}`)
      .digest("base64");
    remember(signature);
    return `${gateway.url}${path}?AWSAccessKeyId=${PAIR.accessKeyId}&Expires=${expires}` +
      `&Signature=${encodeURIComponent(signature)}`;
  };
  const wrong = { secretAccessKey: "another-secret" };
  const url = presign({ path: "/photos/mistyped" });
  const sessionToken = { "x-amz-security-token": secret("a session token") };
  const customerKey = {
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": secret("a customer's key"),
  };
  const inBody = (): ReadableStream<Uint8Array<ArrayBuffer>> =>
    ReadableStream.from([new TextEncoder().encode(secret("a body"))]);
  const large = new Uint8Array(1_000_000).fill(65);

  const requests: readonly (readonly [status: number, Request])[] = [
    [200, sign({ method: "PUT", path: "/photos" })],
    [200, sign({ method: "PUT", path: "/photos/seen-by-the-collector", body: inBody() })],
    [200, sign({ method: "PUT", path: "/photos/large", body: ReadableStream.from([large]) })],
    [200, sign({ path: "/photos/large" })],
    [200, sign({ method: "HEAD", path: "/photos/large" })],
    [200, sign({ path: "/photos", query: "list-type=2" })],
    [200, new Request(presign({ path: "/photos/large" }))],
    [200, new Request(presign({ method: "PUT", path: "/photos/b" }), { method: "PUT", body: "b" })],
    [200, new Request(presignV2("/photos/large"))],
    // Even an invalid signature may be a secret.
    [403, sign({ path: "/photos/large" }, wrong)],
    [403, new Request(presign({ path: "/photos/large" }, wrong))],
    [403, new Request(presignV2("/photos/large", "another-secret"))],
    [403, new Request(`${presign({ path: "/photos/large" })}0`)],
    [400, new Request(presign({ path: "/photos/large" }).replace("-SHA256", "-SHA1"))],
    // With an encoded `?`, the query is part of the key.
    [403, new Request(url.replace("?", "%3F"))],
    [403, new Request(url.replace("?", "%3F").replaceAll("=", "%3D").replaceAll("&", "%26"))],
    // Tokens, keys and passwords in the places where clients put them.
    [400, sign({ path: "/photos/large", headers: sessionToken })],
    [
      400,
      new Request(presign({
        path: "/photos/large",
        query: `X-Amz-Security-Token=${encodeURIComponent(secret("a session token"))}`,
      })),
    ],
    [501, sign({ method: "PUT", path: "/photos/c", headers: customerKey, body: inBody() })],
    [
      400,
      new Request(`${gateway.url}/photos/large`, {
        headers: { authorization: `Basic ${secret("a password of Basic")}` },
      }),
    ],
    [
      400,
      new Request(`${gateway.url}/photos?token=${secret("a bearer token")}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${secret("a bearer token")}`,
          cookie: secret("a cookie"),
          "content-type": "multipart/form-data; boundary=x",
        },
        body: `--x\r\ncontent-disposition: form-data; name="x-amz-signature"\r\n\r\n${
          secret("a body")
        }\r\n--x--`,
      }),
    ],
    [404, sign({ path: "/photos/missing" })],
    [404, sign({ path: "/nosuchbucket/key" })],
    [400, sign({ method: "POST", path: "/photos", query: "delete=", body: inBody() })],
    [204, sign({ method: "DELETE", path: "/photos/large" })],
  ];
  for (const [i, [status, request]] of requests.entries()) {
    strictEqual(await send(request), status, `request ${i}, ${request.method} ${request.url}`);
  }
  await server.kill();
  strictEqual(await send(sign({ path: "/photos/large" })), 503);
  strictEqual(await send(new Request(presign({ path: "/photos/large" }))), 503);

  const spans = await endedSpans(gateway, collector);
  strictEqual(spans.filter(({ kind }) => kind === 2).length, requests.length + 2);
  ok(signatures > 20);
  // The search works: it finds text that the collector did receive.
  ok(collector.bytes.includes("seen-by-the-collector"));
  ok(collector.bytes.includes("/photos/mistyped%3FX-Amz-Algorithm"));
  assertHidden(collector.bytes, secrets);
});

Deno.test("assertHidden() finds a secret however it is spelt", () => {
  const secret = "test/secret+access=key";
  const text = (encoding: "base64" | "base64url" | "hex"): string =>
    Buffer.from(`a: ${secret} and more`).toString(encoding);
  for (
    const shown of [
      secret,
      `?a=${encodeURIComponent(secret)}&b`,
      text("base64"),
      text("base64url"),
      text("hex"),
      Buffer.from(`ab: ${secret} and more`).toString("base64"),
      Buffer.from(`abc: ${secret} and more`).toString("base64"),
    ]
  ) {
    let isFound = false;
    try {
      assertHidden(`x${shown}y`, new Map([["it", secret]]));
    } catch {
      isFound = true;
    }
    ok(isFound, shown);
  }
});

Deno.test("a request is a span, and so is each call of JetStream below it", async () => {
  await using server = await startNatsServer();
  await using collector = new OtlpCollector();
  const flags = ["--natsServers", server.url, "--http.trusted-proxies", "127.0.0.1"];
  await using gateway = await startGateway(flags, {
    env: {
      ...tracedBy(collector),
      OTEL_SERVICE_NAME: "gateway-under-test",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=tests",
      OTEL_EXPORTER_OTLP_HEADERS: "x-collector-key=abc%3D",
    },
  });
  const ask = async (method: string, path: string, body?: Uint8Array<ArrayBuffer>) => {
    const response = await signedFetch(gateway.url + path, PAIR, {
      method,
      ...(body && { body }),
    });
    const bytes = await response.bytes();
    return { status: response.status, id: response.headers.get("x-amz-request-id"), bytes };
  };
  const size = 3 * 1024 * 1024 + 5;
  const large = new Uint8Array(size).fill(7);
  await ask("PUT", "/photos");
  const put = await ask("PUT", "/photos/large", large);
  strictEqual((await ask("GET", "/photos/large")).bytes.length, size);
  strictEqual((await ask("GET", "/photos/missing%20one")).status, 404);
  const forwarded = { "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7" };
  await (await fetch(`${gateway.url}/photos`, { method: "HEAD", headers: forwarded })).body
    ?.cancel();

  const spans = await endedSpans(gateway, collector);
  const byProxy = only(spans, "HEAD");
  strictEqual(byProxy.attributes["url.scheme"], "https");
  strictEqual(byProxy.attributes["client.address"], "192.0.2.7");
  match(collector.bytes, /^POST \/v1\/traces HTTP\/1\.1\r\n/);
  match(collector.bytes, /\r\nx-collector-key: abc=\r\n/i);
  match(collector.bytes, /"service\.name","value":\{"stringValue":"gateway-under-test"\}/);
  match(collector.bytes, /"deployment\.environment\.name","value":\{"stringValue":"tests"\}/);

  const written = only(spans, "PUT PutObject");
  strictEqual(written.kind, 2);
  strictEqual(written.parentSpanId, undefined);
  strictEqual(written.status, undefined);
  const { "user_agent.original": agent, ...attributes } = written.attributes;
  match(agent ?? "", /^Deno/);
  deepStrictEqual(attributes, {
    "http.request.method": "PUT",
    "url.scheme": "http",
    "url.path": "/photos/large",
    "client.address": "127.0.0.1",
    "aws.request_id": put.id,
    "http.response.status_code": "200",
    "http.request.body.size": String(size),
    "aws.s3.bucket": "photos",
    "aws.s3.key": "large",
    "nats_s3.operation": "PutObject",
  });
  const chunks = only(childrenOf(spans, written), "write chunks");
  strictEqual(chunks.kind, 4);
  deepStrictEqual(chunks.attributes, {
    "messaging.system.name": "nats",
    "messaging.operation.name": "publish",
    "messaging.operation.type": "send",
    "messaging.destination.name": "OBJ_photos",
    "messaging.batch.message_count": "25",
    "nats_s3.calls": "25",
    "nats_s3.bytes": String(size),
  });
  strictEqual(only(childrenOf(spans, written), "publish").attributes["rpc.method"], undefined);

  // The response is a stream, which the server pulls outside of the handler.
  const whole = spans.find(({ attributes }) => {
    return attributes["http.response.body.size"] === String(size);
  });
  ok(whole);
  strictEqual(whole.name, "GET GetObject");
  const read = only(childrenOf(spans, whole), "read chunks");
  strictEqual(read.kind, 3);
  strictEqual(read.attributes["messaging.batch.message_count"], "25");
  strictEqual(read.attributes["nats_s3.bytes"], String(size));

  const missing = spans.find(({ attributes }) => attributes["nats_s3.error_code"] === "NoSuchKey");
  strictEqual(missing?.attributes["http.response.status_code"], "404");
  strictEqual(missing.attributes["url.path"], "/photos/missing%20one");
  strictEqual(missing.attributes["aws.s3.key"], "missing one");
  strictEqual(missing.status, undefined); // the client's mistake
  strictEqual(missing.attributes["error.type"], undefined);

  const guide = await Deno.readTextFile(`${import.meta.dirname}/../../docs/tracing.md`);
  for (const name of new Set(spans.flatMap(({ attributes }) => Object.keys(attributes)))) {
    ok(guide.includes(`\`${name}\``), `docs/tracing.md does not mention ${name}`);
  }
  for (const span of spans) {
    match(span.traceId, /^[0-9a-f]{32}$/);
    ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano), JSON.stringify(span));
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
    strictEqual(parent === undefined, span.kind === 2, JSON.stringify(span));
    if (parent === undefined) continue;
    strictEqual(span.traceId, parent.traceId);
    ok(BigInt(span.startTimeUnixNano) >= BigInt(parent.startTimeUnixNano));
  }
});

Deno.test("a request of a thousand calls has a bounded number of spans", async () => {
  await using server = await startNatsServer();
  await using collector = new OtlpCollector();
  await using gateway = await startGateway(["--natsServers", server.url], {
    env: tracedBy(collector),
  });
  await (await signedFetch(`${gateway.url}/photos`, PAIR, { method: "PUT" })).arrayBuffer();
  const objects = Array.from({ length: 300 }, (_, i) => `<Object><Key>k${i}</Key></Object>`);
  for (let i = 0; i < 300; i += 50) {
    await Promise.all(Array.from({ length: 50 }, async (_, j) => {
      const url = `${gateway.url}/photos/k${i + j}`;
      await (await signedFetch(url, PAIR, { method: "PUT", body: "x" })).arrayBuffer();
    }));
  }
  const list = new TextEncoder().encode(`<Delete>${objects.join("")}</Delete>`);
  const headers = { "content-md5": createHash("md5").update(list).digest("base64") };
  const body = ReadableStream.from([list]);
  const asked = { method: "POST", path: "/photos", query: "delete=", headers, body };
  strictEqual(await send(signedRequest(gateway.url, asked)), 200);
  const spans = await endedSpans(gateway, collector);
  const children = childrenOf(spans, only(spans, "POST DeleteObjects"));
  ok(children.length > 64 && children.length < 80, `${children.length} spans`);
  const calls = children.reduce((sum, { attributes }) => {
    return sum + Number(attributes["nats_s3.calls"] ?? 1);
  }, 0);
  ok(calls >= 300, `${calls} calls`);
});

Deno.test("JetStream's failures show in the spans of a request", async () => {
  await using server = await startNatsServer();
  await using collector = new OtlpCollector();
  await using gateway = await startGateway(["--natsServers", server.url], {
    env: tracedBy(collector),
  });
  await (await signedFetch(`${gateway.url}/photos`, PAIR, { method: "PUT" })).arrayBuffer();
  await server.kill();
  await gateway.waitFor(/Lost the connection to NATS/);
  const response = await signedFetch(`${gateway.url}/photos/key`, PAIR, {
    method: "PUT",
    body: "x",
  });
  strictEqual(response.status, 503, await response.text());
  const spans = await endedSpans(gateway, collector);
  const failed = only(spans, "PUT PutObject");
  strictEqual(failed.status?.code, 2);
  strictEqual(failed.attributes["error.type"], "ServiceUnavailable");
  strictEqual(failed.attributes["nats_s3.error_code"], "ServiceUnavailable");
  const calls = childrenOf(spans, failed).filter(({ status }) => status?.code === 2);
  ok(calls.length > 0);
  for (const { attributes } of calls) strictEqual(attributes["error.type"], "not_connected");
  // The log line with the reason carries the id that finds the trace.
  ok(
    gateway.output.split("\n").some((line) => {
      return line.includes("msg=Failed") && line.includes(`trace=${failed.traceId}`);
    }),
  );
});

Deno.test("a request belongs to the trace that its sender names", async () => {
  await using server = await startNatsServer();
  await using collector = new OtlpCollector();
  await using gateway = await startGateway(["--natsServers", server.url], {
    env: tracedBy(collector),
  });
  const ask = async (key: string, headers: Record<string, string>): Promise<void> => {
    strictEqual(await send(new Request(`${gateway.url}/photos/${key}`, { headers })), 404);
  };
  await ask("kept", { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: "vendor=value" });
  await ask("not-kept", { traceparent: `00-${TRACE}-${SPAN}-00` });
  await ask("malformed", { traceparent: `00-${TRACE}-${SPAN}`, tracestate: "vendor=value" });
  const spans = spansOfRequests(await endedSpans(gateway, collector));
  deepStrictEqual(spans.map(({ attributes }) => attributes["aws.s3.key"]), ["kept", "malformed"]);
  const [kept, malformed] = spans;
  strictEqual(kept?.traceId, TRACE);
  strictEqual(kept.parentSpanId, SPAN);
  strictEqual(kept.traceState, "vendor=value");
  ok(malformed?.traceId !== TRACE);
  strictEqual(malformed?.parentSpanId, undefined);
  strictEqual(malformed?.traceState, undefined);
});

Deno.test("samplers and switches decide what is sent", async () => {
  await using server = await startNatsServer();
  for (
    const [expected, env] of [
      [[], { OTEL_TRACES_SAMPLER: "parentbased_always_off" }],
      [["named"], { OTEL_TRACES_SAMPLER: "parentbased_always_off" }],
      [["plain", "not-kept"], { OTEL_TRACES_SAMPLER: "always_on" }],
      [[], { OTEL_TRACES_EXPORTER: "none" }],
      [[], { OTEL_SDK_DISABLED: "true" }],
    ] as const
  ) {
    await using collector = new OtlpCollector();
    await using gateway = await startGateway(["--natsServers", server.url], {
      env: { ...tracedBy(collector), ...env },
    });
    const flags = { plain: undefined, named: "01", "not-kept": "00" } as const;
    const asked = expected.length === 0 ? ["plain", "not-kept"] : expected;
    for (const key of asked as readonly (keyof typeof flags)[]) {
      const flag = flags[key];
      const headers = flag && { traceparent: `00-${TRACE}-${SPAN}-${flag}` };
      await send(new Request(`${gateway.url}/photos/${key}`, { headers: headers ?? {} }));
    }
    const spans = spansOfRequests(await endedSpans(gateway, collector));
    const keys = spans.map(({ attributes }) => attributes["aws.s3.key"]);
    deepStrictEqual(keys, [...expected], JSON.stringify(env));
  }
});

for (const manner of ["hangs", "drips", 500, 429, 302, "refuses"] as const) {
  Deno.test(
    `a collector that ${typeof manner === "number" ? `answers ${manner}` : manner} holds nobody up`,
    async () => {
      await using server = await startNatsServer();
      await using collector = new OtlpCollector();
      if (manner !== "refuses") collector.manner = manner;
      const endpoint = manner === "refuses" ? `http://127.0.0.1:${freePort()}` : collector.url;
      await using gateway = await startGateway(["--natsServers", server.url], {
        env: {
          ...CREDENTIALS,
          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/v1/traces?key=key-of-the-collector`,
        },
      });
      const [, adminPort] = await gateway.waitFor(/health and metrics.*port=(\d+)/);
      const ask = async (): Promise<void> => {
        strictEqual(await send(new Request(`${gateway.url}/`)), 403);
      };
      let asked = 0;
      const askMany = async (count: number): Promise<void> => {
        for (const end = asked + count; asked < end; asked += 30) {
          await Promise.all(Array.from({ length: 30 }, ask));
        }
      };
      // One span per request: more than a batch and a full queue.
      await askMany(3000);
      const read = async (): Promise<Record<string, number>> => {
        const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
        const found = text.matchAll(/^nats_s3_spans_total\{result="(\w+)"\} (\d+)$/gm);
        return Object.fromEntries(
          [...found].map(([, result = "", count]) => [result, Number(count)]),
        );
      };
      // On a slow machine, the collector has refused more batches meanwhile, and the queue is not full yet.
      while (manner !== "drips" && asked < 12_000 && !((await read())["dropped"] ?? 0)) {
        await askMany(300);
      }
      const { exported = 0, dropped = 0, failed = 0 } = await read();
      if (manner === "drips") {
        ok(exported >= 2048 && failed === 0 && dropped === 0, JSON.stringify(await read()));
      } else if (manner === "hangs") {
        // One batch is in flight, or was given up, and four are waiting.
        strictEqual(exported, 0);
        ok(failed + dropped >= 440 && dropped > 0, JSON.stringify(await read()));
      } else {
        strictEqual(exported, 0);
        ok(failed >= 512 && dropped > 0 && failed + dropped <= asked, JSON.stringify(await read()));
        match(
          gateway.output,
          manner === "refuses"
            ? /The collector does not accept spans.*Connection refused/
            : /The collector does not accept spans/,
        );
      }
      await ask();
      const { code } = await gateway.stop();
      strictEqual(code, 0, gateway.output);
      ok(!gateway.output.includes("key-of-the-collector"), gateway.output);
    },
  );
}

Deno.test("OtlpExporter holds a bounded number of bytes, and ends though the collector hangs", async () => {
  await using collector = new OtlpCollector();
  collector.manner = "hangs";
  const warnings: string[] = [];
  const exporter = new OtlpExporter({
    url: collector.url,
    headers: {},
    resource: {},
    version: "0",
    log: { warn: (message) => void warnings.push(message) },
    delay: 1,
    timeout: 600_000, // disposing does not wait for it
  });
  const name = "x".repeat(100_000);
  const span: Span = {
    traceId: TRACE,
    spanId: SPAN,
    parentId: undefined,
    isParentRemote: false,
    state: undefined,
    name: "a",
    kind: 2,
    began: 0,
    ended: 1,
    attributes: { name },
    failure: undefined,
  };
  exporter.add(span);
  await collector.received(1);
  ok(!collector.bytes.includes("x".repeat(1025)) && collector.bytes.includes("x".repeat(1024)));
  for (let i = 0; i < 10; i++) exporter.add({ ...span, name });
  deepStrictEqual(exporter.counts, { exported: 0, dropped: 0, failed: 0 });
  for (let i = 0; i < 100; i++) exporter.add({ ...span, name });
  // The queue holds 4 MiB, and the span that exceeded the limit.
  strictEqual(exporter.counts.dropped, 110 - 42);
  await exporter[Symbol.asyncDispose]();
  deepStrictEqual(exporter.counts, { exported: 0, dropped: 68, failed: 43 });
  exporter.add(span);
  strictEqual(exporter.counts.dropped, 69);
  strictEqual(warnings.length, 1);
});

Deno.test("OtlpExporter sends again once the collector is back", async () => {
  await using collector = new OtlpCollector();
  collector.manner = 503;
  await using exporter = new OtlpExporter({
    url: collector.url,
    headers: {},
    resource: {},
    version: "0",
    log: { warn() {} },
    delay: 1,
  });
  const add = (): void =>
    exporter.add({
      traceId: TRACE,
      spanId: SPAN,
      parentId: undefined,
      isParentRemote: true,
      state: undefined,
      name: "a",
      kind: 2,
      began: 1_700_000_000_000.25,
      ended: 1_700_000_000_001,
      attributes: { lone: "\ud800".padStart(2000, "é"), count: 5, none: undefined },
      failure: "SlowDown",
    });
  add();
  await collector.received(1);
  collector.manner = 200;
  add();
  await collector.received(2);
  const [, span] = collector.spans;
  strictEqual(span?.startTimeUnixNano, "1700000000000250000");
  strictEqual(span.endTimeUnixNano, "1700000000001000000");
  deepStrictEqual(span.attributes, {
    lone: "é".repeat(1024),
    count: "5",
    "error.type": "SlowDown",
  });
});

Deno.test("the gateway refuses to serve where Deno's own spans would show signatures", async () => {
  await using command = startCommand(["run", ...PERMISSIONS, "main.ts"], {
    env: { ...CREDENTIALS, OTEL_DENO: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
  });
  const { code } = await command.ended();
  strictEqual(code, 2);
  match(command.output, /Cannot serve with OTEL_DENO=true/);
});
