/**
 * How far the lifecycle rules of a bucket were carried out, as the bucket's document `lifecycleRun` says it. If a gateway dies,
 * another one continues there.
 * @module
 */

import { createHash } from "node:crypto";

/** The progress of a run. */
export type LifecycleState = {
  /** Which rules were carried out, see {@linkcode digestOf}. */
  readonly rules: string;
  /** The day of the run, counted from 1970. */
  readonly day: number;
  /** The run has ended. */
  readonly isDone: boolean;
  /** Nothing is left to judge of keys up to this one; "" at the beginning. */
  readonly after: string;
  /** What was due a day before or longer, and could not be removed. */
  readonly overdue: number;
};

/** Returns a short text that stands for a configuration. */
export function digestOf(configuration: string): string {
  return createHash("sha256").update(configuration).digest("base64url").slice(0, 22);
}

/** Returns the document of a state. */
export function formatState(state: LifecycleState): string {
  return JSON.stringify(state);
}

/** Parses a document, which anybody may have written; undefined if it is none. */
export function parseState(text: string | undefined): LifecycleState | undefined {
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null) return undefined;
  const { rules, day, isDone, after, overdue } = json as Readonly<Record<string, unknown>>;
  const isValid = typeof rules === "string" && isCount(day) && typeof isDone === "boolean" &&
    typeof after === "string" && isCount(overdue);
  return isValid ? { rules, day, isDone, after, overdue } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
