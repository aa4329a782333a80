/**
 * The operations of clients, and how often each is chosen.
 * @module
 */

import { createBucket, deleteBucket, remakeBucket } from "./bucket_operations.ts";
import type { Acting } from "./clients.ts";
import { removeWhileTagged, replaceWhenDue } from "./contests.ts";
import { completeUpload } from "./multipart.ts";
import { askAboutBucket, giveBucket, readOwner } from "./bucket_facts.ts";
import { changeRules } from "./lifecycle_rules.ts";
import { listUploads } from "./upload_lists.ts";
import { changeDocument, putDocument, readDocument } from "./documents.ts";
import { tag } from "./tags.ts";
import { head, list, read, readRange } from "./reads.ts";
import type { VersionsPlan } from "./plan.ts";
import { listVersions } from "./version_lists.ts";
import {
  lockVersion,
  readVersion,
  removeVersion,
  switchVersioning,
  tagVersion,
} from "./versions.ts";
import { copy, put, putIfMatch, putIfNoneMatch, remove, rename } from "./writes.ts";

/** An operation of a client. */
export type Operation = {
  readonly name: string;
  readonly weight: number;
  /** It is about the bucket that comes and goes. */
  readonly isOfFleeting?: true;
  /** Tells whether a bucket has what it is about. */
  readonly needs?: (versions: VersionsPlan | undefined) => boolean;
  /** Returns a word for how it ended. */
  readonly run: (acting: Acting) => Promise<string>;
};

const hasVersions = (versions: VersionsPlan | undefined): boolean => versions !== undefined;
const isSwitched = (versions: VersionsPlan | undefined): boolean =>
  versions !== undefined && !(versions.fromBeginning && !versions.isSuspended);
const hasLifecycle = (versions: VersionsPlan | undefined): boolean =>
  versions?.lifecycle !== undefined;
const hasLocks = (versions: VersionsPlan | undefined): boolean => versions?.hasLocks === true;

/** All operations. */
export const OPERATIONS: readonly Operation[] = [
  { name: "put", weight: 20, run: put },
  { name: "put if none match", weight: 6, run: putIfNoneMatch },
  { name: "put if match", weight: 8, run: putIfMatch },
  { name: "delete", weight: 10, run: remove },
  { name: "multipart", weight: 8, run: completeUpload },
  { name: "rename", weight: 7, run: rename },
  { name: "copy", weight: 3, run: copy },
  { name: "tag", weight: 5, run: tag },
  { name: "get", weight: 14, run: read },
  { name: "range", weight: 6, run: readRange },
  { name: "head", weight: 8, run: head },
  { name: "list", weight: 9, run: list },
  { name: "put document", weight: 3, run: putDocument },
  { name: "change document", weight: 2, run: changeDocument },
  { name: "read document", weight: 4, run: readDocument },
  { name: "list uploads", weight: 2, run: listUploads },
  { name: "ask", weight: 4, run: askAboutBucket },
  { name: "give", weight: 1, run: giveBucket },
  { name: "owner", weight: 2, run: readOwner },
  { name: "delete while tagged", weight: 4, run: removeWhileTagged },
  { name: "replace when due", weight: 3, run: replaceWhenDue },
  { name: "create bucket", weight: 15, run: createBucket, isOfFleeting: true },
  { name: "delete bucket", weight: 25, run: deleteBucket, isOfFleeting: true },
  { name: "remake bucket", weight: 8, run: remakeBucket, isOfFleeting: true },
  { name: "get version", weight: 12, run: readVersion, needs: hasVersions },
  { name: "remove version", weight: 12, run: removeVersion, needs: hasVersions },
  { name: "tag version", weight: 4, run: tagVersion, needs: hasVersions },
  { name: "list versions", weight: 5, run: listVersions, needs: hasVersions },
  { name: "switch versioning", weight: 3, run: switchVersioning, needs: isSwitched },
  { name: "lock version", weight: 8, run: lockVersion, needs: hasLocks },
  { name: "change rules", weight: 10, run: changeRules, needs: hasLifecycle },
];
