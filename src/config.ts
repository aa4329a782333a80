/**
 * The settings of the gateway: one table of flags, defaults and help, from which the command line, `--help` and the
 * README's table are made; and the configuration that comes of them.
 * @module
 */

import { createCredentials, type Credentials, parseCredentials } from "./auth/credentials.ts";
import { isPair } from "./crypto/certificates.ts";
import {
  type Address,
  oneOf,
  parseAddress,
  parseAuditSubject,
  parseBoolean,
  parseBytes,
  parseCertificates,
  parseClockSkew,
  parseCount,
  parseCreds,
  parseDomains,
  parseDuration,
  parseGrace,
  parseHeaders,
  parseHttpUrl,
  parseOptionalAddress,
  parseOptionalCount,
  parsePairs,
  parsePrivateKey,
  parseRatio,
  parseRegion,
  parseReplicas,
  parseSeed,
  parseServers,
  parseStall,
  parseSubject,
  parseText,
  parseToken,
} from "./setting_values.ts";
import type { TracingConfig } from "./telemetry/request_trace.ts";
import { SAMPLERS } from "./telemetry/tracing.ts";
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "./telemetry/log.ts";
import { REQUEST_LOGS, type RequestLog } from "./telemetry/request_log.ts";

/** How to log in to NATS. */
export type NatsLogin =
  | { readonly kind: "none" }
  | { readonly kind: "user"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string }
  /** Text of an NKey seed. */
  | { readonly kind: "nkey"; readonly seed: string }
  /** Text of a credentials file: a JWT and a seed. */
  | { readonly kind: "creds"; readonly creds: string };

/** A certificate and its key, as PEM texts that were checked. */
export type Pair = { readonly cert: string; readonly key: string };

/** What the gateway is told; frozen. */
export type Config = {
  readonly listen: Address;
  /** Other processes may listen on the same port. */
  readonly sharesPort: boolean;
  /** What S3 is served with; in the clear without it. */
  readonly tls: Pair | undefined;
  /** Where health and metrics are. */
  readonly admin: Address | "off";
  readonly nats: {
    readonly servers: readonly string[];
    readonly login: NatsLogin;
    /** PEM texts, and whether TLS begins before the server says anything; undefined where nothing demands TLS. */
    readonly tls:
      | {
        readonly ca?: string;
        readonly cert?: string;
        readonly key?: string;
        readonly handshakeFirst?: true;
      }
      | undefined;
    /** Subject prefix of the JetStream API: `$JS.API`, or that of a domain. */
    readonly apiPrefix: string;
    readonly inboxPrefix: string;
    /** Whether the gateway is a NATS micro service. */
    readonly service: "on" | "off";
  };
  /** Milliseconds, after the signal to stop. */
  readonly drain: {
    /** For which everything is served. */
    readonly delay: number;
    /** After it, that requests have to end. */
    readonly timeout: number;
  };
  readonly bucket: {
    readonly replicas: number;
    readonly storage: "file" | "memory";
    readonly compression: "none" | "s2";
    /** Bytes; undefined for no limit. */
    readonly quota: number | undefined;
  };
  /** Milliseconds for which replaced bytes are kept for those who read them. */
  readonly grace: number;
  /** Milliseconds; an interval of 0 is never. */
  readonly sweep: {
    readonly interval: number;
    readonly minAge: number;
    /** Undefined for never. */
    readonly uploadExpiry: number | undefined;
  };
  /** Bytes that listings may take of memory. */
  readonly indexMemory: number;
  readonly nativeLayout: "off" | "background" | "on-complete";
  /** The sweep that is run by hand only says what it would do. */
  readonly dryRun: boolean;
  readonly limits: {
    /** Milliseconds that a body or a reader may stand still. */
    readonly stall: number;
    readonly requests: number;
    /** Requests of one access key in a second. */
    readonly rate: number | "off";
  };
  readonly credentials: Credentials;
  /** Access key id of the NATS pair, which owns buckets that no gateway made; undefined where there is no pair. */
  readonly defaultOwner: string | undefined;
  readonly region: string;
  /** Host names, lower case, under which buckets are addressed in virtual-host style. */
  readonly domains: readonly string[];
  /** Milliseconds. */
  readonly clockSkew: number;
  readonly sigv2: "off" | "presigned" | "on";
  readonly encryptionAtRest: boolean;
  readonly log: {
    readonly format: LogFormat;
    readonly level: LogLevel;
    readonly requests: RequestLog;
  };
  /** Where each request is published; undefined for nowhere. */
  readonly audit: { readonly subject: string | undefined };
  /** Undefined where requests are not traced. */
  readonly tracing: TracingConfig | undefined;
};

/** One setting. */
export type Setting<T> = {
  readonly flag: string;
  /** Stands for the value in `--help`; a setting without one is on when its flag is there. */
  readonly value?: string;
  readonly default?: string;
  readonly help: string;
  /** Text → value; the message of what it throws says what is wrong with the text. */
  readonly parse: (text: string) => T;
  /** The flag names a file. `env` is the variable that holds the path, `text` the one that holds the content. */
  readonly file?: { readonly env: string; readonly text: string };
  /** The value never appears in a message. */
  readonly secret?: true;
};

function setting<T>(setting: Setting<T>): Setting<T> {
  return setting;
}

/** Every setting, in the order of `--help`. */
export const SETTINGS = {
  listen: setting({
    flag: "listen",
    value: "HOST:PORT",
    default: "0.0.0.0:5222",
    help: "Where to listen for S3 requests",
    parse: parseAddress,
  }),
  sharesPort: setting({
    flag: "listen.shared",
    default: "false",
    help:
      "Several gateways may listen on the port, one for each core; the system spreads connections (Linux)",
    parse: parseBoolean,
  }),
  serverCert: setting({
    flag: "tls.cert",
    value: "FILE",
    help: "Certificate (PEM), with those between it and its authority, to serve S3 by HTTPS",
    parse: parseCertificates,
    file: { env: "NATS_S3_TLS_CERT", text: "NATS_S3_TLS_CERT" },
  }),
  serverKey: setting({
    flag: "tls.key",
    value: "FILE",
    help: "Private key (PEM) of the certificate",
    parse: parsePrivateKey,
    file: { env: "NATS_S3_TLS_KEY", text: "NATS_S3_TLS_KEY" },
    secret: true,
  }),
  admin: setting({
    flag: "admin.listen",
    value: "HOST:PORT|off",
    default: "127.0.0.1:5223",
    help: "Where to listen for /livez, /readyz and /metrics; whoever reaches it may read them",
    parse: parseOptionalAddress,
  }),
  servers: setting({
    flag: "natsServers",
    value: "URL,…",
    default: "nats://127.0.0.1:4222",
    help: "NATS servers; ws:// and wss:// connect by WebSocket",
    parse: parseServers,
    secret: true, // somebody may have put a password into it
  }),
  user: setting({
    flag: "natsUser",
    value: "NAME",
    help: "NATS user; also the S3 access key id, unless there are S3 credentials",
    parse: parseText,
  }),
  password: setting({
    flag: "natsPassword",
    value: "TEXT",
    help: "NATS password; also the S3 secret access key, unless there are S3 credentials",
    parse: parseText,
    secret: true,
  }),
  token: setting({
    flag: "natsToken",
    value: "TEXT",
    help: "NATS token",
    parse: parseText,
    secret: true,
  }),
  nkey: setting({
    flag: "natsNKeyFile",
    value: "FILE",
    help: "NATS NKey: a file with its seed",
    parse: parseSeed,
    file: { env: "NATS_S3_NATS_NKEY_FILE", text: "NATS_S3_NATS_NKEY" },
    secret: true,
  }),
  creds: setting({
    flag: "natsCredsFile",
    value: "FILE",
    help: "NATS credentials: a file with a JWT and a seed",
    parse: parseCreds,
    file: { env: "NATS_S3_NATS_CREDS_FILE", text: "NATS_S3_NATS_CREDS" },
    secret: true,
  }),
  tlsCa: setting({
    flag: "nats.tls-ca",
    value: "FILE",
    help:
      "Certificates (PEM) of the authorities that may vouch for NATS servers, in place of those the system trusts",
    parse: parseCertificates,
    file: { env: "NATS_S3_NATS_TLS_CA", text: "NATS_S3_NATS_TLS_CA" },
  }),
  tlsCert: setting({
    flag: "nats.tls-cert",
    value: "FILE",
    help: "Client certificate (PEM) for NATS",
    parse: parseCertificates,
    file: { env: "NATS_S3_NATS_TLS_CERT", text: "NATS_S3_NATS_TLS_CERT" },
  }),
  tlsKey: setting({
    flag: "nats.tls-key",
    value: "FILE",
    help: "Private key (PEM) of the client certificate",
    parse: parsePrivateKey,
    file: { env: "NATS_S3_NATS_TLS_KEY", text: "NATS_S3_NATS_TLS_KEY" },
    secret: true,
  }),
  tlsFirst: setting({
    flag: "nats.tls-first",
    default: "false",
    help: "TLS begins before the NATS server says anything: for servers with handshake_first",
    parse: parseBoolean,
  }),
  domain: setting({
    flag: "nats.js-domain",
    value: "NAME",
    help: "JetStream domain, as of a leaf node",
    parse: parseToken,
  }),
  apiPrefix: setting({
    flag: "nats.api-prefix",
    value: "SUBJECT",
    help: "Prefix of the JetStream API's subjects in place of $JS.API, for an imported API",
    parse: parseSubject,
  }),
  inboxPrefix: setting({
    flag: "nats.inbox-prefix",
    value: "SUBJECT",
    default: "_INBOX",
    help: "Prefix of the subjects on which answers arrive",
    parse: parseSubject,
  }),
  service: setting({
    flag: "nats.service",
    value: "on|off",
    default: "on",
    help: "Answer as a NATS micro service, so that `nats micro ls` shows every gateway",
    parse: oneOf(["on", "off"]),
  }),
  replicas: setting({
    flag: "replicas",
    value: "N",
    default: "1",
    help: "Copies that JetStream keeps of a new bucket",
    parse: parseReplicas,
  }),
  storage: setting({
    flag: "bucket.storage",
    value: "file|memory",
    default: "file",
    help: "Where JetStream keeps a new bucket",
    parse: oneOf(["file", "memory"]),
  }),
  compression: setting({
    flag: "bucket.compression",
    value: "none|s2",
    default: "none",
    help: "How JetStream compresses a new bucket on disk",
    parse: oneOf(["none", "s2"]),
  }),
  quota: setting({
    flag: "bucket.quota",
    value: "BYTES",
    help:
      "Bytes that objects may fill of a new bucket, such as 10GiB; PUTs stop there, deletes and listings go on",
    parse: parseBytes,
  }),
  grace: setting({
    flag: "trash.grace",
    value: "DURATION",
    default: "1m",
    help:
      "How long replaced and deleted bytes are kept for those who read them; longer reads hold them by leases",
    parse: parseGrace,
  }),
  sweepInterval: setting({
    flag: "sweep.interval",
    value: "DURATION",
    default: "1h",
    help: "How often a gateway looks for what crashes left behind, in each bucket; 0s for never",
    parse: parseDuration,
  }),
  sweepMinAge: setting({
    flag: "sweep.min-age",
    value: "DURATION",
    default: "24h",
    help:
      "What was written later than this is left alone by the sweep: longer than any upload takes",
    parse: parseDuration,
  }),
  nativeLayout: setting({
    flag: "multipart.native-layout",
    value: "off|background|on-complete",
    default: "background",
    help:
      "When objects that were uploaded in parts are rewritten so that native clients read them; in the background a quarter of the time",
    parse: oneOf(["off", "background", "on-complete"]),
  }),
  uploadExpiry: setting({
    flag: "multipart.expiry",
    value: "DURATION",
    default: "168h",
    help: "Multipart uploads to which nothing was added for so long are aborted; 0s for never",
    parse: parseDuration,
  }),
  dryRun: setting({
    flag: "dry-run",
    default: "false",
    help: "nats-s3 sweep only says what it would do",
    parse: parseBoolean,
  }),
  indexMemory: setting({
    flag: "index.memory",
    value: "BYTES",
    default: "1GiB",
    help:
      "Memory for the keys of the buckets that are listed, about 110 bytes for a short key; a bucket that needs more answers 503",
    parse: parseBytes,
  }),
  stall: setting({
    flag: "limit.stall",
    value: "DURATION",
    default: "1m",
    help: "How long a client may send or take nothing in the middle of a body before it is cut off",
    parse: parseStall,
  }),
  requests: setting({
    flag: "limit.requests",
    value: "N",
    default: "1000",
    help: "Requests in flight; beyond it the answer is 503 SlowDown",
    parse: parseCount,
  }),
  rate: setting({
    flag: "limit.rate",
    value: "N|off",
    default: "off",
    help:
      "Requests in a second of each access key, two seconds' worth at once; beyond it the answer is 503 SlowDown",
    parse: parseOptionalCount,
  }),
  drainDelay: setting({
    flag: "drain.delay",
    value: "DURATION",
    default: "1s",
    help:
      "How long everything is still served after SIGTERM, while /readyz says 503, so that who spreads requests goes elsewhere",
    parse: parseDuration,
  }),
  drainTimeout: setting({
    flag: "drain.timeout",
    value: "DURATION",
    default: "25s",
    help: "How long requests have to end after that; then they are broken off",
    parse: parseDuration,
  }),
  credentials: setting({
    flag: "s3.credentials",
    value: "FILE",
    help: "S3 credentials in place of the NATS user and password: " +
      '{"credentials":[{"accessKey":"…","secretKey":"…"}]}',
    parse: parseCredentials,
    file: { env: "NATS_S3_CREDENTIALS_FILE", text: "NATS_S3_CREDENTIALS" },
    secret: true,
  }),
  region: setting({
    flag: "s3.region",
    value: "NAME",
    default: "us-east-1",
    help: "Region that requests are signed for",
    parse: parseRegion,
  }),
  domains: setting({
    flag: "http.domain",
    value: "NAME,…",
    help: "Host names below which a bucket may be addressed, as in bucket.s3.example.com",
    parse: parseDomains,
  }),
  clockSkew: setting({
    flag: "auth.clock-skew",
    value: "DURATION",
    default: "5m",
    help: "How far a client's clock may be off; at most 15m",
    parse: parseClockSkew,
  }),
  sigv2: setting({
    flag: "auth.sigv2",
    value: "off|presigned|on",
    default: "presigned",
    help: "Where signatures of version 2 are accepted",
    parse: oneOf(["off", "presigned", "on"]),
  }),
  encryptionAtRest: setting({
    flag: "encryption.at-rest",
    default: "false",
    help:
      "States that JetStream encrypts what it stores: x-amz-server-side-encryption is then accepted",
    parse: parseBoolean,
  }),
  logFormat: setting({
    flag: "log.format",
    value: "text|json",
    default: "text",
    help: "How log lines look; logfmt is another word for text",
    parse: (text) => oneOf(LOG_FORMATS)(text === "logfmt" ? "text" : text),
  }),
  logLevel: setting({
    flag: "log.level",
    value: "debug|info|warn|error",
    default: "info",
    help: "The least urgent lines that are logged",
    parse: oneOf(LOG_LEVELS),
  }),
  logRequests: setting({
    flag: "log.requests",
    value: "all|errors|off",
    default: "all",
    help: "Which requests get a line in the log, at level info, when they have ended",
    parse: oneOf(REQUEST_LOGS),
  }),
  auditSubject: setting({
    flag: "audit.subject",
    value: "SUBJECT",
    help:
      "Publishes each request as a JSON message on this subject, which a JetStream stream of yours keeps (docs/logs.md)",
    parse: parseAuditSubject,
  }),
  otelEndpoint: setting({
    flag: "otel.exporter-otlp-endpoint",
    value: "URL",
    help:
      "Traces requests and sends their spans to this OpenTelemetry collector, in OTLP/JSON over HTTP: to /v1/traces below it",
    parse: parseHttpUrl,
    secret: true, // it may hold a key
  }),
  otelTracesEndpoint: setting({
    flag: "otel.exporter-otlp-traces-endpoint",
    value: "URL",
    help: "Where spans are sent, in place of /v1/traces below the collector",
    parse: parseHttpUrl,
    secret: true,
  }),
  otelHeaders: setting({
    flag: "otel.exporter-otlp-headers",
    value: "NAME=VALUE,…",
    help: "Headers for the collector, such as its key",
    parse: parseHeaders,
    secret: true,
  }),
  otelExporter: setting({
    flag: "otel.traces-exporter",
    value: "otlp|none",
    help:
      "otlp sends spans to http://localhost:4318 where no collector is given; none traces nothing",
    parse: oneOf(["otlp", "none"]),
  }),
  otelDisabled: setting({
    flag: "otel.sdk-disabled",
    default: "false",
    help: "Traces nothing, whatever else is said",
    parse: parseBoolean,
  }),
  otelServiceName: setting({
    flag: "otel.service-name",
    value: "TEXT",
    help: "service.name of the spans; nats-s3 where the attributes have none",
    parse: parseText,
  }),
  otelAttributes: setting({
    flag: "otel.resource-attributes",
    value: "NAME=VALUE,…",
    help: "What all spans say of this gateway, such as deployment.environment.name=production",
    parse: parsePairs,
  }),
  otelSampler: setting({
    flag: "otel.traces-sampler",
    value: "NAME",
    default: "parentbased_always_on",
    help:
      "Which requests are traced: always_on, always_off, traceidratio, each also as parentbased_…",
    parse: oneOf(Object.keys(SAMPLERS) as (keyof typeof SAMPLERS)[]),
  }),
  otelSamplerArg: setting({
    flag: "otel.traces-sampler-arg",
    value: "RATIO",
    default: "1",
    help: "The share of traces that a sampler by ratio keeps, from 0 to 1",
    parse: parseRatio,
  }),
} as const;

/** Name of a setting. */
export type SettingName = keyof typeof SETTINGS;

/** The values of all settings; undefined where nothing was given and there is no default. */
export type Values = {
  readonly [N in SettingName]: ReturnType<typeof SETTINGS[N]["parse"]> | undefined;
};

/**
 * Checks the values against each other.
 *
 * @throws RangeError; the message is for the user
 */
export function createConfig(values: Values): Config {
  const { user, password, domain, apiPrefix } = values;
  if (domain !== undefined && apiPrefix !== undefined) {
    throw new RangeError("Cannot use both --nats.js-domain and --nats.api-prefix: choose one");
  }
  const pair = choosePair(values, "tlsCert", "tlsKey");
  const credentials = values.credentials ??
    (user !== undefined && password !== undefined ? createCredentials(user, password) : undefined);
  if (credentials === undefined) {
    throw new RangeError(
      "There are no S3 credentials: give --natsUser and --natsPassword, which are then also the S3 access and secret " +
        "key, or S3 credentials of their own with --s3.credentials or NATS_S3_CREDENTIALS",
    );
  }
  const tls = {
    ...(values.tlsCa !== undefined && { ca: values.tlsCa }),
    ...pair,
    ...(values.tlsFirst && { handshakeFirst: true as const }),
  };
  return deepFreeze({
    listen: given(values, "listen"),
    sharesPort: given(values, "sharesPort"),
    tls: choosePair(values, "serverCert", "serverKey"),
    admin: given(values, "admin"),
    nats: {
      servers: given(values, "servers"),
      login: chooseLogin(values),
      tls: Object.keys(tls).length === 0 ? undefined : tls,
      apiPrefix: domain === undefined ? apiPrefix ?? "$JS.API" : `$JS.${domain}.API`,
      inboxPrefix: given(values, "inboxPrefix"),
      service: given(values, "service"),
    },
    drain: { delay: given(values, "drainDelay"), timeout: given(values, "drainTimeout") },
    bucket: {
      replicas: given(values, "replicas"),
      storage: given(values, "storage"),
      compression: given(values, "compression"),
      quota: values.quota,
    },
    grace: given(values, "grace"),
    sweep: {
      interval: given(values, "sweepInterval"),
      minAge: given(values, "sweepMinAge"),
      uploadExpiry: given(values, "uploadExpiry") || undefined,
    },
    indexMemory: given(values, "indexMemory"),
    nativeLayout: given(values, "nativeLayout"),
    dryRun: given(values, "dryRun"),
    limits: {
      stall: given(values, "stall"),
      requests: given(values, "requests"),
      rate: given(values, "rate"),
    },
    credentials,
    defaultOwner: user,
    region: given(values, "region"),
    domains: values.domains ?? [],
    clockSkew: given(values, "clockSkew"),
    sigv2: given(values, "sigv2"),
    encryptionAtRest: given(values, "encryptionAtRest"),
    log: {
      format: given(values, "logFormat"),
      level: given(values, "logLevel"),
      requests: given(values, "logRequests"),
    },
    audit: { subject: values.auditSubject },
    tracing: chooseTracing(values),
  });
}

/** The value of a setting that has a default. */
export function given<N extends SettingName>(values: Values, name: N): NonNullable<Values[N]> {
  const value = values[name];
  if (value === undefined) throw new TypeError(`Setting "${name}" has neither value nor default`);
  return value;
}

function chooseLogin({ user, password, token, nkey, creds }: Values): NatsLogin {
  if ((user === undefined) !== (password === undefined)) {
    throw new RangeError("Cannot use --natsUser without --natsPassword: give both or neither");
  }
  const logins: readonly (readonly [string, NatsLogin | undefined])[] = [
    [
      "--natsUser",
      user !== undefined && password !== undefined ? { kind: "user", user, password } : undefined,
    ],
    ["--natsToken", token === undefined ? undefined : { kind: "token", token }],
    ["--natsNKeyFile", nkey === undefined ? undefined : { kind: "nkey", seed: nkey }],
    ["--natsCredsFile", creds === undefined ? undefined : { kind: "creds", creds }],
  ];
  const [first, second] = logins.filter(([, login]) => login !== undefined);
  if (first !== undefined && second !== undefined) {
    throw new RangeError(`Cannot use both ${first[0]} and ${second[0]}: choose one way to log in`);
  }
  return first?.[1] ?? { kind: "none" };
}

function choosePair(
  values: Values,
  certName: "tlsCert" | "serverCert",
  keyName: "tlsKey" | "serverKey",
): Pair | undefined {
  const flags = [SETTINGS[certName].flag, SETTINGS[keyName].flag] as const;
  const cert = values[certName];
  const key = values[keyName];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new RangeError(`Cannot use --${flags[0]} without --${flags[1]}: give both or neither`);
  }
  if (!isPair(cert, key)) {
    throw new RangeError(
      `Cannot use --${flags[1]}: it is the key of another certificate than --${flags[0]}`,
    );
  }
  return { cert, key };
}

/** Where the collector is if it is not said where: what OpenTelemetry takes. */
const DEFAULT_COLLECTOR = "http://localhost:4318";

function chooseTracing(values: Values): TracingConfig | undefined {
  const { otelExporter, otelTracesEndpoint, otelServiceName, otelAttributes } = values;
  const collector = values.otelEndpoint ??
    (otelExporter === "otlp" ? DEFAULT_COLLECTOR : undefined);
  const url = otelTracesEndpoint ?? (collector && `${collector.replace(/\/$/, "")}/v1/traces`);
  const sampler = {
    ratio: given(values, "otelSamplerArg"),
    ...SAMPLERS[given(values, "otelSampler")],
  };
  const isOff = given(values, "otelDisabled") || otelExporter === "none" ||
    (sampler.ratio === 0 && !sampler.followsParent);
  if (url === undefined || isOff) return undefined;
  return {
    url,
    headers: values.otelHeaders ?? {},
    resource: {
      "service.name": "nats-s3",
      ...otelAttributes,
      ...(otelServiceName !== undefined && { "service.name": otelServiceName }),
    },
    sampler,
  };
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
}
