/**
 * Where the explorers find each broken rule of the versions protocol.
 * @module
 */

import type { Faults } from "./versions_explorer.ts";
import type { BrokenRule } from "./versions_rules.ts";
import { type GROUPS, KEYS, put, type Scenario, version } from "./versions_scenarios.ts";

/** A group whose pairs are explored, or a scenario that runs in random order with faults. */
export type Place = keyof typeof GROUPS | Scenario & Partial<Faults>;

const UNANSWERED: Place = {
  versions: KEYS.one,
  programs: [[put("x", "E")], [put("y", "E"), { kind: "delete", version: "1.a" }]],
  isSmall: true,
  unanswered: 0.3,
};

const TWO_DELETES: Place = {
  versions: KEYS.two,
  programs: [[{ kind: "delete", version: "1.a" }], [{ kind: "delete", version: "2.b" }]],
  isSmall: true,
};

/** The place where each rule is found to be broken. */
export const PLACES: Readonly<Record<BrokenRule, Place>> = {
  "native writes count as ordinal zero": "a key that a native client wrote",
  "archive overwrites": "a key under lock",
  "archive does not read M again": "a key under lock",
  "archive accepts any record": "a key whose current version is null",
  "archive replaces a locked record": "a locked null version that a held-up put has hidden",
  "archive accepts a tombstone": "a key with an old null version",
  "doubtful groups are purged at once": "a key that a native client updated",
  "find reads M first": TWO_DELETES,
  "records win": TWO_DELETES,
  "absence is believed at once": "a key under lock",
  "the condition is checked once": "an absent key",
  "put does not archive": "a key with two versions",
  "ordinals start at one again": "a key that a native client wrote",
  "put does not expect": "an absent key",
  "a held-up put frees what it replaced": {
    versions: KEYS["current null"],
    mode: "S",
    programs: [[{ kind: "setMode", mode: "E" }, { kind: "list" }], [put("x", undefined)]],
    isSmall: true,
  },
  "R[null] is removed whatever it is": "a key whose current version is null",
  "no answer is a refusal": UNANSWERED,
  "a conflict after no answer is a refusal": UNANSWERED,
  "absence from M is a refusal": UNANSWERED,
  "delete ignores locks": "a key under lock",
  "a group that M names is purged": "a key that a native client updated",
  "delete expects nothing": TWO_DELETES,
  "promotion leaves the record": "a full bucket",
  "no tombstone for the current version": "a key under lock",
  "delete removes a hidden locked record": "a locked null version that a held-up put has hidden",
  "promotion without a batch": "a full bucket",
  "promotes the oldest": "a key under lock",
  "no tombstone in a full bucket": {
    versions: KEYS.one,
    programs: [
      [put("x", "E")],
      [put("y", "E"), { kind: "delete", version: "1.a" }],
      [put("z", "E")],
    ],
    room: 4,
    isSmall: true,
  },
  "changes expect nothing": "a key under lock",
  "get does not read M again": {
    versions: KEYS["old null"],
    programs: [[put("s", "S")], [{ kind: "get", version: "null" }]],
    isSmall: true,
  },
  "the purger asks nobody": "trash that is still named",
  "the purger reads R first": "trash that is still named",
  "the purger asks M alone": "trash that is still named",
  "the purger asks one version about a doubtful group": "a key that a native client updated",
  "the sweep reads names first": "an absent key",
  "the sweep stops at the end it saw": "a key with two versions",
  "the sweep reads M alone": "a key with two versions",
  "the sweep removes useful archives": "a key with two versions",
  "Unversioned and Enabled at the same time": {
    versions: [version("null", { ordinal: 0 })],
    mode: "U",
    programs: [
      [{ kind: "setMode", mode: "E" }],
      [put("x", undefined)],
      [put("y", undefined, { isMarker: true })],
    ],
    isSmall: true,
  },
  "a tombstone expires before late publishes": { ...UNANSWERED, unanswered: 0, expiry: 0.3 },
};
