/**
 * Additional checksums: CRC32, CRC32C, CRC64NVME, SHA-1, SHA-256.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * @module
 */

/** The algorithms, as `x-amz-checksum-algorithm` spells them. */
export const CHECKSUM_ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
/** One of {@linkcode CHECKSUM_ALGORITHMS}. */
export type ChecksumAlgorithm = typeof CHECKSUM_ALGORITHMS[number];
/** Over all bytes, or over the parts' checksums (then the value ends with `-<parts>`). */
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

/** The checksum of an object or a part. */
export type Checksum = {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; of a composite one with `-<parts>` after it. */
  readonly value: string;
  readonly type: ChecksumType;
};
