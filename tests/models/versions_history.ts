/**
 * The sequential specification of a key's versions, and a check that a history is linearizable.
 * @module
 */

import type { Amended } from "./versions_held_up.ts";
import { edit, type Operation, type Result } from "./versions_operations.ts";
import { type Content, contentOf, isLocked, isRecord, type Mode } from "./versions_world.ts";

/** An operation that a client ran. */
export type Call = {
  readonly operation: Operation | { readonly kind: "amend"; readonly name: string } & Amended;
  readonly start: number;
  /** Infinity if it has not answered, or answered that it does not know. */
  end: number;
  result: Result;
};

/** Versions, the newest first. A first one of kind "deleted" says that the key has no current version. */
type State = { readonly versions: readonly Content[]; readonly mode: Mode };

/** Returns a version id without its ordinal, which the specification does not predict. */
function nameOf(version: string): string {
  return version.slice(version.indexOf(".") + 1);
}

/** Returns the facts of a version that clients see, as one string. */
function seen({ kind, version, group, tags, hold, retention }: Content): string {
  return `${kind} ${nameOf(version)} ${group} ${tags} ${hold} ${retention}`;
}

function isSame(left: readonly Content[], right: readonly Content[]): boolean {
  return left.length === right.length && left.every((item, i) => {
    const other = right[i];
    return other !== undefined && seen(item) === seen(other);
  });
}

/** Returns the versions that a listing shows. */
const visible = ({ versions }: State): readonly Content[] =>
  versions[0]?.kind === "deleted" ? versions.slice(1) : versions;

/**
 * Tells whether calls, in some order that respects real time, take initial versions to final ones and return their results.
 * A call without a result may have happened or not.
 */
export function isLinearizable(
  initial: State,
  calls: readonly Call[],
  final: readonly Content[],
): boolean {
  const done = calls.map(() => false);
  const search = (state: State): boolean => {
    if (calls.every(({ end }, i) => done[i] || end === Infinity) && isSame(visible(state), final)) {
      return true;
    }
    return calls.some((call, i) => {
      if (done[i] || calls.some(({ end }, j) => !done[j] && end < call.start)) return false;
      done[i] = true;
      const isFound = apply(state, call).some(search);
      done[i] = false;
      return isFound;
    });
  };
  return search(initial);
}

/** Returns the states that a call can lead to; none if its result contradicts the state. */
function apply(state: State, { operation, result }: Call): readonly State[] {
  const { versions } = state;
  const shown = visible(state);
  const isUnknown = result === undefined || result.status === "unknown";
  switch (operation.kind) {
    case "put":
      return applyPut(state, operation, result as Extract<Result, { status: "stored" }>, isUnknown);
    case "delete": {
      const found = shown.find(({ version }) => version === operation.version);
      const isHeld = found !== undefined && isLocked(found);
      if (result?.status === "denied") return isHeld ? [state] : [];
      if (result?.status === "full") return [state];
      if (isHeld) return [];
      return [{ ...state, versions: versions.filter((item) => item !== found) }];
    }
    case "tag":
    case "hold":
    case "retain": {
      const found = shown.find(({ version }) => version === operation.version);
      if (found === undefined) return isUnknown || result?.status === "missing" ? [state] : [];
      const edited = edit(found, operation);
      if (edited === undefined) return isUnknown || result?.status === "denied" ? [state] : [];
      if (!isUnknown && result?.status !== "changed") return [];
      return [{ ...state, versions: versions.map((item) => item === found ? edited : item) }];
    }
    case "get": {
      if (isUnknown) return [state];
      const wanted = operation.version === undefined
        ? versions[0]?.kind === "deleted" ? undefined : versions[0]
        : shown.find(({ version }) => version === operation.version);
      const { status, group, tags } = result as Extract<Result, { readonly group: string }>;
      if (wanted === undefined) return status === "missing" ? [state] : [];
      return status === "found" && wanted.group === group && wanted.tags === tags ? [state] : [];
    }
    case "list":
      if (isUnknown) return [state];
      return result?.status === "listed" && isSame(result.versions, shown) ? [state] : [];
    case "amend":
      return applyAmendment(state, operation);
    case "setMode":
      return [{ ...state, mode: operation.mode }];
    default:
      return [state];
  }
}

function applyPut(
  state: State,
  { name, mode, isMarker, condition, retention }: Extract<Operation, { readonly kind: "put" }>,
  result: Result,
  isUnknown: boolean,
): readonly State[] {
  const [current] = state.versions;
  const found = current?.kind === "object" ? current.group : "";
  const isRefused = condition !== undefined && condition !== found;
  if (isUnknown) {
    if (isRefused) return [];
    const modes: readonly Mode[] = mode === undefined ? ["U", "E", "S"] : [mode];
    return modes.map(stored);
  }
  if (result?.status === "failed") return isRefused ? [state] : [];
  if (result?.status !== "stored") return [state]; // refused for a lock or for want of room
  const { mode: as, amended } = result;
  return isRefused ||
      mode === undefined && amended === undefined && as !== "E" && state.mode === "E"
    ? []
    : [stored(as)];

  function stored(as: Mode): State {
    const version = as === "E" ? name : "null";
    const kind = isMarker ? as === "U" ? "deleted" : "marker" : "object";
    const group = isMarker ? "" : name;
    const made = contentOf({ kind, version, group, retention });
    const rest = state.versions.filter(({ kind }) => kind !== "deleted");
    if (as === "E") return { ...state, versions: [made, ...rest] };
    const others = rest.filter(({ version }) => version !== "null");
    return { ...state, versions: [made, ...others] };
  }
}

/** Gives the current version an id, or not, and inserts the version that returns. */
function applyAmendment(
  state: State,
  { name, version, kept }: { readonly name: string } & Amended,
): readonly State[] {
  let { versions } = state;
  if (version !== undefined) {
    const [made, ...rest] = versions;
    if (made === undefined || made.group !== "" && made.group !== name) return [];
    const kind = made.kind === "deleted" ? "marker" : made.kind;
    versions = [{ ...made, kind, version }, ...rest];
  }
  if (!isRecord(kept)) return [{ ...state, versions }];
  // If its put is gone already, it returns without being current.
  const behind = [contentOf({ kind: "deleted" }), kept, ...versions];
  return [behind, ...versions.concat(kept).map((_, i) => versions.toSpliced(i, 0, kept))]
    .map((versions) => ({ ...state, versions }));
}
