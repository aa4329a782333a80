/**
 * All checks of aws-cli, by area.
 * @module
 */

import type { Checks } from "./check.ts";
import { BUCKETS } from "./checks/buckets.ts";
import { CHECKSUMS } from "./checks/checksums.ts";
import { COMMANDS, SIGNATURES } from "./checks/commands.ts";
import { COPIES, DELETES } from "./checks/copies_and_deletes.ts";
import { CORS } from "./checks/cors.ts";
import { HEADERS } from "./checks/headers.ts";
import { LIFECYCLE } from "./checks/lifecycle.ts";
import { KEYS_OF_ALL_KINDS, LISTINGS_V1, LISTINGS_V2 } from "./checks/listings.ts";
import { LOGGING } from "./checks/logging.ts";
import { PAYMENT } from "./checks/payment.ts";
import { RENAMES } from "./checks/renames.ts";
import { MULTIPART } from "./checks/multipart.ts";
import { NEVER_SET } from "./checks/never_set.ts";
import { CONDITIONS, METADATA, OBJECTS, READING_RANGES } from "./checks/objects.ts";
import { TAGS } from "./checks/tags.ts";
import { NOT_IMPLEMENTED } from "./checks/unsupported.ts";
import { VERSIONS } from "./checks/versions.ts";

/** The area whose checks show that an operation is refused. */
export const UNSUPPORTED_AREA = "Operations that are not implemented";

/** All areas, in the order of the document. */
export const AREAS: Readonly<Record<string, Checks>> = {
  "Buckets": BUCKETS,
  "Objects": OBJECTS,
  "Metadata": METADATA,
  "Other headers": HEADERS,
  "Ranges": READING_RANGES,
  "Conditions": CONDITIONS,
  "Listings, version 2": LISTINGS_V2,
  "Listings, version 1": LISTINGS_V1,
  "Keys": KEYS_OF_ALL_KINDS,
  "Multipart": MULTIPART,
  "Copies": COPIES,
  "Renames": RENAMES,
  "Deletes": DELETES,
  "Checksums and attributes": CHECKSUMS,
  "CORS": CORS,
  "Tags": TAGS,
  "Versions and object lock": VERSIONS,
  "Lifecycle": LIFECYCLE,
  "What was never set": NEVER_SET,
  "Access logs": LOGGING,
  "Request payment and acceleration": PAYMENT,
  "Commands of `aws s3`": COMMANDS,
  "Signatures": SIGNATURES,
  [UNSUPPORTED_AREA]: NOT_IMPLEMENTED,
};
