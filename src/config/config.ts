/**
 * The configuration of the gateway: the values of all settings, held against each other and put in order.
 * @module
 */

import { createCredentials, type Credentials } from "../auth/credentials.ts";
import { isPair } from "../crypto/certificates.ts";
import type { Address } from "./values.ts";
import { given, SETTINGS, type Values } from "./settings.ts";
import type { LogFormat, LogLevel } from "../telemetry/log.ts";
import type { RequestLog } from "../telemetry/request_log.ts";
import type { TracingConfig } from "../telemetry/request_trace.ts";
import { SAMPLERS } from "../telemetry/tracing.ts";

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
  /** IP addresses and networks of proxies that are believed where requests come from. */
  readonly trustedProxies: readonly string[];
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
    trustedProxies: values.trustedProxies ?? [],
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
