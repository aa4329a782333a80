/**
 * Steps that operations of the versions protocol share.
 *
 * An operation is a generator: it yields one request at a time and is sent the answer, so that an explorer decides what
 * happens between two requests.
 * @module
 */

import type { AnyRule } from "./versions_rules.ts";
import {
  type Answer,
  type Content,
  contentOf,
  isLocked,
  isRecord,
  type Look,
  type Message,
  type Publish,
  type Published,
  type Request,
  versionOf,
} from "./versions_world.ts";

/** Steps with a result. */
export type Steps<T> = Generator<Request, T, Answer>;

/** The gateway that runs an operation. */
export type Gateway = {
  /** The rule that this gateway breaks. */
  readonly broken: AnyRule | undefined;
  /** Whether groups are small enough to be purged at once. */
  readonly isSmall: boolean;
};

export function* read(subject: string): Steps<Message> {
  return (yield { kind: "read", subject }) as Message;
}

export function* names(prefix: "R:" | "T:"): Steps<readonly string[]> {
  return (yield { kind: "names", prefix }) as readonly string[];
}

export function* send(request: Request): Steps<Published> {
  return (yield request) as Published;
}

export function* lookAtMode(): Steps<Look> {
  return (yield { kind: "mode" }) as Look;
}

export function publishing(subject: string, content: Content, expect?: number): Publish {
  return { kind: "publish", subject, content, expect };
}

/** Returns the tombstone of a version. It keeps the ordinal. */
export function tombstoneOf({ version, ordinal }: Content): Content {
  return contentOf({ kind: "gone", version, ordinal });
}

/** Returns the ordinal in a version id; 0 for `null`. */
export function ordinalOf(version: string): number {
  return version === "null" ? 0 : Number(version.slice(0, version.indexOf(".")));
}

/** Returns the highest ordinal of all records and tombstones. */
export function* highestOrdinal({ broken }: Gateway): Steps<number> {
  let highest = 0;
  for (const subject of yield* names("R:")) {
    const version = subject.slice(2);
    if (version === "null" || broken === "ordinal without tombstones") {
      const { content } = yield* read(subject);
      if (content?.kind === "gone" && broken === "ordinal without tombstones") continue;
      highest = Math.max(highest, content?.ordinal ?? 0);
    } else highest = Math.max(highest, ordinalOf(version));
  }
  return highest;
}

/**
 * Returns the ordinal of current object info, or the one that it counts as: two above the highest of the records, so that
 * a version that a held-up put preserves fits in between.
 */
export function* ordinalNow(gateway: Gateway, info: Content): Steps<number> {
  if (info.ordinal > 0) return info.ordinal;
  if (gateway.broken === "native writes count as ordinal zero") return 0;
  return (yield* highestOrdinal(gateway)) + 2;
}

/**
 * Stores the record of the current version `info`, which was read at sequence `s`.
 *
 * @returns "stale" if it is no longer the current version
 */
export function* archive(
  gateway: Gateway,
  info: Content,
  s: number,
): Steps<"done" | "stale" | "full"> {
  const { broken } = gateway;
  const subject = `R:${info.version}`;
  const record = { ...info, from: s, ordinal: yield* ordinalNow(gateway, info) };
  let expect: number | undefined = broken === "archive overwrites" ? undefined : 0;
  let replaced: Content | undefined;
  while (true) {
    const messages = [publishing(subject, record, expect)];
    // A held-up put may have hidden a null version that is locked: it gets an id of its own.
    const isKept = replaced !== undefined && isLocked(replaced) &&
      broken !== "archive replaces a locked record";
    if (replaced !== undefined && isKept) messages.push(keeping(replaced));
    const { status } = yield* send({ kind: "batch", messages });
    if (status === "ok") {
      if (replaced !== undefined && !isKept) yield* free(gateway, replaced, true);
      return "done";
    }
    if (status === "full") return "full";
    const { sequence, content } = yield* read(subject);
    if (broken !== "archive does not read M again") {
      if ((yield* read("M")).sequence !== s) return "stale";
    }
    if (isRecord(content)) {
      if (broken === "archive accepts any record" || content.from === s) return "done";
    } else if (content !== undefined && broken === "archive accepts a tombstone") return "done";
    replaced = isRecord(content) && content.group !== info.group ? content : undefined;
    expect = sequence;
  }
}

/** Returns the record of a version under an id of its own, because its id now belongs to another one. */
export function keeping(info: Content): Publish {
  const version = `${info.ordinal}.${info.group}-kept`; // in the gateway, 22 random characters
  return publishing(`R:${version}`, { ...info, version }, 0);
}

/** Stores a version under an id of its own. */
export function* preserve(info: Content): Steps<Content | undefined> {
  const message = keeping(info);
  while (true) {
    const { status } = yield* send(message);
    if (status === "full") return undefined;
    if (status !== "unanswered") return message.content;
  }
}

/**
 * Frees the group of a version that is gone: purges it at once, or leaves it to the trash.
 *
 * @param isDoubtful Whether something else may name the group: then only the trash decides.
 */
export function* free(gateway: Gateway, info: Content, isDoubtful = false): Steps<void> {
  const { group, version, isOurs } = info;
  if (group === "") return;
  const isCertain = isOurs || gateway.broken === "doubtful groups are purged at once";
  if (gateway.isSmall && isCertain && !isDoubtful) yield { kind: "purge", group };
  else {
    const trash = contentOf({ kind: "trash", group, version, isOurs: isCertain && !isDoubtful });
    yield publishing(`T:${group}`, trash);
  }
}

/** Reads a version: its record first, and then the object info, which wins. */
export type Found = {
  readonly where: "M" | "R" | "nowhere";
  readonly record: Message;
  readonly info: Message;
};

/** Finds a version for a change. */
export function* find({ broken }: Gateway, version: string): Steps<Found> {
  while (true) {
    let record: Message;
    let info: Message;
    if (broken === "find reads M first") {
      info = yield* read("M");
      record = yield* read(`R:${version}`);
    } else {
      record = yield* read(`R:${version}`);
      info = yield* read("M");
    }
    if (versionOf(info.content) === version && broken !== "records win") {
      return { where: "M", record, info };
    }
    if (isRecord(record.content)) return { where: "R", record, info };
    if (broken === "records win" && versionOf(info.content) === version) {
      return { where: "M", record, info };
    }
    if (broken === "absence is believed at once") return { where: "nowhere", record, info };
    const again = yield* read(`R:${version}`);
    if (again.sequence === record.sequence) return { where: "nowhere", record, info };
  }
}
