/**
 * The settings of the port of S3, and of web sites: hosts, proxies and health.
 * @module
 */

import { parseDomains, parseNetworks, parseOptionalAddress } from "./network_values.ts";
import { setting } from "./setting.ts";
import { parseBoolean } from "./values.ts";

/** Every setting of HTTP, in the order of `--help`. */
export const HTTP_SETTINGS = {
  domains: setting({
    flag: "http.domain",
    value: "NAME,…",
    help: "Host names for virtual-host addressing of buckets, as in bucket.s3.example.com",
    parse: parseDomains,
  }),
  trustedProxies: setting({
    flag: "http.trusted-proxies",
    value: "NETWORK,…",
    help:
      "IP addresses and networks of proxies whose X-Forwarded-For, -Host and -Proto are trusted, such as 10.0.0.0/8,::1",
    parse: parseNetworks,
  }),
  minioHealth: setting({
    flag: "http.minio-health",
    default: "false",
    help:
      "Answers /minio/health/live, ready, cluster and cluster/read without credentials, for clients that poll MinIO",
    parse: parseBoolean,
  }),
  websiteDomains: setting({
    flag: "website.domain",
    value: "NAME,…",
    help: "Host names for web sites of buckets, as in bucket.web.example.com, on the port of S3",
    parse: parseDomains,
  }),
  websiteListen: setting({
    flag: "website.listen",
    value: "HOST:PORT|off",
    default: "off",
    help:
      "Address to serve web sites on: bucket.localhost, hosts below --website.domain, and hosts that are the name of a bucket",
    parse: parseOptionalAddress,
  }),
} as const;
