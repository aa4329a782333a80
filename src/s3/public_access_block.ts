/**
 * The public access block of a bucket or an account: what nobody may give to everybody, whatever policies and ACLs say.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 * @module
 */

import { S3Error } from "./errors.ts";
import { formatXml } from "./xml.ts";
import { parseXml } from "./xml_reader.ts";

/** The four switches, as AWS names them. */
export const BLOCKS = [
  "BlockPublicAcls",
  "IgnorePublicAcls",
  "BlockPublicPolicy",
  "RestrictPublicBuckets",
] as const;

/** Which of the switches are on. */
export type PublicAccessBlock = { readonly [Block in typeof BLOCKS[number]]: boolean };

/** A block that blocks nothing. */
export const BLOCKS_NOTHING: PublicAccessBlock = {
  BlockPublicAcls: false,
  IgnorePublicAcls: false,
  BlockPublicPolicy: false,
  RestrictPublicBuckets: false,
};

/** A block that blocks everything, which is AWS's default for new buckets. */
export const BLOCKS_EVERYTHING: PublicAccessBlock = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

/** Name of the root element. */
export const BLOCK_ROOT = "PublicAccessBlockConfiguration";
/** Maximum number of tags: far more than there are. */
const MAX_TAGS = 100;

/**
 * Parses a `PublicAccessBlockConfiguration`. A switch that it does not name is off.
 *
 * @throws S3Error `MalformedXML`
 *
 * @example Usage
 * ```ts
 * import { parsePublicAccessBlock } from "./public_access_block.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const block = parsePublicAccessBlock(
 *   "<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>",
 * );
 * strictEqual(block.BlockPublicPolicy, true);
 * strictEqual(block.RestrictPublicBuckets, false);
 * ```
 */
export function parsePublicAccessBlock(text: string): PublicAccessBlock {
  const { children } = parseXml(text, BLOCK_ROOT, MAX_TAGS);
  const block = { ...BLOCKS_NOTHING };
  const named = new Set<string>();
  for (const { name, text, children: inner } of children) {
    const isSwitch = isBlock(name) && !named.has(name) && inner.length === 0;
    const value = text.trim().toLowerCase();
    if (!isSwitch || value !== "true" && value !== "false") throw new S3Error("MalformedXML");
    named.add(name);
    block[name] = value === "true";
  }
  return block;
}

/** Formats a block, as the document of a bucket and as S3 Control returns it. */
export function formatPublicAccessBlock(block: PublicAccessBlock): string {
  return formatXml(BLOCK_ROOT, block);
}

function isBlock(name: string): name is typeof BLOCKS[number] {
  return (BLOCKS as readonly string[]).includes(name);
}
