/**
 * The table of settings: flags, defaults and help. The command line, `--help` and docs/configuration.md are made of it.
 * @module
 */

import { parseCredentials } from "../auth/credentials.ts";
import {
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
  parseNetworks,
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
} from "./values.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../telemetry/log.ts";
import { REQUEST_LOGS } from "../telemetry/request_log.ts";
import { SAMPLERS } from "../telemetry/tracing.ts";

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
  trustedProxies: setting({
    flag: "http.trusted-proxies",
    value: "NETWORK,…",
    help:
      "IP addresses and networks of proxies whose X-Forwarded-For, -Host and -Proto are believed, as 10.0.0.0/8,::1",
    parse: parseNetworks,
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

/** The value of a setting that has a default. */
export function given<N extends SettingName>(values: Values, name: N): NonNullable<Values[N]> {
  const value = values[name];
  if (value === undefined) throw new TypeError(`Setting "${name}" has neither value nor default`);
  return value;
}
