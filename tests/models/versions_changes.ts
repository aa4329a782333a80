/**
 * Operations on one version of the versions protocol: deletes, changes and reads.
 * @module
 */

import {
  find,
  free,
  type Gateway,
  names,
  ordinalOf,
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
  type Message,
  type Publish,
  versionOf,
} from "./versions_world.ts";

/** What a delete of a version answers. */
export type DeleteResult = { readonly status: "deleted" | "denied" | "unknown" | "full" };

/** Deletes a version for good. */
export function* deleteVersion(gateway: Gateway, version: string): Steps<DeleteResult> {
  const { broken } = gateway;
  while (true) {
    const { where, record, info } = yield* find(gateway, version);
    if (where === "nowhere") return { status: "deleted" };
    const { content: held } = where === "M" ? info : record;
    if (held === undefined) continue;
    if (isLocked(held) && broken !== "delete ignores locks") return { status: "denied" };
    if (where === "M") {
      const outcome = yield* removeCurrent(gateway, held, info.sequence, record);
      if (outcome === "again") continue;
      if (outcome !== "ok") return { status: outcome };
      yield* free(gateway, held);
      const { content: old } = record;
      if (isRecord(old) && old.group !== held.group && !isLocked(old)) {
        yield* free(gateway, old, true);
      }
      return { status: "deleted" };
    }
    const isNamed = info.content?.group === held.group &&
      broken !== "a group that M names is purged";
    const expect = broken === "delete expects nothing" ? undefined : record.sequence;
    const tombstone = publishing(`R:${version}`, tombstoneOf(held), expect);
    let { status } = yield* send(tombstone);
    let isInDoubt = false;
    if (status === "unanswered") {
      isInDoubt = true;
      ({ status } = yield* send(tombstone));
      if (status === "unanswered") return { status: "unknown" };
    }
    if (status === "full") {
      const outcome = yield* removeWithoutRoom(gateway, held, record.sequence, isNamed);
      if (outcome === "again") continue;
      return { status: outcome === "ok" ? "deleted" : "unknown" };
    }
    if (status === "conflict") {
      if (!isInDoubt) continue;
      if (version === "null") return { status: "unknown" };
      const { content } = yield* read(`R:${version}`);
      if (content?.kind !== "gone") continue;
    }
    if (!isNamed) yield* free(gateway, held);
    return { status: "deleted" };
  }
}

/** Removes the current version and promotes the newest of the others, in one atomic batch. */
function* removeCurrent(
  gateway: Gateway,
  held: Content,
  s: number,
  record: Message,
): Steps<"ok" | "again" | "unknown" | "full"> {
  const { broken } = gateway;
  const { content: old } = record;
  // A locked record that a held-up put has hidden is a version again.
  const isHidden = isRecord(old) && isLocked(old) && old.group !== held.group &&
    broken !== "delete removes a hidden locked record";
  const next = yield* newestRecord(gateway, isHidden ? undefined : held.version, held.ordinal);
  const own = `R:${held.version}`;
  if (next?.subject === own && next.message.sequence !== record.sequence) return "again";
  const messages: Publish[] = [];
  if (next === undefined) messages.push(publishing("M", contentOf({ kind: "deleted" }), s));
  else {
    const { subject, message: { sequence, content } } = next;
    messages.push(publishing("M", { ...content, from: 0 }, s));
    if (broken !== "promotion leaves the record") {
      messages.push(publishing(subject, content, sequence));
    }
  }
  if (!isHidden && broken !== "no tombstone for the current version") {
    messages.push(publishing(own, tombstoneOf(held), record.sequence));
  }
  if (isHidden && next?.subject !== own) messages.push(publishing(own, old, record.sequence));
  if (broken === "promotion without a batch") {
    for (const message of messages) {
      if ((yield* send(message)).status === "conflict") return "again";
    }
    return "ok";
  }
  let { status } = yield* send({ kind: "batch", messages });
  if (status === "unanswered") {
    ({ status } = yield* send({ kind: "batch", messages }));
    if (status === "unanswered" || status === "conflict" && held.version === "null") {
      return "unknown";
    }
    if (status === "conflict") {
      const { content } = yield* read(`R:${held.version}`);
      if (content?.kind === "gone") return "ok";
    }
  }
  return status === "conflict" ? "again" : status === "full" ? "full" : "ok";
}

type Candidate = {
  readonly subject: string;
  readonly message: { sequence: number; content: Content };
};

/**
 * Finds the newest version that has a record, except one. Records above the ordinal of the current version are tombstones,
 * so they are read last.
 */
function* newestRecord(
  { broken }: Gateway,
  except: string | undefined,
  below: number,
): Steps<Candidate | undefined> {
  const candidates: { subject: string; ordinal: number; message: Message | undefined }[] = [];
  for (const subject of yield* names("R:")) {
    const version = subject.slice(2);
    if (version === except) continue;
    const message = version === "null" ? yield* read(subject) : undefined;
    const ordinal = message === undefined ? ordinalOf(version) : message.content?.ordinal ?? 0;
    candidates.push({ subject, ordinal, message });
  }
  const isAbove = (ordinal: number): boolean => below > 0 && ordinal > below;
  candidates.sort((a, b) =>
    Number(isAbove(a.ordinal)) - Number(isAbove(b.ordinal)) || b.ordinal - a.ordinal
  );
  if (broken === "promotes the oldest") candidates.reverse();
  for (const { subject, message: known } of candidates) {
    const { sequence, content } = known ?? (yield* read(subject));
    if (isRecord(content)) return { subject, message: { sequence, content } };
  }
  return undefined;
}

/** Removes a noncurrent version in a stream that has no room for its tombstone. */
function* removeWithoutRoom(
  gateway: Gateway,
  held: Content,
  sequence: number,
  isNamed: boolean,
): Steps<"ok" | "again" | "unknown"> {
  const { broken } = gateway;
  const { status } = yield* send({ kind: "erase", sequence });
  if (status !== "ok") return "again";
  if (held.group !== "" && !isNamed) yield { kind: "purge", group: held.group };
  if (broken === "no tombstone in a full bucket") return "ok";
  const tombstone = publishing(`R:${held.version}`, tombstoneOf(held), 0);
  const outcome = yield* send(tombstone);
  return outcome.status === "ok" ? "ok" : outcome.status === "conflict" ? "again" : "unknown";
}

/** What a change of tags or protection answers. */
export type ChangeResult = { readonly status: "changed" | "missing" | "denied" | "unknown" };

/** Changes tags, legal hold or retention of a version. */
export function* change(
  gateway: Gateway,
  version: string,
  edit: (content: Content) => Content | undefined,
): Steps<ChangeResult> {
  while (true) {
    const { where, record, info } = yield* find(gateway, version);
    if (where === "nowhere") return { status: "missing" };
    const { sequence, content } = where === "M" ? info : record;
    if (content === undefined) continue;
    const edited = edit(content);
    if (edited === undefined) return { status: "denied" };
    const expect = gateway.broken === "changes expect nothing" ? undefined : sequence;
    const message = publishing(where === "M" ? "M" : `R:${version}`, edited, expect);
    let { status } = yield* send(message);
    if (status === "unanswered") {
      ({ status } = yield* send(message));
      if (status !== "ok") return { status: "unknown" };
    }
    if (status === "ok") return { status: "changed" };
    if (status === "full") return { status: "unknown" };
  }
}

/** What a read answers. "lost" says that a native client has destroyed the bytes. */
export type GetResult = {
  readonly status: "found" | "missing" | "lost";
  readonly group: string;
  readonly tags: number;
};

/** Reads a version, or the current one. */
export function* get({ broken }: Gateway, version: string | undefined): Steps<GetResult> {
  let info = yield* read("M");
  let before = 0;
  while (true) {
    let found: Message | undefined;
    const current = versionOf(info.content);
    if (current !== undefined && (version === undefined || current === version)) found = info;
    else if (version !== undefined) {
      const record = yield* read(`R:${version}`);
      if (isRecord(record.content)) found = record;
    }
    const { sequence = 0, content } = found ?? {};
    if (content?.kind === "object") {
      const { group, tags } = content;
      if (yield { kind: "bytes", group }) return { status: "found", group, tags };
      if (sequence === before) return { status: "lost", group: "", tags: 0 };
      before = sequence;
    } else if (content !== undefined) return { status: "found", group: "", tags: content.tags };
    if (content === undefined && broken === "get does not read M again" || version === undefined) {
      if (content === undefined) return { status: "missing", group: "", tags: 0 };
    }
    const again = yield* read("M");
    if (again.sequence === info.sequence && content === undefined) {
      return { status: "missing", group: "", tags: 0 };
    }
    info = again;
  }
}
