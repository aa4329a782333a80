/**
 * A stream that holds one key, for models of the versions protocol.
 *
 * Subject `M` holds the key's object info. Subjects `R:<version id>` hold records of noncurrent versions, `T:<group>`
 * hold trash. Chunk groups are names in a set. A version id is `<ordinal>.<name>` or `null`.
 * @module
 */

/** The content of a message. */
export type Content = {
  /** "deleted" is object info without a version; "gone" is the tombstone of a record; "trash" is a trash record. */
  readonly kind: "object" | "marker" | "deleted" | "gone" | "trash";
  /** The version id; "null" for object info that a native client wrote. */
  readonly version: string;
  /** 0 if it has none: native writes, and writes before versioning. */
  readonly ordinal: number;
  /** The chunk group; "" for none. */
  readonly group: string;
  readonly tags: number;
  readonly hold: boolean;
  /** The end of a COMPLIANCE retention; 0 for none. */
  readonly retention: number;
  /** The sequence of the object info that a record copies; 0 in object info. */
  readonly from: number;
  /** Whether our metadata is on it, which a native update wipes. */
  readonly isOurs: boolean;
};

/** The last message of a subject. The sequence is 0 if there is none. */
export type Message = { readonly sequence: number; readonly content: Content | undefined };

/** A publish. Without `expect` it always succeeds. */
export type Publish = {
  readonly kind: "publish";
  readonly subject: string;
  readonly content: Content;
  readonly expect: number | undefined;
};

/** A request of a client. */
export type Request =
  | Publish
  | { readonly kind: "batch"; readonly messages: readonly Publish[] }
  | { readonly kind: "read"; readonly subject: string }
  /** Lists the subjects of records or of trash. */
  | { readonly kind: "names"; readonly prefix: "R:" | "T:" }
  /** Lists all versions at one moment, as the index does. */
  | { readonly kind: "list" }
  /** Tells whether a group has its bytes. */
  | { readonly kind: "bytes"; readonly group: string }
  /** Stores the bytes of a group. */
  | { readonly kind: "store"; readonly group: string }
  | { readonly kind: "purge"; readonly group: string }
  /** Deletes a message by its sequence. */
  | { readonly kind: "erase"; readonly sequence: number }
  /** Delivers the next message after a sequence, as a consumer does. */
  | { readonly kind: "next"; readonly after: number }
  /** Lists groups that no running write has made. */
  | { readonly kind: "groups" }
  | { readonly kind: "mode" }
  | { readonly kind: "time" }
  | { readonly kind: "setMode"; readonly mode: Mode }
  /** Waits until no lease of the mode from before is valid. */
  | { readonly kind: "wait" };

/** Unversioned, Enabled or Suspended. */
export type Mode = "U" | "E" | "S";

/** The answer to a publish, a batch or an erasure. */
export type Published = {
  readonly status: "ok" | "conflict" | "full" | "unanswered";
  readonly sequence: number;
};

/** What a gateway knows of the bucket's mode, and when. */
export type Look = {
  readonly mode: Mode;
  readonly time: number;
  /** How often versioning has been enabled. */
  readonly enabled: number;
};

/** The answer to a request. */
export type Answer =
  | Message
  | Published
  | readonly string[]
  | readonly Content[]
  | { readonly subject: string; readonly message: Message }
  | Look
  | boolean;

/** Content with defaults. */
export function contentOf(fields: Partial<Content> & Pick<Content, "kind">): Content {
  const rest = { version: "null", ordinal: 0, group: "", tags: 0, hold: false, retention: 0 };
  return { ...rest, from: 0, isOurs: true, ...fields };
}

/** Returns the version that object info holds; undefined for none. */
export function versionOf(info: Content | undefined): string | undefined {
  return info?.kind === "object" || info?.kind === "marker" ? info.version : undefined;
}

/** Tells whether content is a version's record. */
export function isRecord(content: Content | undefined): content is Content {
  return content?.kind === "object" || content?.kind === "marker";
}

export function isLocked({ hold, retention }: Content): boolean {
  return hold || retention > 0;
}

const ABSENT: Message = { sequence: 0, content: undefined };

/** Number of units of room that a message occupies. */
const roomOf = ({ kind }: Content): number => kind === "gone" || kind === "deleted" ? 1 : 2;
/** Number of units of room that a chunk group occupies. */
const GROUP_ROOM = 3;

/** The stream. */
export class World {
  sequence = 0;
  readonly subjects = new Map<string, Message>();
  readonly groups = new Set<string>();
  /** Room that is left before the stream refuses publishes. */
  room = Infinity;
  mode: Mode = "E";
  /** Rises when all leases of the mode run out. */
  time = 0;
  /** Rises when versioning is enabled. */
  enabled = 0;

  last(subject: string): Message {
    return this.subjects.get(subject) ?? ABSENT;
  }

  publish(messages: readonly Publish[]): Published {
    let needed = 0;
    for (const { subject, content, expect } of messages) {
      if (expect !== undefined && this.last(subject).sequence !== expect) {
        return { status: "conflict", sequence: 0 };
      }
      needed += roomOf(content);
    }
    if (needed > this.room) return { status: "full", sequence: 0 };
    for (const { subject, content } of messages) {
      this.#remove(subject);
      this.room -= roomOf(content);
      this.subjects.set(subject, { sequence: ++this.sequence, content });
    }
    return { status: "ok", sequence: this.sequence };
  }

  erase(sequence: number): Published {
    for (const [subject, message] of this.subjects) {
      if (message.sequence !== sequence) continue;
      this.#remove(subject);
      return { status: "ok", sequence };
    }
    return { status: "conflict", sequence: 0 };
  }

  purge(group: string): void {
    if (this.groups.delete(group)) this.room += GROUP_ROOM;
  }

  next(after: number): { readonly subject: string; readonly message: Message } {
    let found = { subject: "", message: ABSENT };
    for (const [subject, message] of this.subjects) {
      if (message.sequence <= after) continue;
      if (found.subject === "" || message.sequence < found.message.sequence) {
        found = { subject, message };
      }
    }
    return found;
  }

  /** Answers a request that is neither a publish nor about groups of running writes. */
  answer(
    request: Exclude<Request, { readonly kind: "publish" | "batch" | "purge" | "groups" }>,
  ): Answer {
    switch (request.kind) {
      case "read":
        if (request.subject !== "end") return this.last(request.subject);
        return { sequence: this.sequence, content: undefined };
      case "names":
        return [...this.subjects.keys()].filter((subject) => subject.startsWith(request.prefix))
          .sort();
      case "list":
        return this.versions();
      case "bytes":
        return this.groups.has(request.group);
      case "store":
        this.groups.add(request.group);
        return true;
      case "erase":
        return this.erase(request.sequence);
      case "next":
        return this.next(request.after);
      case "mode":
      case "time":
        return { mode: this.mode, time: this.time, enabled: this.enabled };
      case "setMode":
        this.mode = request.mode;
        if (request.mode === "E") this.enabled++;
        return true;
      case "wait":
        this.time++;
        return true;
    }
  }

  /** Returns all versions, the newest first. */
  versions(): readonly Content[] {
    const info = this.last("M").content;
    const current = versionOf(info);
    const found: Content[] = [];
    for (const [subject, { content }] of this.subjects) {
      if (subject.startsWith("R:") && isRecord(content) && content.version !== current) {
        found.push(content);
      }
    }
    found.sort((a, b) => b.ordinal - a.ordinal);
    return current === undefined || info === undefined ? found : [info, ...found];
  }

  #remove(subject: string): void {
    const { content } = this.last(subject);
    if (content !== undefined) this.room += roomOf(content);
    this.subjects.delete(subject);
  }
}
