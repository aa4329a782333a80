/**
 * The settings of how objects are kept: what clients learn about encryption, checksums and ACLs, and which pages may use
 * them.
 * @module
 */

import { ACL_HEADERS } from "../s3/acl.ts";
import { parseOrigins } from "./network_values.ts";
import { setting } from "./setting.ts";
import { oneOf, parseBoolean, parseStall } from "./values.ts";

/** The checksums that an object may get if its client names none. */
const CHECKSUM_DEFAULTS = ["crc64nvme", "none"] as const;

/** Every setting of objects, in the order of `--help`. */
export const OBJECT_SETTINGS = {
  encryptionAtRest: setting({
    flag: "encryption.at-rest",
    default: "false",
    help:
      "Declares that JetStream encrypts its storage, so that x-amz-server-side-encryption is accepted",
    parse: parseBoolean,
  }),
  checksumDefault: setting({
    flag: "checksum.default",
    value: CHECKSUM_DEFAULTS.join("|"),
    default: "crc64nvme",
    help: "The checksum of an object whose client names none",
    parse: oneOf(CHECKSUM_DEFAULTS),
  }),
  aclHeaders: setting({
    flag: "bucket.acl-headers",
    value: ACL_HEADERS.join("|"),
    default: "refuse",
    help:
      "Whether to refuse writes with ACLs that grant access to others, such as public-read, or to ignore the ACLs",
    parse: oneOf(ACL_HEADERS),
  }),
  lifecycleDay: setting({
    flag: "lifecycle.day",
    value: "DURATION",
    default: "24h",
    help:
      "The day of lifecycle rules, for tests: shorten it to see within minutes what goes after days; the same on every gateway",
    parse: parseStall,
  }),
  cors: setting({
    flag: "http.cors",
    value: "ORIGIN,…",
    help:
      "Lets pages of these origins use buckets that have no CORS configuration; each may have one *, and * alone is any",
    parse: parseOrigins,
  }),
} as const;
