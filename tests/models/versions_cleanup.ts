/**
 * Cleanup and native clients in the versions protocol.
 * @module
 */

import { type Gateway, names, publishing, read, type Steps } from "./versions_steps.ts";
import {
  type Content,
  contentOf,
  isLocked,
  isRecord,
  type Message,
  versionOf,
} from "./versions_world.ts";

/** Purges groups in the trash that nothing names. */
export function* emptyTrash({ broken }: Gateway): Steps<void> {
  for (const subject of yield* names("T:")) {
    const { sequence, content: trash } = yield* read(subject);
    if (trash === undefined) continue;
    if (!(yield* isNamed(broken, trash))) {
      if ((yield* read(subject)).sequence !== sequence) continue; // it was freed again
      yield { kind: "purge", group: trash.group };
    }
    yield { kind: "erase", sequence };
  }
}

/** Tells whether a version names a group: object info first, then records. */
function* isNamed(broken: Gateway["broken"], { group, version, isOurs }: Content): Steps<boolean> {
  if (broken === "the purger asks nobody") return false;
  let early: Message | undefined;
  if (broken === "the purger reads R first") early = yield* read(`R:${version}`);
  const { content: info } = yield* read("M");
  const current = versionOf(info);
  if (current !== undefined && info?.group === group) return true;
  if (broken === "the purger asks M alone") return false;
  const isOne = isOurs || broken === "the purger asks one version about a doubtful group";
  const records = isOne ? [`R:${version}`] : yield* names("R:");
  for (const subject of records) {
    const { content } = early ?? (yield* read(subject));
    // While the object info holds the version, it wins.
    if (isRecord(content) && content.group === group && content.version !== current) return true;
  }
  return false;
}

/** Purges old groups that nothing names, and removes records that the object info has made obsolete. */
export function* sweep({ broken }: Gateway): Steps<void> {
  let named = new Set<string>();
  if (broken === "the sweep reads names first") named = (yield* readNames(broken)).named;
  const groups = (yield { kind: "groups" }) as readonly string[];
  let obsolete: readonly Message[] = [];
  if (broken !== "the sweep reads names first") ({ named, obsolete } = yield* readNames(broken));
  for (const group of groups) {
    if (!named.has(group)) yield { kind: "purge", group };
  }
  // By sequence, which needs no room. No tombstone is due: the version is current.
  for (const { sequence } of obsolete) yield { kind: "erase", sequence };
}

type Names = { readonly named: Set<string>; readonly obsolete: readonly Message[] };

/** Reads all names in one pass of one consumer, until nothing is pending. */
function* readNames(broken: Gateway["broken"]): Steps<Names> {
  const named = new Set<string>();
  const records = new Map<string, Message>();
  let info: Message = { sequence: 0, content: undefined };
  let position = 0;
  let limit = Infinity;
  if (broken === "the sweep stops at the end it saw") limit = (yield* read("end")).sequence;
  while (true) {
    const { subject, message } = (yield { kind: "next", after: position }) as {
      readonly subject: string;
      readonly message: Message;
    };
    if (subject === "" || message.sequence > limit) break;
    position = message.sequence;
    const { content } = message;
    if (subject.startsWith("T:") || content === undefined) continue;
    if (subject === "M") info = message;
    else if (broken === "the sweep reads M alone") continue;
    else records.set(subject, message);
    if (content.kind !== "deleted") named.add(content.group);
  }
  const obsolete = records.values().filter(({ content }) => {
    if (!isRecord(content) || content.version !== versionOf(info.content)) return false;
    if (broken === "the sweep removes useful archives") return true;
    if (isLocked(content)) return false;
    // A later archive of this version replaces the record first, so it is of no use to anybody.
    return content.from !== info.sequence && content.group !== info.content?.group;
  });
  return { named, obsolete: [...obsolete] };
}

/** Native operations: none of them expects a sequence. */
export type Native = "put" | "delete" | "update";

/** Runs an operation of a native client. */
export function* native(operation: Native, name: string): Steps<void> {
  const { content: info } = yield* read("M");
  if (operation === "put") {
    yield { kind: "store", group: name };
    yield publishing("M", contentOf({ kind: "object", group: name, isOurs: false }));
    if (info?.kind === "object") yield { kind: "purge", group: info.group };
  } else if (info?.kind === "object" && operation === "update") {
    // It replaces the metadata as a whole, ours included.
    yield publishing("M", contentOf({ kind: "object", group: info.group, isOurs: false }));
  } else if (info !== undefined && operation === "delete") {
    // It keeps the metadata, so the version id and the ordinal stay in the object info.
    yield publishing("M", { ...info, kind: info.kind === "object" ? "deleted" : info.kind });
    if (info.group !== "") yield { kind: "purge", group: info.group };
  }
}
