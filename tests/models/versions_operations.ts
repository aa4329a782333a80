/**
 * Operations that clients of a versions model run.
 * @module
 */

import {
  change,
  type ChangeResult,
  type DeleteResult,
  deleteVersion,
  get,
  type GetResult,
} from "./versions_changes.ts";
import { emptyTrash, type Native, native, sweep } from "./versions_cleanup.ts";
import { type Put, put, type PutResult } from "./versions_put.ts";
import { type Gateway, lookAtMode, type Steps } from "./versions_steps.ts";
import type { Content, Mode } from "./versions_world.ts";

/** A change of a version's tags or protection. */
export type Change =
  | { readonly kind: "tag"; readonly version: string; readonly tags: number }
  | { readonly kind: "hold"; readonly version: string; readonly hold: boolean }
  | { readonly kind: "retain"; readonly version: string; readonly retention: number };

/** An operation. */
export type Operation =
  | Put
  | Change
  | { readonly kind: "delete"; readonly version: string }
  | { readonly kind: "get"; readonly version: string | undefined }
  | { readonly kind: "list" }
  | { readonly kind: "setMode"; readonly mode: Mode }
  | { readonly kind: "emptyTrash" }
  | { readonly kind: "sweep" }
  | { readonly kind: "native"; readonly does: Native; readonly name: string };

/** What an operation answers; undefined if it answers nothing. */
export type Result =
  | PutResult
  | DeleteResult
  | ChangeResult
  | GetResult
  | { readonly status: "listed"; readonly versions: readonly Content[] }
  | undefined;

/** Returns content with a change, or undefined if a lock forbids it. */
export function edit(content: Content, operation: Change): Content | undefined {
  switch (operation.kind) {
    case "tag":
      return { ...content, tags: operation.tags };
    case "hold":
      return { ...content, hold: operation.hold };
    case "retain":
      if (operation.retention < content.retention) return undefined;
      return { ...content, retention: operation.retention };
  }
}

/** Starts an operation. */
export function* start(gateway: Gateway, operation: Operation): Steps<Result> {
  switch (operation.kind) {
    case "put":
      return yield* put(gateway, operation);
    case "delete":
      return yield* deleteVersion(gateway, operation.version);
    case "tag":
    case "hold":
    case "retain":
      return yield* change(gateway, operation.version, (content) => edit(content, operation));
    case "get":
      return yield* get(gateway, operation.version);
    case "list":
      return { status: "listed", versions: (yield { kind: "list" }) as readonly Content[] };
    case "setMode":
      if (operation.mode === "E" && gateway.broken !== "Unversioned and Enabled at the same time") {
        // No gateway may still overwrite in place without a look at R[null] when the first one archives.
        if ((yield* lookAtMode()).mode === "U") {
          yield { kind: "setMode", mode: "S" };
          yield { kind: "wait" };
        }
      }
      yield { kind: "setMode", mode: operation.mode };
      yield { kind: "wait" };
      return undefined;
    case "emptyTrash":
      yield* emptyTrash(gateway);
      return undefined;
    case "sweep":
      yield* sweep(gateway);
      return undefined;
    case "native":
      yield* native(operation.does, operation.name);
      return undefined;
  }
}
