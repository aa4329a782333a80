/**
 * The public access block that is in force for a bucket: its own one and that of its account, whichever is stricter.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 *
 * A block is as of at most a second ago. One of a bucket that cannot be read blocks everything.
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import type { Directory } from "../iam/directory.ts";
import type { BucketName } from "../s3/names.ts";
import {
  BLOCKS_EVERYTHING,
  BLOCKS_NOTHING,
  parsePublicAccessBlock,
  type PublicAccessBlock,
} from "../s3/public_access_block.ts";
import type { Store } from "../store/store.ts";
import type { Users } from "../store/users.ts";

/** Where the blocks come from. */
export type BlockSources = {
  readonly documents: Pick<Store, "readDocument" | "knownDocument">;
  readonly users: Pick<Users, "current" | "read">;
};

/** One of the four switches. */
export type Block = keyof PublicAccessBlock;

/** Number of buckets whose blocks are kept. */
const MAX_KEPT = 10_000;

type Kept = { readonly text: string; readonly block: PublicAccessBlock };

/** The blocks of buckets and accounts. */
export class PublicAccessBlocks {
  readonly #documents: BlockSources["documents"];
  readonly #users: BlockSources["users"];
  readonly #kept = new BoundedCache<Kept>(MAX_KEPT);

  constructor({ documents, users }: BlockSources) {
    this.#documents = documents;
    this.#users = users;
  }

  /** Returns whether a switch is on for a bucket, if that is known to be current; undefined if it must be read. */
  current(block: Block, bucket: BucketName, account: string | undefined): boolean | undefined {
    const text = this.#documents.knownDocument(bucket, "publicAccessBlock");
    const directory = this.#users.current();
    if (text === undefined || directory === undefined) return undefined;
    return isOn(directory, block, account) || this.#parse(bucket, text ?? undefined)[block];
  }

  /**
   * Reads whether a switch is on for a bucket.
   *
   * @param reader Reads the document of the bucket; the store by default.
   * @throws S3Error `NoSuchBucket`, `ServiceUnavailable`, `InternalError` for a record that nobody can read
   */
  async read(
    block: Block,
    bucket: BucketName,
    account: string | undefined,
    reader: Pick<Store, "readDocument"> = this.#documents,
  ): Promise<boolean> {
    const text = await reader.readDocument(bucket, "publicAccessBlock");
    return await this.ofAccount(block, account) || this.#parse(bucket, text)[block];
  }

  /**
   * Reads whether a switch is on for all buckets of an account.
   *
   * @throws S3Error `ServiceUnavailable`
   */
  async ofAccount(block: Block, account: string | undefined): Promise<boolean> {
    return isOn(this.#users.current() ?? await this.#users.read(), block, account);
  }

  #parse(bucket: BucketName, text: string | undefined): PublicAccessBlock {
    if (text === undefined) return BLOCKS_NOTHING;
    const kept = this.#kept.get(bucket);
    if (kept?.text === text) return kept.block;
    const block = parse(text);
    this.#kept.set(bucket, { text, block }, 1);
    return block;
  }
}

function isOn(directory: Directory, block: Block, account: string | undefined): boolean {
  return account !== undefined && directory.blockOf(account)?.[block] === true;
}

function parse(text: string): PublicAccessBlock {
  try {
    return parsePublicAccessBlock(text);
  } catch {
    return BLOCKS_EVERYTHING;
  }
}
