import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { parseInvocation } from "./command_line.ts";
import { type Config, createConfig } from "./config.ts";

function configure(args: readonly string[], env: Record<string, string> = {}): Config {
  const invocation = parseInvocation({ args, env, readTextFile: () => "" });
  if (invocation.kind !== "run") throw new TypeError(`It is ${invocation.kind}`);
  return createConfig(invocation.values);
}

const PAIR = ["--natsUser", "ann", "--natsPassword", "secret"] as const;
const CREDENTIALS = {
  NATS_S3_CREDENTIALS: '{"credentials":[{"accessKey":"a","secretKey":"b"}]}',
};

/** Reads a PEM file of the fixtures. */
function pem(name: string): string {
  return Deno.readTextFileSync(`${import.meta.dirname}/../../tests/fixtures/tls/${name}.pem`);
}

Deno.test("createConfig() makes the NATS user and password the S3 access and secret key", () => {
  const config = configure(PAIR);
  deepStrictEqual(config.credentials.find("ann")?.secrets, ["secret"]);
  strictEqual(config.defaultOwner, "ann");
  deepStrictEqual(config.nats.login, { kind: "user", user: "ann", password: "secret" });
});

Deno.test("createConfig() lets S3 credentials take the place of the NATS pair", () => {
  const config = configure(PAIR, CREDENTIALS);
  deepStrictEqual(config.credentials.find("a")?.secrets, ["b"]);
  strictEqual(config.credentials.find("ann"), undefined);
  strictEqual(config.nats.login.kind, "user");
});

Deno.test("createConfig() refuses to go without credentials", () => {
  throws(() => configure([]), /There are no S3 credentials/);
  throws(() => configure(["--natsToken", "t"]), /There are no S3 credentials/);
  throws(() => configure(["--natsUser", "ann"], CREDENTIALS), /without --natsPassword/);
});

Deno.test("createConfig() refuses to isolate accounts that nobody administers", () => {
  const document = (entry: object): Record<string, string> => ({
    NATS_S3_CREDENTIALS: JSON.stringify({
      credentials: [{ accessKey: "a", secretKey: "b", ...entry }],
    }),
  });
  const on = ["--users.isolation", "on"];
  throws(() => configure([], document({ user: "u" })), /No access key belongs to an administrator/);
  throws(() => configure(on, document({})), /No access key belongs to an administrator/);
  strictEqual(configure([], document({})).credentials.isIsolated, false);
  strictEqual(configure([], document({ admin: true })).credentials.isIsolated, true);
  strictEqual(configure([...PAIR, ...on]).credentials.isIsolated, true);
});

Deno.test("createConfig() refuses what contradicts itself", () => {
  throws(() => configure([...PAIR, "--natsToken", "t"]), /both --natsUser and --natsToken/);
  throws(
    () => configure([...PAIR, "--nats.js-domain", "hub", "--nats.api-prefix", "JS.x"]),
    /both --nats.js-domain and --nats.api-prefix/,
  );
  throws(() => configure(PAIR, { NATS_S3_TLS_KEY: pem("server-key") }), /--tls.cert without/);
  const cert = { NATS_S3_NATS_TLS_CERT: pem("client") };
  throws(() => configure(PAIR, cert), /without --nats.tls-key/);
  throws(
    () => configure(PAIR, { ...cert, NATS_S3_NATS_TLS_KEY: pem("server-key") }),
    /Cannot use --nats.tls-key: it is the key of another certificate than --nats.tls-cert/,
  );
});

Deno.test("createConfig() has the documented defaults", () => {
  const { credentials: _, ...others } = configure(PAIR);
  deepStrictEqual(others, {
    listen: { hostname: "0.0.0.0", port: 5222 },
    sharesPort: false,
    tls: undefined,
    admin: { hostname: "127.0.0.1", port: 5223 },
    nats: {
      servers: ["nats://127.0.0.1:4222"],
      login: { kind: "user", user: "ann", password: "secret" },
      tls: undefined,
      apiPrefix: "$JS.API",
      inboxPrefix: "_INBOX",
      service: "on",
    },
    bucket: { replicas: 1, storage: "file", compression: "none", placements: [], quota: undefined },
    grace: 60_000,
    lifecycle: { day: 86_400_000 },
    sweep: { interval: 3_600_000, minAge: 86_400_000, uploadExpiry: 604_800_000 },
    indexMemory: 1024 ** 3,
    nativeLayout: "background",
    dryRun: false,
    limits: { stall: 60_000, requests: 1000, rate: "off", share: 0.5 },
    drain: { delay: 1000, timeout: 25_000 },
    account: "000000000000",
    users: { sealing: undefined, plaintext: false, passphrase: undefined },
    defaultOwner: "ann",
    region: "us-east-1",
    domains: [],
    website: { domains: [], listen: "off" },
    trustedProxies: [],
    minioHealth: false,
    clockSkew: 300_000,
    sigv2: "presigned",
    encryptionAtRest: false,
    ignoresAcls: false,
    blocksNewBuckets: false,
    checksumDefault: "CRC64NVME",
    cors: undefined,
    log: { format: "text", level: "info", requests: "all" },
    audit: { subject: undefined },
    tracing: undefined,
  });
});

Deno.test("createConfig() demands TLS of NATS for each of its settings", () => {
  const [ca, cert, key] = [pem("ca"), pem("client"), pem("client-key")];
  for (
    const [env, tls] of [
      [{ NATS_S3_NATS_TLS_CA: ca }, { ca }],
      [{ NATS_S3_NATS_TLS_CERT: cert, NATS_S3_NATS_TLS_KEY: key }, { cert, key }],
      [{ NATS_S3_NATS_TLS_FIRST: "true" }, { handshakeFirst: true }],
    ] as const
  ) deepStrictEqual(configure(PAIR, env).nats.tls, tls);
});

Deno.test("createConfig() works out the prefix of the JetStream API", () => {
  strictEqual(configure([...PAIR, "--nats.js-domain", "hub"]).nats.apiPrefix, "$JS.hub.API");
  strictEqual(configure([...PAIR, "--nats.api-prefix", "JS.x"]).nats.apiPrefix, "JS.x");
});

Deno.test("createConfig() returns something frozen throughout", () => {
  const config = configure(PAIR);
  ok(Object.isFrozen(config) && Object.isFrozen(config.nats) && Object.isFrozen(config.nats.login));
});

const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" };

Deno.test("createConfig() traces where OpenTelemetry's variables name a collector", () => {
  deepStrictEqual(configure(PAIR, COLLECTOR).tracing, {
    url: "http://collector:4318/v1/traces",
    headers: {},
    resource: { "service.name": "nats-s3" },
    sampler: { followsParent: true, ratio: 1 },
  });
  const { tracing } = configure(PAIR, {
    ...COLLECTOR,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces/in?key=k",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc%3D, x-tenant=a",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=other,deployment.environment.name=prod%2C",
    OTEL_SERVICE_NAME: "gateway",
    OTEL_TRACES_SAMPLER: "traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.01",
  });
  deepStrictEqual(tracing, {
    url: "https://traces/in?key=k",
    headers: { authorization: "Bearer abc=", "x-tenant": "a" },
    resource: { "service.name": "gateway", "deployment.environment.name": "prod," },
    sampler: { followsParent: false, ratio: 0.01 },
  });
  strictEqual(
    configure(PAIR, { OTEL_TRACES_EXPORTER: "otlp" }).tracing?.url,
    "http://localhost:4318/v1/traces",
  );
});

Deno.test("createConfig() traces nothing where nothing would be kept", () => {
  const off = [
    ["OTEL_SDK_DISABLED", "true"],
    ["OTEL_TRACES_EXPORTER", "none"],
    ["OTEL_TRACES_SAMPLER", "always_off"],
  ] as const;
  for (const [name, value] of off) {
    strictEqual(configure(PAIR, { ...COLLECTOR, [name]: value }).tracing, undefined, name);
  }
  // Traces that other processes sample are still kept.
  const sampler = { ...COLLECTOR, OTEL_TRACES_SAMPLER: "parentbased_always_off" };
  deepStrictEqual(configure(PAIR, sampler).tracing?.sampler, { followsParent: true, ratio: 0 });
});

Deno.test("createConfig() refuses variables of OpenTelemetry that make no sense, and shows no key", () => {
  for (
    const [name, value, reason] of [
      ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", /it is not http:\/\/HOST:PORT/],
      ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://ann:secret@collector", /without user and password/],
      ["OTEL_EXPORTER_OTLP_HEADERS", "secret", /it is not NAME=VALUE/],
      ["OTEL_EXPORTER_OTLP_HEADERS", "a=%secret", /it has a % that does not begin/],
      ["OTEL_EXPORTER_OTLP_HEADERS", "a b=secret", /not an HTTP header/],
      ["OTEL_TRACES_EXPORTER", "zipkin", /not one of otlp, none/],
      ["OTEL_TRACES_SAMPLER", "jaeger_remote", /not one of always_on/],
      ["OTEL_TRACES_SAMPLER_ARG", "2", /not a number from 0 to 1/],
    ] as const
  ) {
    throws(() => configure(PAIR, { [name]: value }), (error: Error) => {
      ok(error.message.startsWith(`Cannot use ${name}`) && reason.test(error.message));
      return !error.message.includes("secret");
    });
  }
});
