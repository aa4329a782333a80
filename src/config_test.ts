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
const PEM = "-----BEGIN CERTIFICATE-----";

Deno.test("createConfig() makes the NATS user and password the S3 access and secret key", () => {
  const config = configure(PAIR);
  deepStrictEqual(config.credentials.secretsOf("ann"), ["secret"]);
  strictEqual(config.defaultOwner, "ann");
  deepStrictEqual(config.nats.login, { kind: "user", user: "ann", password: "secret" });
});

Deno.test("createConfig() lets S3 credentials take the place of the NATS pair", () => {
  const config = configure(PAIR, CREDENTIALS);
  deepStrictEqual(config.credentials.secretsOf("a"), ["b"]);
  deepStrictEqual(config.credentials.secretsOf("ann"), []);
  strictEqual(config.nats.login.kind, "user");
});

Deno.test("createConfig() refuses to go without credentials", () => {
  throws(() => configure([]), /There are no S3 credentials/);
  throws(() => configure(["--natsToken", "t"]), /There are no S3 credentials/);
  throws(() => configure(["--natsUser", "ann"], CREDENTIALS), /without --natsPassword/);
});

Deno.test("createConfig() refuses what contradicts itself", () => {
  throws(() => configure([...PAIR, "--natsToken", "t"]), /both --natsUser and --natsToken/);
  throws(
    () => configure([...PAIR, "--nats.js-domain", "hub", "--nats.api-prefix", "JS.x"]),
    /both --nats.js-domain and --nats.api-prefix/,
  );
  throws(() => configure(PAIR, { NATS_S3_NATS_TLS_CERT: PEM }), /without --nats.tls-key/);
});

Deno.test("createConfig() has the documented defaults", () => {
  const { credentials: _, ...others } = configure(PAIR);
  deepStrictEqual(others, {
    listen: { hostname: "0.0.0.0", port: 5222 },
    sharesPort: false,
    admin: { hostname: "127.0.0.1", port: 5223 },
    nats: {
      servers: ["nats://127.0.0.1:4222"],
      login: { kind: "user", user: "ann", password: "secret" },
      tls: undefined,
      apiPrefix: "$JS.API",
      inboxPrefix: "_INBOX",
      service: "on",
    },
    bucket: { replicas: 1, storage: "file", compression: "none", quota: undefined },
    grace: 60_000,
    sweep: { interval: 3_600_000, minAge: 86_400_000, uploadExpiry: 604_800_000 },
    indexMemory: 1024 ** 3,
    nativeLayout: "background",
    dryRun: false,
    limits: { stall: 60_000, requests: 1000, rate: "off" },
    drain: { delay: 1000, timeout: 25_000 },
    defaultOwner: "ann",
    region: "us-east-1",
    domains: [],
    clockSkew: 300_000,
    sigv2: "presigned",
    encryptionAtRest: false,
    log: { format: "text", level: "info" },
    tracing: undefined,
  });
});

Deno.test("createConfig() works out the prefix of the JetStream API", () => {
  strictEqual(configure([...PAIR, "--nats.js-domain", "hub"]).nats.apiPrefix, "$JS.hub.API");
  strictEqual(configure([...PAIR, "--nats.api-prefix", "JS.x"]).nats.apiPrefix, "JS.x");
});

Deno.test("createConfig() returns something frozen throughout", () => {
  const config = configure(PAIR);
  ok(Object.isFrozen(config) && Object.isFrozen(config.nats) && Object.isFrozen(config.nats.login));
});
