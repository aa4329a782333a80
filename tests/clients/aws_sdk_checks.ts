/**
 * Checks of `@aws-sdk/client-s3` and its companions against a gateway. They use only what Deno and Node have in common:
 * Node runs this file bundled, as a program that prints a line of JSON per check.
 * @module
 */

import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  ListBucketsCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  paginateListParts,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import process from "node:process";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";

/** A gateway's address, and the client's credentials. */
export type Endpoint = {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** The gateway behind proxies that corrupt uploads, or downloads; ASCII bytes pass unchanged. */
  readonly spoilt: { readonly uploads: string; readonly downloads: string };
};

/** The arguments of a check. */
export type Given = {
  readonly s3: S3Client;
  /** Clients whose uploads, or downloads, are corrupted on the way. */
  readonly spoilt: { readonly uploads: S3Client; readonly downloads: S3Client };
  /** An existing bucket. */
  readonly bucket: string;
  /** Headers of the requests that the client has sent, newest last. */
  readonly sent: readonly Readonly<Record<string, string>>[];
};

const MIB = 1024 * 1024;

/** All checks by name; each gets its own bucket. */
export const CHECKS: Readonly<Record<string, (given: Given) => Promise<void>>> = {
  "PutObject of text, bytes and a stream of known length": async (given) => {
    for (
      const [key, Body] of Object.entries({
        text: "text é",
        bytes: randomBytes(3 * MIB),
        empty: new Uint8Array(),
      })
    ) {
      const { ETag, ChecksumCRC32 } = await put(given, { Key: key, Body });
      strictEqual(ETag, `"${createHash("md5").update(Body).digest("hex")}"`);
      strictEqual(ChecksumCRC32, crc32Of(Buffer.from(Body)), "the default checksum");
      ok(Buffer.from(Body).equals(await read(given, { Key: key })));
    }
    const body = randomBytes(2 * MIB + 1);
    await put(given, {
      Key: "stream",
      Body: Readable.from(piecesOf(body)),
      ContentLength: body.length,
    });
    const headers = given.sent.at(-1);
    strictEqual(headers?.["x-amz-content-sha256"], "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    strictEqual(headers?.["x-amz-decoded-content-length"], String(body.length));
    ok(body.equals(await read(given, { Key: "stream" })));
    strictEqual((await head(given, "stream")).ContentEncoding, undefined, "not aws-chunked");
  },

  "Upload of a stream of unknown length": async (given) => {
    for (const size of [0, 1000, 17 * MIB + 3]) {
      const body = randomBytes(size);
      const upload = new Upload({
        client: given.s3,
        params: {
          Bucket: given.bucket,
          Key: `upload/${size}`,
          Body: Readable.from(piecesOf(body)),
          ContentType: "text/x-upload",
          Metadata: { one: "1" },
        },
      });
      await upload.done();
      const { ContentType, Metadata } = await head(given, `upload/${size}`);
      deepStrictEqual({ ContentType, Metadata }, {
        ContentType: "text/x-upload",
        Metadata: { one: "1" },
      });
      ok(body.equals(await read(given, { Key: `upload/${size}` })), `${size} bytes`);
    }
  },

  "each checksum algorithm, as header and trailer": async (given) => {
    const body = randomBytes(200_000);
    for (const algorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const) {
      const fields = `Checksum${algorithm}` as const;
      const whole = await put(given, { Key: "a", Body: body, ChecksumAlgorithm: algorithm });
      const streamed = await put(given, {
        Key: "b",
        Body: Readable.from(piecesOf(body)),
        ContentLength: body.length,
        ChecksumAlgorithm: algorithm,
      });
      ok(whole[fields], algorithm);
      strictEqual(streamed[fields], whole[fields], algorithm);
      for (const Key of ["a", "b"]) {
        // The client verifies what it receives, and throws on a mismatch.
        const got = await get(given, { Key, ChecksumMode: "ENABLED" });
        strictEqual(got[fields], whole[fields]);
        ok(body.equals(Buffer.from(await got.Body?.transformToByteArray() ?? [])));
      }
    }
    await refused(
      400,
      "BadDigest",
      put(given, { Key: "c", Body: body, ChecksumCRC32: "AAAAAA==" }),
    );
    await refused(404, "NotFound", head(given, "c"));
  },

  "the default checksum is kept, and verified on both ways": async (given) => {
    const { uploads, downloads } = given.spoilt;
    const body = randomBytes(300_000).map((byte) => byte | 0x80);
    const ChecksumCRC32 = crc32Of(Buffer.from(body));
    await put(given, { Key: "k", Body: body });
    const found = await head(given, "k", { ChecksumMode: "ENABLED" });
    deepStrictEqual([found.ChecksumCRC32, found.ChecksumType], [ChecksumCRC32, "FULL_OBJECT"]);
    strictEqual((await head(given, "k")).ChecksumCRC32, undefined, "not requested");

    await rejects(read({ ...given, s3: downloads }, { Key: "k" }), /checksum mismatch/i);
    const spoilt = put({ ...given, s3: uploads }, { Key: "other", Body: body });
    await rejects(spoilt, { $fault: "client" });
    const streamed = put({ ...given, s3: uploads }, {
      Key: "other",
      Body: Readable.from(piecesOf(Buffer.from(body))),
      ContentLength: body.length,
    });
    await rejects(streamed, { name: "BadDigest" });
    await refused(404, "NotFound", head(given, "other"));
    ok(Buffer.from(body).equals(await read(given, { Key: "k" })));
  },

  "Upload in parts: the checksum's type as it is asked for": async (given) => {
    const body = Buffer.from(randomBytes(11 * MIB).map((byte) => byte | 0x80));
    const pieces = [0, 5 * MIB, 10 * MIB].map((at) => body.subarray(at, at + 5 * MIB));
    const composite = `${crc32Of(Buffer.concat(pieces.map(crc32Bytes)))}-3`;
    const rows = [
      [{}, { ChecksumCRC32: composite, ChecksumType: "COMPOSITE" }],
      [{ ChecksumType: "FULL_OBJECT", ChecksumAlgorithm: "CRC32" }, {
        ChecksumCRC32: crc32Of(body),
        ChecksumType: "FULL_OBJECT",
      }],
      [{ ChecksumAlgorithm: "CRC64NVME" }, { ChecksumType: "FULL_OBJECT" }],
      [{ ChecksumAlgorithm: "SHA256" }, { ChecksumType: "COMPOSITE" }],
    ] as const;
    for (const [asked, expected] of rows) {
      const text = JSON.stringify(asked);
      const params = { Bucket: given.bucket, Key: "parts", Body: body, ...asked };
      const done = await new Upload({ client: given.s3, params, partSize: 5 * MIB }).done();
      const found = await head(given, "parts", { ChecksumMode: "ENABLED" });
      for (const [name, value] of Object.entries(expected)) {
        strictEqual(found[name as keyof typeof expected], value, text);
        strictEqual(done[name as keyof typeof expected], value, text);
      }
      ok(body.equals(await read(given, { Key: "parts" })), text);
      const spoilt = read({ ...given, s3: given.spoilt.downloads }, { Key: "parts" });
      // The client does not verify a checksum of checksums.
      if (expected.ChecksumType === "FULL_OBJECT") {
        await rejects(spoilt, /checksum mismatch/i, text);
      } else ok(!body.equals(await spoilt), "nothing was corrupted");
    }
    const params = { Bucket: given.bucket, Key: "other", Body: body };
    const spoilt = new Upload({ client: given.spoilt.uploads, params, partSize: 5 * MIB });
    await rejects(spoilt.done(), { $fault: "client" });
    await refused(404, "NotFound", head(given, "other"));
  },

  "GetObjectAttributes, with the parts in pages": async (given) => {
    const target = { Bucket: given.bucket, Key: "parts" };
    const body = randomBytes(11 * MIB);
    const pieces = [0, 5 * MIB, 10 * MIB].map((at) => body.subarray(at, at + 5 * MIB));
    const params = { ...target, Body: body };
    const { ETag } = await new Upload({ client: given.s3, params, partSize: 5 * MIB }).done();
    const all = await given.s3.send(
      new GetObjectAttributesCommand({
        ...target,
        ObjectAttributes: ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"],
      }),
    );
    strictEqual(`"${all.ETag}"`, ETag);
    strictEqual(all.ObjectSize, body.length);
    strictEqual(all.StorageClass, "STANDARD");
    ok(all.LastModified instanceof Date);
    deepStrictEqual(all.Checksum, {
      ChecksumCRC32: crc32Of(Buffer.concat(pieces.map(crc32Bytes))),
      ChecksumType: "COMPOSITE",
    });
    const parts = pieces.map((piece, i) => ({
      ChecksumCRC32: crc32Of(piece),
      PartNumber: i + 1,
      Size: piece.length,
    }));
    deepStrictEqual(all.ObjectParts?.Parts, parts);

    const page = async (PartNumberMarker?: string) => {
      const { ObjectParts } = await given.s3.send(
        new GetObjectAttributesCommand({
          ...target,
          ObjectAttributes: ["ObjectParts"],
          MaxParts: 2,
          PartNumberMarker,
        }),
      );
      strictEqual(ObjectParts?.TotalPartsCount, 3);
      strictEqual(ObjectParts.MaxParts, 2);
      return ObjectParts;
    };
    const first = await page();
    deepStrictEqual([first.Parts, first.IsTruncated], [parts.slice(0, 2), true]);
    const second = await page(first.NextPartNumberMarker);
    deepStrictEqual([second.Parts, second.IsTruncated], [parts.slice(2), false]);

    await put(given, { Key: "whole", Body: "text" });
    const whole = await given.s3.send(
      new GetObjectAttributesCommand({
        Bucket: given.bucket,
        Key: "whole",
        ObjectAttributes: ["ObjectParts", "Checksum"],
      }),
    );
    strictEqual(whole.ObjectParts, undefined);
    strictEqual(whole.Checksum?.ChecksumCRC32, crc32Of(Buffer.from("text")));
  },

  "GetObject: ranges, conditions, overrides, what does not exist": async (given) => {
    const body = randomBytes(1_000_000);
    const { ETag } = await put(given, { Key: "k", Body: body });
    const part = await get(given, { Key: "k", Range: "bytes=1000-299999" });
    strictEqual(part.ContentRange, "bytes 1000-299999/1000000");
    ok(
      body.subarray(1000, 300_000).equals(
        Buffer.from(await part.Body?.transformToByteArray() ?? []),
      ),
    );
    await refused(416, "InvalidRange", get(given, { Key: "k", Range: "bytes=1000000-" }));
    await refused(304, "Unknown", get(given, { Key: "k", IfNoneMatch: ETag }));
    await refused(412, "PreconditionFailed", get(given, { Key: "k", IfMatch: '"other"' }));
    const other = await get(given, {
      Key: "k",
      ResponseContentType: "text/other",
      ResponseExpires: new Date(0),
    });
    strictEqual(other.ContentType, "text/other");
    await other.Body?.transformToByteArray();
    await refused(404, "NoSuchKey", get(given, { Key: "none" }));
    await refused(404, "NotFound", head(given, "none"));
    await refused(404, "NoSuchBucket", given.s3.send(new ListObjectsV2Command({ Bucket: "none" })));
  },

  "a body that is not read to its end leaves the client usable": async (given) => {
    await put(given, { Key: "k", Body: randomBytes(8 * MIB) });
    for (let i = 0; i < 5; i++) {
      const { Body } = await get(given, { Key: "k" });
      (Body as unknown as Readable).destroy();
    }
    strictEqual((await read(given, { Key: "k" })).length, 8 * MIB);
  },

  "ListObjectsV2 in pages": async (given) => {
    const keys = ["a", "a b", "a+b", "b/1", "b/2", "c/1", "é", "\u{1f600}", "z%&<>"];
    for (const Key of keys) await put(given, { Key, Body: Key });
    keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const found: (string | undefined)[] = [];
    let pages = 0;
    for await (
      const page of paginateListObjectsV2({ client: given.s3, pageSize: 2 }, {
        Bucket: given.bucket,
      })
    ) {
      pages++;
      found.push(...(page.Contents ?? []).map(({ Key }) => Key));
      for (const { LastModified } of page.Contents ?? []) ok(LastModified instanceof Date);
    }
    deepStrictEqual(found, keys);
    strictEqual(pages, 5);
    const grouped = await given.s3.send(
      new ListObjectsV2Command({ Bucket: given.bucket, Delimiter: "/" }),
    );
    deepStrictEqual(grouped.CommonPrefixes, [{ Prefix: "b/" }, { Prefix: "c/" }]);
    strictEqual(grouped.KeyCount, keys.length - 1);
  },

  "multipart by hand, with a copied part": async (given) => {
    const target = { Bucket: given.bucket, Key: "in parts" };
    const source = randomBytes(6 * MIB);
    await put(given, { Key: "source", Body: source });
    const first = randomBytes(5 * MIB);
    const last = Buffer.from("last");
    const { UploadId } = await given.s3.send(new CreateMultipartUploadCommand(target));
    const part = async (PartNumber: number, Body: Buffer) => ({
      PartNumber,
      ...tags(
        await given.s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body })),
      ),
    });
    const copied = await given.s3.send(
      new UploadPartCopyCommand({
        ...target,
        UploadId,
        PartNumber: 2,
        CopySource: `${given.bucket}/source`,
        CopySourceRange: "bytes=1-5242880",
      }),
    );
    const Parts = [
      await part(1, first),
      { PartNumber: 2, ...tags(copied.CopyPartResult ?? {}) },
      await part(3, last),
    ];
    const listed: (number | undefined)[] = [];
    for await (
      const page of paginateListParts({ client: given.s3, pageSize: 2 }, { ...target, UploadId })
    ) listed.push(...(page.Parts ?? []).map(({ PartNumber }) => PartNumber));
    deepStrictEqual(listed, [1, 2, 3]);
    const done = await given.s3.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
    );
    match(done.ETag ?? "", /^"[0-9a-f]{32}-3"$/);
    const expected = Buffer.concat([first, source.subarray(1, 5_242_881), last]);
    ok(expected.equals(await read(given, { Key: "in parts" })));
  },

  "CopyObject, DeleteObject, DeleteObjects": async (given) => {
    await put(given, { Key: "from é+", Body: "copied", Metadata: { one: "1" } });
    await given.s3.send(
      new CopyObjectCommand({
        Bucket: given.bucket,
        Key: "to",
        CopySource: encodeURI(`${given.bucket}/from é+`).replaceAll("+", "%2B"),
      }),
    );
    strictEqual(String(await read(given, { Key: "to" })), "copied");
    deepStrictEqual((await head(given, "to")).Metadata, { one: "1" });
    await given.s3.send(new DeleteObjectCommand({ Bucket: given.bucket, Key: "to" }));
    await refused(404, "NotFound", head(given, "to"));
    const { Deleted, Errors } = await given.s3.send(
      new DeleteObjectsCommand({
        Bucket: given.bucket,
        Delete: { Objects: [{ Key: "from é+" }, { Key: "none <&>" }] },
      }),
    );
    deepStrictEqual(Deleted?.map(({ Key }) => Key).sort(), ["from é+", "none <&>"]);
    strictEqual(Errors, undefined);
  },

  "conditional writes": async (given) => {
    const { ETag } = await put(given, { Key: "k", Body: "1", IfNoneMatch: "*" });
    await refused(412, "PreconditionFailed", put(given, { Key: "k", Body: "2", IfNoneMatch: "*" }));
    await put(given, { Key: "k", Body: "2", IfMatch: ETag });
    await refused(412, "PreconditionFailed", put(given, { Key: "k", Body: "3", IfMatch: ETag }));
  },

  "fifty racing writers, one of which wins": async (given) => {
    const results = await Promise.allSettled(
      Array.from(
        { length: 50 },
        (_, i) => put(given, { Key: "race", Body: `writer ${i}`, IfNoneMatch: "*" }),
      ),
    );
    const winners = results.flatMap(({ status }, i) => status === "fulfilled" ? [i] : []);
    strictEqual(winners.length, 1);
    strictEqual(String(await read(given, { Key: "race" })), `writer ${winners[0]}`);
    for (const result of results) {
      if (result.status === "rejected") {
        ok(["PreconditionFailed", "ConditionalRequestConflict"].includes(result.reason.name));
      }
    }
  },

  "presigned URLs": async (given) => {
    const target = { Bucket: given.bucket, Key: "a b/é+%" };
    const to = await getSignedUrl(given.s3, new PutObjectCommand(target), { expiresIn: 60 });
    const put = await fetch(to, { method: "PUT", body: "presigned" });
    strictEqual(put.status, 200, await put.text());
    const from = await getSignedUrl(given.s3, new GetObjectCommand(target), { expiresIn: 60 });
    const got = await fetch(from);
    strictEqual(await got.text(), "presigned");
    const spoilt = await fetch(from.replace("X-Amz-Expires=60", "X-Amz-Expires=600"));
    strictEqual(spoilt.status, 403);
    match(await spoilt.text(), /SignatureDoesNotMatch/);
  },

  "metadata keeps what HTTP can carry": async (given) => {
    const properties = {
      ContentType: "text/x-odd; charset=utf-8",
      CacheControl: "max-age=5",
      ContentDisposition: 'attachment; filename="a b"',
      ContentEncoding: "gzip",
      ContentLanguage: "de",
      Metadata: { one: "1", "with-hyphen": "a, b; c=d" },
    };
    await put(given, { Key: "k", Body: "x", ...properties });
    const found = await head(given, "k");
    for (const [name, value] of Object.entries(properties)) {
      deepStrictEqual(found[name as keyof typeof properties], value, name);
    }
  },
};

/** Runs one check in its own bucket, and deletes the bucket afterwards. */
export async function runCheck(name: string, endpoint: Endpoint): Promise<void> {
  const { url, region, spoilt, ...credentials } = endpoint;
  const bucket = `sdk-${randomBytes(8).toString("hex")}`;
  const sent: Record<string, string>[] = [];
  const clientAt = (url: string): S3Client =>
    new S3Client({ endpoint: url, region, credentials, forcePathStyle: true, maxAttempts: 1 });
  const s3 = clientAt(url);
  const uploads = clientAt(spoilt.uploads);
  const downloads = clientAt(spoilt.downloads);
  s3.middlewareStack.add(
    (next) => (args) => {
      sent.push((args.request as { headers: Record<string, string> }).headers);
      return next(args);
    },
    { step: "finalizeRequest", priority: "low", name: "observe" },
  );
  try {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await CHECKS[name]?.({ s3, spoilt: { uploads, downloads }, bucket, sent });
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
    const { Buckets = [] } = await s3.send(new ListBucketsCommand());
    ok(!Buckets.some(({ Name }) => Name === bucket));
  } finally {
    for (const client of [s3, uploads, downloads]) client.destroy();
  }
}

function put(
  { s3, bucket }: Given,
  input: Omit<PutObjectCommandInput, "Bucket">,
) {
  return s3.send(new PutObjectCommand({ Bucket: bucket, ...input }));
}

function get({ s3, bucket }: Given, input: Omit<GetObjectCommandInput, "Bucket">) {
  return s3.send(new GetObjectCommand({ Bucket: bucket, ...input }));
}

async function read(given: Given, input: Omit<GetObjectCommandInput, "Bucket">): Promise<Buffer> {
  const { Body } = await get(given, input);
  return Buffer.from(await Body?.transformToByteArray() ?? []);
}

function head({ s3, bucket }: Given, key: string, more: Partial<HeadObjectCommandInput> = {}) {
  return s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ...more }));
}

async function refused(status: number, name: string, call: Promise<unknown>): Promise<void> {
  await rejects(call, (error) => {
    ok(error instanceof S3ServiceException, String(error));
    deepStrictEqual([error.$metadata.httpStatusCode, error.name], [status, name]);
    return true;
  });
}

function tags(
  { ETag, ChecksumCRC32 }: { ETag?: string | undefined; ChecksumCRC32?: string | undefined },
) {
  return { ETag, ChecksumCRC32 };
}

function crc32Of(bytes: Buffer): string {
  return crc32Bytes(bytes).toString("base64");
}

function crc32Bytes(bytes: Buffer): Buffer {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value;
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

/** As a program, the file takes the endpoint as JSON in its only argument. */
if (process.argv[2]?.startsWith("{")) {
  const endpoint: Endpoint = JSON.parse(process.argv[2]);
  for (const name of Object.keys(CHECKS)) {
    const error = await runCheck(name, endpoint).then(() => null, (cause) => cause.stack);
    process.stdout.write(JSON.stringify({ name, error }) + "\n");
  }
}
