import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { parseInvocation, type Sources } from "./command_line.ts";
import { refuseRuntimeSpans } from "./runtime_spans.ts";
import type { Values } from "./settings.ts";

function read(args: readonly string[], sources: Partial<Sources> = {}): Values {
  const invocation = parseInvocation({
    args,
    env: {},
    readTextFile: (path) => {
      throw new Error(`No such file: ${path}`);
    },
    ...sources,
  });
  if (invocation.kind !== "run") throw new TypeError(`It is ${invocation.kind}`);
  return invocation.values;
}

const SEED = `SU${"A".repeat(56)}`;
const CREDENTIALS = '{"credentials":[{"accessKey":"a","secretKey":"b"}]}';
const TLS = `${import.meta.dirname}/../../tests/fixtures/tls`;
const PEM = Deno.readTextFileSync(`${TLS}/ca.pem`);

Deno.test("parseInvocation() reads flags in every spelling of Go's flag package", () => {
  for (
    const args of [
      ["--listen", "127.0.0.1:80"],
      ["--listen=127.0.0.1:80"],
      ["-listen", "127.0.0.1:80"],
      ["-listen=127.0.0.1:80"],
      ["serve", "-listen=127.0.0.1:80"],
      ["--listen", ":1", "--listen", "127.0.0.1:80"],
    ]
  ) deepStrictEqual(read(args).listen, { hostname: "127.0.0.1", port: 80 }, args.join(" "));
  strictEqual(read(["--natsPassword=a=b"]).password, "a=b");
  strictEqual(read(["--natsPassword", "-x"]).password, "-x");
});

Deno.test("parseInvocation() reads a flag without value as on", () => {
  strictEqual(read([]).encryptionAtRest, false);
  strictEqual(read(["--encryption.at-rest", "--replicas", "3"]).encryptionAtRest, true);
  strictEqual(read(["--encryption.at-rest=false"]).encryptionAtRest, false);
});

Deno.test("parseInvocation() tells the commands apart", () => {
  const sources = { env: {}, readTextFile: () => "" };
  const command = (...args: string[]): unknown => {
    const invocation = parseInvocation({ args, ...sources });
    return invocation.kind === "run" ? invocation.command : invocation.kind;
  };
  strictEqual(command(), "serve");
  strictEqual(command("serve"), "serve");
  strictEqual(command("health", "--listen", ":1"), "health");
  for (const help of ["--help", "-h", "-help"]) strictEqual(command(help), "help");
  strictEqual(command("health", "--help"), "help");
  strictEqual(command("buckets", "list"), "buckets");
  for (const version of ["--version", "-v"]) strictEqual(command(version), "version");
});

Deno.test("parseInvocation() reads the operands and the flags of a command that has some", () => {
  const sources = { env: {}, readTextFile: () => "" };
  for (
    const args of [
      ["buckets", "show", "photos", "--json", "--natsUser", "ann"],
      ["buckets", "--json", "show", "photos", "--natsUser=ann"],
      ["buckets", "--natsUser", "ann", "show", "--json", "photos"],
    ]
  ) {
    const invocation = parseInvocation({ args, ...sources });
    if (invocation.kind !== "run") throw new TypeError(invocation.kind);
    deepStrictEqual(invocation.operands, ["show", "photos"], args.join(" "));
    deepStrictEqual([...invocation.flags], [["json", "true"]]);
    strictEqual(invocation.values.user, "ann");
  }
  for (
    const [args, reason] of [
      [["buckets", "list", "--jsonn"], /Unknown flag "--jsonn"/],
      [["buckets", "list", "-"], /Unexpected argument "-"/],
      [["sweep", "--json"], /Unknown flag "--json"/],
      [["sweep", "photos"], /Unexpected argument "photos"/],
      [["buckets", "--natsPassword", "correct", "horse"], /Unexpected argument 3, which is not/],
    ] as const
  ) throws(() => parseInvocation({ args, ...sources }), { message: reason }, args.join(" "));
});

Deno.test("parseInvocation() refuses what is unknown or malformed, with the reason", () => {
  for (
    const [args, reason] of [
      [["sarve"], /Unknown command "sarve": the commands are serve, sweep, health, buckets/],
      [["--nosuch"], /Unknown flag "--nosuch"/],
      [["--Listen=:1"], /Unknown flag "--Listen"/],
      [["--toString=1"], /Unknown flag "--toString"/],
      [["serve", "extra"], /Unexpected argument "extra"/],
      [["--"], /Unexpected argument "--"/],
      [["--listen"], /"--listen" needs a value: --listen HOST:PORT/],
      [["--listen", "5222"], /--listen "5222": it is not HOST:PORT/],
      [["--listen", ":70000"], /not HOST:PORT/],
      [["--users.account", "12345678901"], /"12345678901": it is not a number of 12 digits/],
      [["--replicas", "7"], /--replicas "7": it is not between 1 and 5/],
      [["--natsServers", "http://a"], /"http:\/\/a" does not begin with nats:/],
      [["--natsServers", "nats://a,ws://b"], /mixes/],
      [["--natsServers", ","], /empty/],
      [["--log.level", "loud"], /not one of debug, info, warn, error/],
      [["--auth.clock-skew", "16m"], /more than 15m/],
      [["--trash.grace", "900ms"], /less than 1s/],
      [["--bucket.quota", "ten"], /not a number of bytes/],
      [["--limit.requests", "0"], /not a number above 0/],
      [["--limit.stall", "1ms"], /less than 100ms/],
      [["--auth.clock-skew", "5"], /not a duration/],
      [["--auth.sigv2", "yes"], /not one of off, presigned, on/],
      [["--encryption.at-rest=maybe"], /neither true nor false/],
      [["--http.domain", "a.example:80"], /host name without port/],
      [
        ["--http.trusted-proxies", "10.0.0.0/8,lb.example"],
        /"lb.example" is neither an IP address/,
      ],
      [["--nats.inbox-prefix", "_INBOX.>"], /without wildcards/],
      [["--nats.js-domain", "a.b"], /one token/],
      [["--s3.credentials", "/nowhere"], /Cannot read --s3.credentials "\/nowhere": No such file/],
    ] as const
  ) throws(() => read(args), { message: reason }, args.join(" "));
});

Deno.test("parseInvocation() never repeats a secret in a message", () => {
  for (
    const [args, env] of [
      [["--natsServers", "nats://bob:hunter2@a"], {}],
      [["--natsServers", "http://bob:hunter2@a"], {}],
      [[], { NATS_S3_CREDENTIALS: '{"hunter2' }],
      [[], { NATS_S3_NATS_NKEY: "hunter2" }],
      [[], { NATS_S3_NATS_CREDS: "hunter2" }],
      [[], { NATS_S3_NATS_TLS_KEY: "-----BEGIN PRIVATE KEY-----\nhunter2" }],
      [[], { NATS_S3_NATS_TLS_CERT: "-----BEGIN PRIVATE KEY-----\nhunter2" }],
      // A secret in the place of its file's path, or in a wrong place.
      [["--s3.credentials", '{"credentials":[{"secretKey":"hunter2"}]}'], {}],
      [[], { NATS_S3_CREDENTIALS_FILE: '{"secretKey":"hunter2"}' }],
      [["--natsNKeyFile", `SUA${"A".repeat(48)}hunter2`], {}],
      [[], { NATS_S3_NATS_NKEY_FILE: `SUA${"A".repeat(48)}hunter2` }],
      [["--tls.key", "-----BEGIN PRIVATE KEY-----\nhunter2"], {}],
      [["--natsPassword", "correct", "hunter2"], {}],
      [["--natsPassword", "correct", "-hunter2"], {}],
      [["--natsPassword=correct", "hunter2"], {}],
      [["buckets", "--natsPassword", "correct", "hunter2"], {}],
      [["--natsUser", "--natsPassword", "hunter2"], {}],
      [["--natsUser", "--natsPassword", "-hunter2"], {}],
      [["--listen", "--natsPassword", "hunter2"], {}],
      [["--natsPassword", "a", "--listen", ":1", "hunter2"], {}],
      [["--s3.credentials", "a", "hunter2"], {}],
      [["--listen", "nats://bob:hunter2,x@a"], {}],
      [["--listen", "nats://bob:x,hunter2@a"], {}],
      [["--listen", "bob:hunter2@a"], {}],
      [[], { NATS_S3_NATS_NKEY_FILE: "hunter2" }],
      [["--tls.key", "hunter2"], {}],
      [['{"secretKey":"hunter2"}'], {}],
      [["--listen", '{"secretKey":"hunter2"}'], {}],
      [["--http.domain", "nats://bob:hunter2@a"], {}],
      [["--http.trusted-proxies", "nats://bob:hunter2@a"], {}],
      [[], { OTEL_EXPORTER_OTLP_ENDPOINT: "ftp://bob:hunter2@a" }],
    ] as const
  ) {
    const readTextFile = (path: string): string => {
      throw new Deno.errors.NotFound(`No such file or directory: readfile '${path}'`);
    };
    throws(() => read(args, { env, readTextFile }), (cause) => {
      strictEqual(String(cause).includes("hunter2"), false, String(cause));
      return true;
    });
  }
});

Deno.test("parseInvocation() takes each setting from its variable, and the flag before it", () => {
  const env = {
    NATS_S3_LISTEN: ":1",
    NATS_S3_NATS_SERVERS: "nats://a, b:1",
    NATS_S3_NATS_JS_DOMAIN: "hub",
    NATS_S3_ENCRYPTION_AT_REST: "true",
    NATS_S3_S3_REGION: "eu-west-1",
    NATS_S3_LOG_LEVEL: "",
  };
  const values = read(["--listen", ":2"], { env });
  strictEqual(values.listen?.port, 2);
  deepStrictEqual(values.servers, ["nats://a", "nats://b:1"]);
  strictEqual(values.domain, "hub");
  strictEqual(values.encryptionAtRest, true);
  strictEqual(values.region, "eu-west-1");
  strictEqual(read(["--s3.region", "*"]).region, "*");
  strictEqual(values.logLevel, "info");
});

Deno.test("parseInvocation() takes secrets as files and as text", () => {
  const files: Record<string, string> = { seed: `${SEED}\n`, json: CREDENTIALS, pem: PEM };
  const readTextFile = (path: string): string => files[path] ?? "";
  const from = (args: string[], env: Record<string, string> = {}): Values =>
    read(args, { env, readTextFile });

  strictEqual(from(["--natsNKeyFile", "seed"]).nkey, SEED);
  strictEqual(from([], { NATS_S3_NATS_NKEY_FILE: "seed" }).nkey, SEED);
  strictEqual(from([], { NATS_S3_NATS_NKEY: SEED }).nkey, SEED);
  for (
    const values of [
      from(["--s3.credentials", "json"]),
      from([], { NATS_S3_CREDENTIALS_FILE: "json" }),
      from([], { NATS_S3_CREDENTIALS: CREDENTIALS }),
    ]
  ) deepStrictEqual(values.credentials?.keys.map(({ secrets }) => secrets), [["b"]]);
  strictEqual(from(["--nats.tls-ca", "pem"]).tlsCa, PEM);
  strictEqual(from([], { NATS_S3_NATS_TLS_CA: "pem" }).tlsCa, PEM);
  strictEqual(from([], { NATS_S3_NATS_TLS_CA: PEM }).tlsCa, PEM);
  throws(
    () => from([], { NATS_S3_CREDENTIALS: CREDENTIALS, NATS_S3_CREDENTIALS_FILE: "json" }),
    /Cannot use both NATS_S3_CREDENTIALS_FILE and NATS_S3_CREDENTIALS/,
  );
});

Deno.test("parseInvocation() says what permission a file needs", () => {
  const readTextFile = (): string => {
    throw new Deno.errors.NotCapable("Requires read access");
  };
  throws(() => read(["--s3.credentials", "/etc/c.json"], { readTextFile }), {
    message: /--allow-read=\/etc\/c\.json, or put the text in the environment/,
  });
});

Deno.test("parseInvocation() says which source of S3 credentials is broken", () => {
  throws(
    () => read([], { env: { NATS_S3_CREDENTIALS: '{"credentials":[]}' } }),
    /Cannot use NATS_S3_CREDENTIALS: .*the list is empty/,
  );
});

Deno.test("refuseRuntimeSpans() refuses only what would show signatures", () => {
  for (const OTEL_DENO of ["true", "TRUE"]) {
    throws(() => refuseRuntimeSpans({ OTEL_DENO }), /with the signatures of presigned requests/);
    // OTEL_TRACES_EXPORTER does not help, because the runtime does not read it.
    throws(() => refuseRuntimeSpans({ OTEL_DENO, OTEL_TRACES_EXPORTER: "none" }), /Cannot serve/);
    refuseRuntimeSpans({ OTEL_DENO, OTEL_TRACES_SAMPLER: "always_off" });
    refuseRuntimeSpans({ OTEL_DENO, OTEL_SDK_DISABLED: "true" });
  }
  refuseRuntimeSpans({ OTEL_DENO: "false" });
  refuseRuntimeSpans({ OTEL_DENO: "1" }); // the runtime accepts only "true"
  refuseRuntimeSpans({});
});

Deno.test("parseInvocation() refuses variables that are not settings, except those of Kubernetes and dev", () => {
  const of = (mode: Record<string, string>, ...names: string[]): readonly string[] => {
    const value = (name: string): string =>
      name.endsWith("_HOST") || name.endsWith("_ADDR")
        ? "10.0.0.1"
        : /_PORT(?:_\d+_TCP)?$/.test(name) && !name.includes("SERVICE") && !/TCP_PORT$/.test(name)
        ? "tcp://10.0.0.1:5222"
        : name.endsWith("_PROTO")
        ? "tcp"
        : "5222";
    const env = { ...mode, ...Object.fromEntries(names.map((name) => [name, value(name)])) };
    const invocation = parseInvocation({ args: [], env, readTextFile: () => "" });
    return invocation.kind === "run" ? invocation.unknown : [];
  };
  throws(() => of({}, "NATS_S3_AUTH_SIGV2S"), {
    message: "Unknown variable NATS_S3_AUTH_SIGV2S: --config.unknown warn ignores it",
  });
  throws(() => of({}, "NATS_S3_PORT_80", "NATS_S3_B"), /NATS_S3_B, NATS_S3_PORT_80/);
  // The name of a variable of Kubernetes, but not its value.
  throws(() => of({ NATS_S3_LISTEN_PORT: "80" }), /Unknown variable NATS_S3_LISTEN_PORT/);
  const warn = { NATS_S3_CONFIG_UNKNOWN: "warn" };
  deepStrictEqual(of(warn, "NATS_S3_B", "NATS_S3_A", "HOME"), ["NATS_S3_A", "NATS_S3_B"]);
  deepStrictEqual(
    of(
      {},
      ...["NATS_S3_SERVICE_HOST", "NATS_S3_SERVICE_PORT", "NATS_S3_SERVICE_PORT_S3"],
      ...["NATS_S3_PORT", "NATS_S3_PORT_5222_TCP", "NATS_S3_PORT_5222_TCP_ADDR"],
      ...["NATS_S3_PORT_5222_TCP_PORT", "NATS_S3_PORT_5222_TCP_PROTO"],
      ...["NATS_S3_ADMIN_SERVICE_HOST", "NATS_S3_DEV_DATA", "NATS_S3_DEV_NATS_PORT"],
      ...["NATS_SERVER_BIN", "NATS_URL"],
    ),
    [],
  );
});
