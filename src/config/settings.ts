/**
 * The table of settings: flags, defaults and help. The command line, `--help` and docs/configuration.md are generated
 * from it.
 * @module
 */

import { SIGV2_MODES } from "../auth/sigv2.ts";
import { NATIVE_LAYOUTS } from "../nats/uploads/native_layout.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../telemetry/log.ts";
import { REQUEST_LOGS } from "../telemetry/request_log.ts";
import { BUCKET_SETTINGS } from "./bucket_settings.ts";
import { HTTP_SETTINGS } from "./http_settings.ts";
import { parseAddress, parseOptionalAddress, parseServers } from "./network_values.ts";
import { LIMIT_SETTINGS } from "./limit_settings.ts";
import { OBJECT_SETTINGS } from "./object_settings.ts";
import { parseCertificates, parseCreds, parsePrivateKey, parseSeed } from "./secret_values.ts";
import { type Setting, setting } from "./setting.ts";
import { TRACING_SETTINGS } from "./tracing_settings.ts";
import { UNKNOWN_SETTING } from "./unknown_variables.ts";
import { USER_SETTINGS } from "./user_settings.ts";
import {
  oneOf,
  parseAuditSubject,
  parseBoolean,
  parseBytes,
  parseClockSkew,
  parseDuration,
  parseGrace,
  parseRegion,
  parseSubject,
  parseText,
  parseToken,
} from "./values.ts";

export type { Setting };

/** Whether the gateway is a NATS micro service. */
const SERVICE = ["on", "off"] as const;

/** Every setting, in the order of `--help`. */
export const SETTINGS = {
  listen: setting({
    flag: "listen",
    value: "HOST:PORT",
    default: "0.0.0.0:5222",
    help: "Address to serve S3 on",
    parse: parseAddress,
  }),
  sharesPort: setting({
    flag: "listen.shared",
    default: "false",
    help:
      "Lets several gateways listen on the same port, one for each core; the system spreads connections (Linux)",
    parse: parseBoolean,
  }),
  serverCert: setting({
    flag: "tls.cert",
    value: "FILE",
    help: "Certificate (PEM) for serving S3 over HTTPS, with all intermediate certificates",
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
    help: "Address to serve /livez, /readyz and /metrics on; anyone who can reach it can read them",
    parse: parseOptionalAddress,
  }),
  servers: setting({
    flag: "natsServers",
    value: "URL,…",
    default: "nats://127.0.0.1:4222",
    help: "NATS servers; ws:// and wss:// connect by WebSocket",
    parse: parseServers,
    secret: true, // a URL may contain a password
  }),
  user: setting({
    flag: "natsUser",
    value: "NAME",
    help: "NATS user; also the S3 access key id, unless S3 credentials are set",
    parse: parseText,
  }),
  password: setting({
    flag: "natsPassword",
    value: "TEXT",
    help: "NATS password; also the S3 secret access key, unless S3 credentials are set",
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
      "Certificates (PEM) of the authorities to trust for NATS servers, instead of those that the system trusts",
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
    help: "Starts TLS before the NATS server sends anything, for servers with handshake_first",
    parse: parseBoolean,
  }),
  domain: setting({
    flag: "nats.js-domain",
    value: "NAME",
    help: "JetStream domain, for example of a leaf node",
    parse: parseToken,
  }),
  apiPrefix: setting({
    flag: "nats.api-prefix",
    value: "SUBJECT",
    help: "Subject prefix of the JetStream API instead of $JS.API, for an imported API",
    parse: parseSubject,
  }),
  inboxPrefix: setting({
    flag: "nats.inbox-prefix",
    value: "SUBJECT",
    default: "_INBOX",
    help: "Subject prefix for responses from NATS",
    parse: parseSubject,
  }),
  service: setting({
    flag: "nats.service",
    value: SERVICE.join("|"),
    default: "on",
    help:
      "Registers the gateway as a NATS micro service, so that `nats micro ls` lists every gateway",
    parse: oneOf(SERVICE),
  }),
  ...BUCKET_SETTINGS,
  grace: setting({
    flag: "trash.grace",
    value: "DURATION",
    default: "1m",
    help:
      "How long to keep replaced and deleted bytes for requests that are still reading them; longer reads extend it with leases",
    parse: parseGrace,
  }),
  sweepInterval: setting({
    flag: "sweep.interval",
    value: "DURATION",
    default: "1h",
    help: "How often to look for data left by crashes in each bucket; 0s for never",
    parse: parseDuration,
  }),
  sweepMinAge: setting({
    flag: "sweep.min-age",
    value: "DURATION",
    default: "24h",
    help: "The sweep skips anything younger than this; keep it longer than your longest upload",
    parse: parseDuration,
  }),
  nativeLayout: setting({
    flag: "multipart.native-layout",
    value: NATIVE_LAYOUTS.join("|"),
    default: "background",
    help:
      "When to rewrite multipart objects so that native clients can read them; the background worker works a quarter of the time",
    parse: oneOf(NATIVE_LAYOUTS),
  }),
  uploadExpiry: setting({
    flag: "multipart.expiry",
    value: "DURATION",
    default: "168h",
    help: "Aborts multipart uploads to which no part was added for this long; 0s for never",
    parse: parseDuration,
  }),
  dryRun: setting({
    flag: "dry-run",
    default: "false",
    help:
      "Lets nats-s3 sweep, buckets lifecycle and buckets restore report what would change, without changing it",
    parse: parseBoolean,
  }),
  indexMemory: setting({
    flag: "index.memory",
    value: "BYTES",
    default: "1GiB",
    help:
      "Memory for the keys of listed buckets, about 110 bytes for a short key; listing a bucket that needs more fails with 503",
    parse: parseBytes,
  }),
  ...LIMIT_SETTINGS,
  drainDelay: setting({
    flag: "drain.delay",
    value: "DURATION",
    default: "1s",
    help:
      "How long to keep serving after SIGTERM while /readyz answers 503, so that load balancers move away first",
    parse: parseDuration,
  }),
  drainTimeout: setting({
    flag: "drain.timeout",
    value: "DURATION",
    default: "25s",
    help: "How long requests may take to end after that, before they are cut off",
    parse: parseDuration,
  }),
  ...USER_SETTINGS,
  region: setting({
    flag: "s3.region",
    value: "NAME|*",
    default: "us-east-1",
    help: "Region that clients sign requests for; * accepts any region",
    parse: parseRegion,
  }),
  ...HTTP_SETTINGS,
  clockSkew: setting({
    flag: "auth.clock-skew",
    value: "DURATION",
    default: "5m",
    help: "How far a client's clock may be off; at most 15m",
    parse: parseClockSkew,
  }),
  sigv2: setting({
    flag: "auth.sigv2",
    value: SIGV2_MODES.join("|"),
    default: "presigned",
    help: "Where version 2 signatures are accepted: nowhere, in presigned URLs, or everywhere",
    parse: oneOf(SIGV2_MODES),
  }),
  ...OBJECT_SETTINGS,
  configUnknown: UNKNOWN_SETTING,
  logFormat: setting({
    flag: "log.format",
    value: LOG_FORMATS.join("|"),
    default: "text",
    help: "Format of log lines; logfmt is another word for text",
    parse: (text) => oneOf(LOG_FORMATS)(text === "logfmt" ? "text" : text),
  }),
  logLevel: setting({
    flag: "log.level",
    value: LOG_LEVELS.join("|"),
    default: "info",
    help: "Least urgent level that is logged",
    parse: oneOf(LOG_LEVELS),
  }),
  logRequests: setting({
    flag: "log.requests",
    value: REQUEST_LOGS.join("|"),
    default: "all",
    help: "Which requests are logged when they end, at level info",
    parse: oneOf(REQUEST_LOGS),
  }),
  auditSubject: setting({
    flag: "audit.subject",
    value: "SUBJECT",
    help:
      "Publishes each request as a JSON message on this subject; a JetStream stream of your own keeps them (docs/logs.md)",
    parse: parseAuditSubject,
  }),
  ...TRACING_SETTINGS,
} as const;

/** The name of a setting. */
export type SettingName = keyof typeof SETTINGS;

/** The values of all settings; undefined for a setting that was not set and has no default. */
export type Values = {
  readonly [N in SettingName]: ReturnType<typeof SETTINGS[N]["parse"]> | undefined;
};

/** Returns the value of a setting that has a default. */
export function given<N extends SettingName>(values: Values, name: N): NonNullable<Values[N]> {
  const value = values[name];
  if (value === undefined) throw new TypeError(`Setting "${name}" has neither value nor default`);
  return value;
}
