/**
 * The object info of the objects with which benchmarks fill buckets.
 * @module
 */

import { createHash } from "node:crypto";
import { formatInfo } from "../../src/nats/layout/format_info.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { newNuid } from "../../src/nats/layout/nuid.ts";
import type { VersionFacts } from "../../src/nats/layout/version_facts.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { CREDENTIALS } from "../clients/gateway_process.ts";

/**
 * Returns the object info of an object of 4 KiB. Its chunk does not exist.
 *
 * @param firstChunk Where the chunk would be: a sequence that the stream has had already.
 */
export function describeObject(
  store: StoreName,
  key: ObjectKey,
  firstChunk: number,
  version?: VersionFacts,
): string {
  return formatInfo({
    store,
    key,
    nuid: newNuid(key),
    size: 4096,
    chunks: 1,
    chunkSize: 131_072,
    sha256: createHash("sha256").update(key).digest("hex"),
    etag: createHash("md5").update(key).digest("hex"),
    modified: new Date(),
    properties: { system: { contentType: "text/plain" }, user: {}, tags: {} },
    checksum: undefined,
    owner: CREDENTIALS.accessKeyId,
    seek: firstChunk.toString(36),
    layout: undefined,
    partSizes: undefined,
    version,
  });
}
