/**
 * The shape of a verb of a command: `nats-s3 buckets list`.
 * @module
 */

import type { CommandFlagName } from "../config/commands.ts";
import type { Config } from "../config/config.ts";
import { shown } from "../config/shown_text.ts";
import type { VersionCount } from "../nats/listing/count_versions.ts";
import type { NatsStore } from "../nats/store.ts";
import { type BucketName, parseBucketName } from "../s3/names.ts";

/** The operands and flags of a verb. */
export type VerbInput = {
  readonly operands: readonly string[];
  readonly flags: ReadonlyMap<CommandFlagName, string>;
  /** All values of each flag, in order; `flags` has the last. */
  readonly repeated: ReadonlyMap<CommandFlagName, readonly string[]>;
};

/** What a verb works on, and where it prints. */
export type VerbContext = {
  readonly store: NatsStore;
  readonly config: Config;
  /** The settings of new buckets. */
  readonly settings: Config["bucket"];
  readonly print: (line: string) => void;
  /** Reads the standard input to its end. */
  readonly readInput: () => Promise<string>;
  /** Prints a warning, apart from the result. */
  readonly warn: (line: string) => void;
};

/** A verb of a command. */
export type Verb = {
  /** Placeholders of the operands; one in brackets may be absent. */
  readonly usage: string;
  readonly help: string;
  readonly flags: readonly CommandFlagName[];
  /**
   * Checks operands and flags, and returns the work.
   *
   * @throws RangeError for the user
   */
  readonly plan: (input: VerbInput) => (context: VerbContext) => Promise<void>;
};

/**
 * Parses an operand that names a bucket.
 *
 * @throws RangeError for the user
 */
export function parseBucket(text: string): BucketName {
  return parseOperand("bucket", text, (text) => {
    try {
      return parseBucketName(text);
    } catch (cause) {
      throw new RangeError("it is not the name of a bucket", { cause });
    }
  });
}

/**
 * Parses an operand, with a message that names it.
 *
 * @param parse Throws an error whose message says what is wrong with the text.
 * @throws RangeError for the user
 */
export function parseOperand<T>(name: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`Cannot use ${name}${shown(text)}: ${reason}`, { cause });
  }
}

/** Counts the objects of a bucket; if that is not possible, warns and returns undefined. */
export function countObjects(
  context: VerbContext,
  bucket: BucketName,
): Promise<number | undefined> {
  return warnUnlessCounted(context, bucket, ({ count }) => count(bucket));
}

/** Counts objects, noncurrent versions and delete markers of a bucket in the same way. */
export function countVersions(
  context: VerbContext,
  bucket: BucketName,
): Promise<VersionCount | undefined> {
  return warnUnlessCounted(context, bucket, ({ countVersions }) => countVersions(bucket));
}

async function warnUnlessCounted<T>(
  { store, warn }: VerbContext,
  bucket: BucketName,
  count: (administration: NatsStore["administration"]) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await count(store.administration);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    warn(`Cannot count the objects of bucket "${bucket}": ${reason}`);
    return undefined;
  }
}
