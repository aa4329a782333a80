/**
 * The creator of a bucket, in the metadata of its stream. A CreateBucket may end before it has recorded the owner: then only
 * the creator may finish it.
 *
 * Pure. The stream and the creator are stored in one step. The owner is recorded afterwards, and others may write into the
 * bucket in between. The record of the owner, once it is there, decides alone.
 * @module
 */

type Metadata = Readonly<Record<string, string>>;

/** Key of the creator in the metadata. */
const CREATOR = "s3-creator";

/** Returns metadata that name the creator by the text of the owner's record. */
export function withCreator(metadata: Metadata, creator: string): Metadata {
  return { ...metadata, [CREATOR]: creator };
}

/** Tells whether metadata name a creator. */
export function isCreator(metadata: Metadata | undefined, creator: string): boolean {
  return metadata?.[CREATOR] === creator;
}
