/**
 * The layout's version of a bucket: a gateway refuses a bucket with a layout that a newer gateway wrote.
 *
 * A bucket begins with version 1. Its version rises when it is first used in a way that older gateways would break, and
 * never falls: a policy or a public access block makes it 2, and versioning makes it 3. Gateways look at the version every {@linkcode LAYOUT_INTERVAL} milliseconds, so such
 * use begins two intervals later.
 * @module
 */

import { S3Error } from "../../s3/errors.ts";
import type { BucketName } from "../../s3/names.ts";
import type { DocumentKind } from "../../store/documents.ts";
import { pause } from "../../world/world.ts";
import { isConflict } from "../jetstream/errors.ts";
import { textOf } from "../jetstream/messages.ts";
import type { Requests } from "../jetstream/requests.ts";
import { publishIfRoom } from "../jetstream/room.ts";
import { formatLayoutVersion, parseLayoutVersion } from "../layout/bucket_documents.ts";
import { type StoreName, streamOf } from "../layout/names.ts";
import {
  LAYOUT_VERSION,
  MAX_LAYOUT_VERSION,
  POLICY_LAYOUT,
  records,
  VERSIONS_LAYOUT,
} from "../layout/subjects.ts";
import type { ReportUnreadable } from "./unreadable.ts";

/** The record that states the layout's version. */
const LAYOUT_RECORD = formatLayoutVersion(LAYOUT_VERSION);

/**
 * The same for a bucket that is created with a public access block. It is written behind the block, so that the first policy
 * waits for older gateways that saw the bucket before.
 */
export const BLOCKED_LAYOUT_RECORD = formatLayoutVersion(POLICY_LAYOUT);

/** The same for a bucket that is created with versioning. */
export const VERSIONS_LAYOUT_RECORD = formatLayoutVersion(VERSIONS_LAYOUT);

/** Milliseconds between two looks at the version of a bucket that is in use. */
export const LAYOUT_INTERVAL = 3000;

/**
 * States the version of a stream that a native client made or changed. It is stated once: a later version stays. A stream
 * without room states none.
 */
export async function stateLayoutVersion(requests: Requests, store: StoreName): Promise<void> {
  try {
    await publishIfRoom(requests, records.bucket(store, "layout"), LAYOUT_RECORD, { expect: 0 });
  } catch (cause) {
    if (!isConflict(cause)) throw cause;
  }
}

/**
 * Raises the version of a bucket before its first policy or public access block, and waits until no gateway serves the
 * bucket that ignores them.
 *
 * A crash while it waits leaves the new version without a policy: older gateways refuse the bucket, and the next call waits
 * again. It need not wait if a policy or a block was written after the version, because that was done after waiting.
 *
 * @param isPublicRead Whether the policy is the one that older gateways enforce also.
 */
export async function raiseForPolicy(
  requests: Requests,
  store: StoreName,
  isPublicRead: boolean,
): Promise<void> {
  await raise(requests, store, {
    version: POLICY_LAYOUT,
    proofs: ["policy", "publicAccessBlock"],
    isNeeded: (version) => version >= POLICY_LAYOUT || !isPublicRead,
  });
}

/** Does the same before a bucket gets versioning for the first time. */
export async function raiseForVersioning(requests: Requests, store: StoreName): Promise<void> {
  await raise(requests, store, {
    version: VERSIONS_LAYOUT,
    proofs: ["versioning"],
    isNeeded: () => true,
  });
}

type Raise = {
  readonly version: number;
  /** Documents that are written only after somebody has waited. */
  readonly proofs: readonly DocumentKind[];
  readonly isNeeded: (present: number) => boolean;
};

async function raise(
  requests: Requests,
  store: StoreName,
  { version, proofs, isNeeded }: Raise,
): Promise<void> {
  const read = (name: "layout" | DocumentKind) =>
    requests.leaderGet(streamOf(store), { last_by_subj: records.bucket(store, name) });
  const [layout, ...documents] = await Promise.all([read("layout"), ...proofs.map(read)]);
  const stated = layout && parseLayoutVersion(textOf(layout.data));
  const present = stated?.kind === "value" ? stated.value : LAYOUT_VERSION;
  if (!isNeeded(present)) return;
  const since = layout?.sequence ?? 0;
  const last = Math.max(...documents.map((document) => document?.sequence ?? 0));
  if (present >= version && last > since) return;
  const data = formatLayoutVersion(Math.max(present, version));
  await requests.publish(records.bucket(store, "layout"), data, { rollup: true });
  await pause(2 * LAYOUT_INTERVAL);
}

/**
 * Returns the version of a bucket's layout. Refuses a later version, or one that cannot be read: a newer gateway may have
 * written it.
 *
 * @returns undefined if none is stated: the creator has not written it yet, or has crashed, and then the version is ours
 * @throws S3Error `InternalError`
 */
export async function checkLayoutVersion(
  requests: Requests,
  bucket: BucketName,
  store: StoreName,
  report: ReportUnreadable | undefined,
): Promise<number | undefined> {
  const subject = records.bucket(store, "layout");
  const record = await requests.leaderGet(streamOf(store), { last_by_subj: subject });
  if (record === undefined) return undefined;
  const version = parseLayoutVersion(textOf(record.data));
  if (version.kind === "value" && version.value <= MAX_LAYOUT_VERSION) return version.value;
  if (version.kind === "unreadable") report?.(bucket, "bucket", subject, version.reason);
  const found = version.kind === "value" ? version.value : "that cannot be read";
  throw new S3Error("InternalError", { BucketName: bucket }, {
    message: `The bucket has layout version ${found}; this gateway knows ${MAX_LAYOUT_VERSION}.`,
  });
}
