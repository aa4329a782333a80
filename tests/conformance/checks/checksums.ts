/** Checksums and GetObjectAttributes. */

import { type Checks, shows } from "../check.ts";

/** Checksums of `hello`, by algorithm. */
const OF_HELLO = {
  CRC32: "NhCmhg==",
  CRC32C: "mnG7TA==",
  CRC64NVME: "M3eFcAZSQlc=",
  SHA1: "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
  SHA256: "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
} as const;

/** Names that aws-cli does not just turn into lower case. */
const FLAGS: Readonly<Record<string, string>> = { CRC32C: "crc32-c", CRC64NVME: "crc64-nvme" };

export const CHECKSUMS: Checks = {
  ...Object.fromEntries(
    Object.entries(OF_HELLO).map(([algorithm, value]) => [
      `${algorithm} is computed, stored and verified`,
      async ({ aws, read, refused }) => {
        const field = `Checksum${algorithm}`;
        const put = await aws`s3api put-object --bucket BUCKET --key a --body hello
          --checksum-algorithm ${algorithm}`;
        shows(put.json, { [field]: value, ChecksumType: "FULL_OBJECT" });
        const head = await aws`s3api head-object --bucket BUCKET --key a --checksum-mode ENABLED`;
        shows(head.json, { [field]: value, ChecksumType: "FULL_OBJECT" });
        const got = await aws`s3api get-object --bucket BUCKET --key a --checksum-mode ENABLED out`;
        shows(got.json, { [field]: value });
        shows(await read("out"), "hello");
        const flag = `--checksum-${FLAGS[algorithm] ?? algorithm.toLowerCase()}`;
        await aws`s3api put-object --bucket BUCKET --key b --body hello ${flag}=${value}`;
        await refused(
          "BadDigest",
          400,
        )`s3api put-object --bucket BUCKET --key c --body digits ${flag}=${value}`;
        await refused("404", 404)`s3api head-object --bucket BUCKET --key c`;
      },
    ]),
  ),
  "every object has a checksum; the client chooses which by default": async ({ put, aws }) => {
    await put("a");
    const head = await aws`s3api head-object --bucket BUCKET --key a --checksum-mode ENABLED`;
    const { ChecksumCRC32, ChecksumCRC64NVME } = head.json as Record<string, string | undefined>;
    shows(ChecksumCRC32 ?? ChecksumCRC64NVME, /=$/);
    shows(head.json, { ChecksumType: "FULL_OBJECT" });
  },
  "an invalid checksum is InvalidRequest": async ({ refused }) => {
    await refused(
      "InvalidRequest",
      400,
    )`s3api put-object --bucket BUCKET --key a --body hello --checksum-sha256 short`;
  },
  "of parts: COMPOSITE": async ({ aws }) => {
    await aws`s3 cp --no-progress --checksum-algorithm SHA256 twelve-mib s3://BUCKET/a`;
    shows((await aws`s3api head-object --bucket BUCKET --key a --checksum-mode ENABLED`).json, {
      ChecksumSHA256: /=-2$/,
      ChecksumType: "COMPOSITE",
    });
    await aws`s3 cp --no-progress --checksum-mode ENABLED s3://BUCKET/a out`;
  },
  "of parts: FULL_OBJECT": async ({ aws }) => {
    await aws`s3 cp --no-progress --checksum-algorithm CRC64NVME twelve-mib s3://BUCKET/a`;
    shows((await aws`s3api head-object --bucket BUCKET --key a --checksum-mode ENABLED`).json, {
      ChecksumCRC64NVME: /=$/,
      ChecksumType: "FULL_OBJECT",
    });
  },
  "of a part: stored, listed, and compared at Complete": async ({ aws, refused }) => {
    const begun = await aws`s3api create-multipart-upload --bucket BUCKET --key a
      --checksum-algorithm SHA1`;
    const { UploadId } = begun.json as { UploadId: string };
    shows(begun.json, { ChecksumAlgorithm: "SHA1", ChecksumType: "COMPOSITE" });
    const part = await aws`s3api upload-part --bucket BUCKET --key a --upload-id=${UploadId}
      --part-number 1 --body hello --checksum-algorithm SHA1`;
    shows(part.json, { ChecksumSHA1: OF_HELLO.SHA1 });
    const { ETag } = part.json as { ETag: string };
    const parts = await aws`s3api list-parts --bucket BUCKET --key a --upload-id=${UploadId}`;
    shows(parts.json, { Parts: [{ ChecksumSHA1: OF_HELLO.SHA1 }], ChecksumAlgorithm: "SHA1" });
    const wrong = { PartNumber: 1, ETag, ChecksumSHA1: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
    await refused("InvalidPart", 400)`s3api complete-multipart-upload --bucket BUCKET --key a
      --upload-id=${UploadId} --multipart-upload ${JSON.stringify({ Parts: [wrong] })}`;
    const right = { ...wrong, ChecksumSHA1: OF_HELLO.SHA1 };
    const done = await aws`s3api complete-multipart-upload --bucket BUCKET --key a
      --upload-id=${UploadId} --multipart-upload ${JSON.stringify({ Parts: [right] })}`;
    shows(done.json, { ChecksumSHA1: /=-1$/, ChecksumType: "COMPOSITE" });
  },
  "get-object-attributes returns the requested attributes": async ({ aws }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body hello --checksum-algorithm SHA256`;
    const all = await aws`s3api get-object-attributes --bucket BUCKET --key a
      --object-attributes ETag Checksum ObjectSize StorageClass`;
    shows(all.json, {
      ETag: "5d41402abc4b2a76b9719d911017c592",
      Checksum: { ChecksumSHA256: OF_HELLO.SHA256, ChecksumType: "FULL_OBJECT" },
      ObjectSize: 5,
      StorageClass: "STANDARD",
      LastModified: /20\d\d/,
    });
    const size = await aws`s3api get-object-attributes --bucket BUCKET --key a
      --object-attributes ObjectSize`;
    shows(size.json, { ObjectSize: 5, ETag: undefined });
  },
  "get-object-attributes returns the parts in pages": async ({ aws }) => {
    await aws`s3 cp --no-progress --checksum-algorithm SHA256 twelve-mib s3://BUCKET/a`;
    const { json } = await aws`s3api get-object-attributes --bucket BUCKET --key a
      --object-attributes ObjectParts --max-parts 1`;
    shows(json, {
      ObjectParts: {
        TotalPartsCount: 2,
        IsTruncated: true,
        NextPartNumberMarker: 1,
        Parts: [{ PartNumber: 1, Size: 8 * 1024 * 1024, ChecksumSHA256: /=$/ }],
      },
    });
  },
  "get-object-attributes of a missing object is NoSuchKey": async ({ refused }) => {
    await refused("NoSuchKey", 404)`s3api get-object-attributes --bucket BUCKET --key none
      --object-attributes ETag`;
  },
};
