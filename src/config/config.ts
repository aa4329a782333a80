/**
 * The configuration of the gateway: the values of all settings, checked against each other and grouped by their users.
 * @module
 */

import type { ChecksumAlgorithm } from "../s3/checksum_algorithms.ts";
import { type ConfiguredKeys, configuredPair } from "../auth/configured_keys.ts";
import { ConfiguredCredentials } from "../auth/credentials.ts";
import type { SigV2Mode } from "../auth/sigv2.ts";
import type { Sealing } from "../crypto/sealing.ts";
import type { StreamSettings } from "../nats/buckets/stream_config.ts";
import type { ConnectionSettings } from "../nats/connection/connection.ts";
import type { NativeLayout } from "../nats/uploads/native_layout.ts";
import type { LogFormat, LogLevel } from "../telemetry/log.ts";
import type { RequestLog } from "../telemetry/request_log.ts";
import type { TracingConfig } from "../telemetry/request_trace.ts";
import { type CertificatePair, choosePair } from "./certificate_pair.ts";
import { chooseApiPrefix, chooseLogin, chooseNatsTls } from "./nats_config.ts";
import type { Address } from "./network_values.ts";
import { given, type Values } from "./settings.ts";
import { chooseTracing } from "./tracing_config.ts";

/** The configuration of a gateway; frozen. */
export type Config = {
  readonly listen: Address;
  /** Other processes may listen on the same port. */
  readonly sharesPort: boolean;
  /** Certificate to serve S3 with; undefined to serve HTTP. */
  readonly tls: CertificatePair | undefined;
  /** Where health and metrics are served. */
  readonly admin: Address | "off";
  readonly nats: ConnectionSettings & {
    /** Subject prefix of the JetStream API: `$JS.API`, or that of a domain. */
    readonly apiPrefix: string;
    /** Whether the gateway is a NATS micro service. */
    readonly service: "on" | "off";
  };
  /** Milliseconds after the signal to stop. */
  readonly drain: {
    /** The gateway still accepts requests for this long. */
    readonly delay: number;
    /** After the delay, requests have this long to end. */
    readonly timeout: number;
  };
  /** How new buckets are stored. */
  readonly bucket: StreamSettings;
  /** Milliseconds for which replaced bytes are kept for their readers. */
  readonly grace: number;
  /** Milliseconds; an interval of 0 means never. */
  readonly sweep: {
    readonly interval: number;
    readonly minAge: number;
    /** Undefined for never. */
    readonly uploadExpiry: number | undefined;
  };
  /** Milliseconds of a day of lifecycle rules. */
  readonly lifecycle: { readonly day: number };
  /** Bytes of memory for listings. */
  readonly indexMemory: number;
  readonly nativeLayout: NativeLayout;
  /** A sweep by hand only reports what it would free. */
  readonly dryRun: boolean;
  readonly limits: {
    /** Milliseconds for which a client may neither send nor accept bytes of a body. */
    readonly stall: number;
    /** Maximum number of requests in flight. */
    readonly requests: number;
    /** Requests per second of one access key. */
    readonly rate: number | "off";
    /** The part of the places in flight that one client may hold when all are taken. */
    readonly share: number | "off";
  };
  readonly credentials: ConfiguredCredentials;
  /** Number of the account that owns all buckets, or of administrators if accounts are isolated. */
  readonly account: string;
  /** How the secrets of users are stored. */
  readonly users: {
    /** Undefined without keys to seal them. */
    readonly sealing: Sealing | undefined;
    /** Secrets in the clear are accepted. */
    readonly plaintext: boolean;
    /** Encrypts the file of an export. */
    readonly passphrase: string | undefined;
  };
  /** Access key id of the NATS user, which owns buckets that no gateway created; undefined without a NATS user. */
  readonly defaultOwner: string | undefined;
  /** `*` for any. */
  readonly region: string;
  /** Host names, lower case, for virtual-host addressing of buckets. */
  readonly domains: readonly string[];
  /** IP addresses and networks of proxies whose X-Forwarded-* headers are trusted. */
  readonly trustedProxies: readonly string[];
  readonly website: {
    /** Host names, lower case, below which `listen` serves web sites. */
    readonly domains: readonly string[];
    /** Where web sites are served apart from S3. */
    readonly listen: Address | "off";
  };
  /** Whether the health paths of MinIO are served on the port of S3. */
  readonly minioHealth: boolean;
  /** Milliseconds. */
  readonly clockSkew: number;
  readonly sigv2: SigV2Mode;
  readonly encryptionAtRest: boolean;
  /** The checksum of an object whose client names none; undefined for none. */
  readonly checksumDefault: ChecksumAlgorithm | undefined;
  /** Whether ACLs that would widen access are ignored instead of refused. */
  readonly ignoresAcls: boolean;
  /** Whether new buckets begin with a public access block of which everything is on. */
  readonly blocksNewBuckets: boolean;
  /** Origins whose pages may use buckets without a CORS configuration; undefined for none. */
  readonly cors: readonly string[] | undefined;
  readonly log: {
    readonly format: LogFormat;
    readonly level: LogLevel;
    readonly requests: RequestLog;
  };
  /** Subject on which requests are published; undefined for none. */
  readonly audit: { readonly subject: string | undefined };
  /** Undefined if requests are not traced. */
  readonly tracing: TracingConfig | undefined;
};

/**
 * Checks the values against each other and returns the configuration.
 *
 * @throws RangeError; the message is for the user
 */
export function createConfig(values: Values): Config {
  const apiPrefix = chooseApiPrefix(values);
  const natsTls = chooseNatsTls(values);
  const credentials = createCredentials(values);
  return deepFreeze({
    listen: given(values, "listen"),
    sharesPort: given(values, "sharesPort"),
    tls: choosePair(values, "serverCert", "serverKey"),
    admin: given(values, "admin"),
    nats: {
      servers: given(values, "servers"),
      login: chooseLogin(values),
      tls: natsTls,
      apiPrefix,
      inboxPrefix: given(values, "inboxPrefix"),
      service: given(values, "service"),
    },
    drain: { delay: given(values, "drainDelay"), timeout: given(values, "drainTimeout") },
    ...storageOf(values),
    dryRun: given(values, "dryRun"),
    lifecycle: { day: given(values, "lifecycleDay") },
    limits: {
      stall: given(values, "stall"),
      requests: given(values, "requests"),
      rate: given(values, "rate"),
      share: given(values, "share"),
    },
    credentials,
    account: given(values, "account"),
    users: {
      sealing: values.usersKey,
      plaintext: given(values, "plaintext"),
      passphrase: values.passphrase,
    },
    defaultOwner: values.user,
    region: given(values, "region"),
    domains: values.domains ?? [],
    website: {
      domains: chooseSiteDomains(values),
      listen: given(values, "websiteListen"),
    },
    trustedProxies: values.trustedProxies ?? [],
    minioHealth: given(values, "minioHealth"),
    clockSkew: given(values, "clockSkew"),
    sigv2: given(values, "sigv2"),
    encryptionAtRest: given(values, "encryptionAtRest"),
    checksumDefault: given(values, "checksumDefault") === "none" ? undefined : "CRC64NVME",
    ignoresAcls: given(values, "aclHeaders") === "ignore",
    blocksNewBuckets: given(values, "publicAccessBlock") === "on",
    cors: values.cors,
    log: {
      format: given(values, "logFormat"),
      level: given(values, "logLevel"),
      requests: given(values, "logRequests"),
    },
    audit: { subject: values.auditSubject },
    tracing: chooseTracing(values),
  });
}

type Storage = Pick<Config, "bucket" | "grace" | "sweep" | "indexMemory" | "nativeLayout">;

function storageOf(values: Values): Storage {
  return {
    bucket: {
      replicas: given(values, "replicas"),
      storage: given(values, "storage"),
      compression: given(values, "compression"),
      quota: values.quota,
      placements: values.placements ?? [],
    },
    grace: given(values, "grace"),
    sweep: {
      interval: given(values, "sweepInterval"),
      minAge: given(values, "sweepMinAge"),
      uploadExpiry: given(values, "uploadExpiry") || undefined,
    },
    indexMemory: given(values, "indexMemory"),
    nativeLayout: given(values, "nativeLayout"),
  };
}

function createCredentials(values: Values): ConfiguredCredentials {
  const credentials = new ConfiguredCredentials(chooseKeys(values), {
    account: given(values, "account"),
    isIsolated: given(values, "isolation") === "on",
  });
  if (!credentials.isIsolated || credentials.hasAdministrator) return credentials;
  throw new RangeError(
    'No access key belongs to an administrator, so nobody could manage accounts: give an entry of the S3 credentials "admin": true',
  );
}

function chooseKeys({ credentials, user, password }: Values): ConfiguredKeys {
  if (credentials !== undefined) return credentials;
  if (user !== undefined && password !== undefined) return configuredPair(user, password);
  throw new RangeError(
    "There are no S3 credentials: set --natsUser and --natsPassword, which are then also the S3 access key id and " +
      "secret access key, or separate S3 credentials with --s3.credentials or NATS_S3_CREDENTIALS",
  );
}

function chooseSiteDomains({ websiteDomains = [], domains = [] }: Values): readonly string[] {
  for (const site of websiteDomains) {
    // Then a host could mean a bucket's site and the bucket itself.
    const domain = domains.find((domain) => `.${domain}`.endsWith(`.${site}`));
    if (domain === undefined) continue;
    throw new RangeError(
      `Cannot use --website.domain ${site} with --http.domain ${domain}: choose a host for web sites that is neither the host of S3 nor above it`,
    );
  }
  return websiteDomains;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === "object" && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
}
