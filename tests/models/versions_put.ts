/**
 * Puts and delete markers of the versions protocol.
 * @module
 */

import { amend, type Amended } from "./versions_held_up.ts";
import {
  archive,
  free,
  type Gateway,
  highestOrdinal,
  lookAtMode,
  publishing,
  read,
  send,
  type Steps,
  tombstoneOf,
} from "./versions_steps.ts";
import {
  type Content,
  contentOf,
  isLocked,
  isRecord,
  type Look,
  type Message,
  type Mode,
  versionOf,
} from "./versions_world.ts";

/** A put, or a delete without a version id. */
export type Put = {
  readonly kind: "put";
  /** Names the version and its group. */
  readonly name: string;
  /** Undefined if the gateway looks at the bucket's mode. */
  readonly mode: Mode | undefined;
  readonly isMarker: boolean;
  /** The current version's group must be this one; "" demands that there is no object. */
  readonly condition: string | undefined;
  readonly retention: number;
};

/** What a put answers. "unknown" is 503: it may have happened, or may yet. */
export type PutResult =
  | {
    readonly status: "stored";
    readonly version: string;
    readonly mode: Mode;
    /** Set if the put was held up past its lease, so that it used an older mode at first. */
    readonly amended: Amended | undefined;
  }
  | { readonly status: "failed" | "denied" | "full" | "unknown" };

/** Puts an object or a delete marker. */
export function* put(gateway: Gateway, operation: Put): Steps<PutResult> {
  const { name, isMarker, condition } = operation;
  const { broken } = gateway;
  const group = isMarker ? "" : name;
  let look: Look = { mode: operation.mode ?? "E", time: 0, enabled: 0 };
  if (operation.mode === undefined) look = yield* lookAtMode();
  if (!isMarker) yield { kind: "store", group };
  const give = function* (status: "failed" | "denied" | "full"): Steps<PutResult> {
    if (!isMarker) yield { kind: "purge", group };
    return { status };
  };
  for (let attempt = 0;; attempt++) {
    if (attempt > 0 && operation.mode === undefined) look = yield* lookAtMode();
    const { mode } = look;
    let hidden: Message = { sequence: 0, content: undefined };
    if (mode === "S" && broken !== "suspended put reads R[null] after M") {
      hidden = yield* read("R:null");
    }
    const { sequence, content: info } = yield* read("M");
    if (mode === "S" && broken === "suspended put reads R[null] after M") {
      hidden = yield* read("R:null");
    }
    const version = versionOf(info);
    const current = version === undefined ? undefined : info;
    const found = current?.kind === "object" ? current.group : "";
    const isChecked = attempt === 0 || broken !== "the condition is checked once";
    if (condition !== undefined && found !== condition && isChecked) return yield* give("failed");
    if (mode !== "E" && broken !== "a put in place ignores locks") {
      const replaced = version === "null" ? current : hidden.content;
      const isStale = mode === "U" && version !== undefined && version !== "null";
      const isProtected = isRecord(replaced) && isLocked(replaced);
      if (isStale || isProtected) {
        if (operation.mode !== undefined || (yield* lookAtMode()).mode === mode) {
          return yield* give("denied");
        }
        continue;
      }
    }
    if (current !== undefined && (mode === "E" || version !== "null")) {
      if (broken !== "put does not archive") {
        const archived = yield* archive(gateway, current, sequence);
        if (archived === "full") return yield* give("full");
        if (archived === "stale") continue;
      }
    }
    let ordinal = 0;
    if (mode !== "U") {
      if (current !== undefined && current.ordinal > 0) ordinal = current.ordinal + 1;
      else if (broken === "ordinals start at one again") ordinal = 1;
      else if (current === undefined) ordinal = Math.max(yield* highestOrdinal(gateway), 1) + 1;
      else ordinal = (yield* highestOrdinal(gateway)) + 3;
    }
    const isTombstone = isMarker && mode === "U";
    const made = contentOf({
      kind: isTombstone ? "deleted" : isMarker ? "marker" : "object",
      version: mode === "E" ? `${ordinal}.${name}` : "null",
      ordinal,
      group,
      retention: operation.retention,
    });
    if (operation.mode === undefined && broken !== "the lease is not checked before the commit") {
      if ((yield* lookAtTime()) !== look.time) continue;
    }
    const committed = yield* commit(
      gateway,
      made,
      broken === "put does not expect" ? undefined : sequence,
    );
    if (committed === "unknown") return { status: "unknown" };
    if (committed === "full") return yield* give("full");
    if (committed === "refused") continue;
    const stored = {
      status: "stored",
      version: made.version,
      mode,
      amended: undefined,
    } as const;
    if (mode === "E") return stored;
    const inPlace = version === "null" ? current : undefined;
    if (operation.mode === undefined && broken !== "a held-up put frees what it replaced") {
      if ((yield* lookAtTime()) !== look.time && (yield* hasChanged(look))) {
        const heldUp = { made, stored: committed, inPlace, sequence, hidden };
        return { ...stored, amended: yield* amend(gateway, name, heldUp) };
      }
    }
    if (inPlace !== undefined) yield* free(gateway, inPlace);
    if (isRecord(hidden.content) && broken !== "suspended put keeps R[null]") {
      const expect = broken === "R[null] is removed whatever it is" ? undefined : hidden.sequence;
      const { status } = yield* send(publishing("R:null", tombstoneOf(hidden.content), expect));
      if (status === "ok") yield* free(gateway, hidden.content, inPlace !== undefined);
    }
    return stored;
  }
}

/** Tells whether versioning has been enabled since a look at the mode, even if it is suspended again. */
function* hasChanged({ enabled }: Look): Steps<boolean> {
  return (yield* lookAtMode()).enabled !== enabled;
}

function* lookAtTime(): Steps<number> {
  const { time } = (yield { kind: "time" }) as { readonly time: number };
  return time;
}

/** Publishes object info, and finds out what became of it if no answer comes. Returns its sequence; 0 if it is archived. */
function* commit(
  { broken }: Gateway,
  made: Content,
  expect: number | undefined,
): Steps<number | "refused" | "full" | "unknown"> {
  let { status, sequence } = yield* send(publishing("M", made, expect));
  if (status === "unanswered") {
    if (broken === "no answer is a refusal") return "refused";
    ({ status, sequence } = yield* send(publishing("M", made, expect)));
    if (status === "unanswered" || status === "full") return "unknown";
    if (status === "conflict") {
      if (broken === "a conflict after no answer is a refusal") return "refused";
      return yield* settle(broken === "absence from M is a refusal", made);
    }
  }
  return status === "conflict" ? "refused" : status === "full" ? "full" : sequence;
}

/**
 * Finds out whether a commit landed that has been refused when it was repeated. If no message names it, a native client may
 * have replaced it and purged its bytes, so it must not be committed again.
 */
function* settle(isBlind: boolean, made: Content): Steps<number | "refused" | "unknown"> {
  let info = yield* read("M");
  while (true) {
    const { content } = info;
    const isMine = content?.kind === made.kind && content.group === made.group &&
      content.version === made.version && content.ordinal === made.ordinal;
    const isUnique = made.group !== "" || made.version !== "null";
    if (!isUnique) return "unknown";
    if (isMine) return info.sequence;
    if (isBlind) return "refused";
    const { content: record } = yield* read(`R:${made.version}`);
    if (made.version !== "null" && record !== undefined) return 0; // archived, or removed since
    if (isRecord(record) && record.group === made.group) return 0;
    const again = yield* read("M");
    if (again.sequence === info.sequence) return "unknown";
    info = again;
  }
}
