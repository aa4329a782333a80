/**
 * The smallest store that keeps the promises of `store.ts`: for tests, and as the readable reference.
 *
 * Everything between reading a body and answering is synchronous, so a commit needs no lock.
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { createChecksumHasher } from "../../s3/checksum_algorithms.ts";
import { checkWrite, type WritePrecondition } from "../../s3/conditions.ts";
import { S3Error } from "../../s3/errors.ts";
import { compareUtf8, sortedKeys } from "../../s3/key_order.ts";
import { listPage } from "../../s3/listing.ts";
import { compareUploads, listUploadPage } from "../../s3/upload_listing.ts";
import { assembleParts, checkPartAlgorithm, MIN_PART_SIZE } from "../../s3/multipart.ts";
import {
  type BucketName,
  isS3BucketName,
  type ObjectKey,
  type PartNumber,
  type UploadId,
} from "../../s3/names.ts";
import type { BucketInfo } from "../buckets.ts";
import type { ContentInput, Received } from "../content.ts";
import type { ListedObject, ListPage, ListQuery } from "../listings.ts";
import type {
  ChooseRange,
  InfoOptions,
  ObjectContent,
  ObjectInfo,
  ObjectInput,
} from "../objects.ts";
import type { Store } from "../store.ts";
import type {
  CompleteInput,
  PartInfo,
  UploadInfo,
  UploadInput,
  UploadPage,
  UploadQuery,
} from "../uploads.ts";
import { sourceOf, whileReading } from "../../streams/byte_source.ts";

type StoredObject = {
  readonly info: ObjectInfo;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly partChecksums: readonly string[] | undefined;
};
type StoredPart = PartInfo & { readonly bytes: Uint8Array<ArrayBuffer> };
type Upload = {
  readonly info: UploadInfo;
  readonly input: UploadInput;
  readonly parts: Map<number, StoredPart>;
  /** What Complete made: it may be asked again. */
  completed?: ObjectInfo;
};
type Bucket = {
  readonly info: BucketInfo;
  readonly objects: Map<ObjectKey, StoredObject>;
  readonly uploads: Map<UploadId, Upload>;
};

/** A store that keeps everything in memory. */
export class MemoryStore implements Store {
  readonly #buckets = new Map<BucketName, Bucket>();
  readonly #minPartSize: number;
  readonly #now: () => Date;

  /** `minPartSize` is in bytes; S3's own where it is not given. */
  constructor(options: { readonly minPartSize?: number; readonly now?: () => Date } = {}) {
    this.#minPartSize = options.minPartSize ?? MIN_PART_SIZE;
    this.#now = options.now ?? ((): Date => new Date());
  }

  async listBuckets(): Promise<readonly BucketInfo[]> {
    const infos = Array.from(this.#buckets.values(), ({ info }) => info);
    return await Promise.resolve(infos.sort((a, b) => compareUtf8(a.name, b.name)));
  }

  // deno-lint-ignore require-await
  async createBucket(bucket: BucketName, owner: string): Promise<void> {
    if (!isS3BucketName(bucket)) throw new S3Error("InvalidBucketName", { BucketName: bucket });
    const existing = this.#buckets.get(bucket);
    if (existing !== undefined) {
      const code = existing.info.owner === owner
        ? "BucketAlreadyOwnedByYou"
        : "BucketAlreadyExists";
      throw new S3Error(code, { BucketName: bucket });
    }
    const info = { name: bucket, created: this.#now(), owner };
    this.#buckets.set(bucket, { info, objects: new Map(), uploads: new Map() });
  }

  // deno-lint-ignore require-await
  async readBucket(bucket: BucketName): Promise<BucketInfo> {
    return this.#bucket(bucket).info;
  }

  // deno-lint-ignore require-await
  async deleteBucket(bucket: BucketName): Promise<void> {
    if (this.#bucket(bucket).objects.size > 0) {
      throw new S3Error("BucketNotEmpty", { BucketName: bucket });
    }
    this.#buckets.delete(bucket);
  }

  // deno-lint-ignore require-await
  async readObject(
    bucket: BucketName,
    key: ObjectKey,
    options?: InfoOptions,
  ): Promise<ObjectInfo> {
    return infoOf(this.#object(bucket, key), options);
  }

  // deno-lint-ignore require-await
  async getObject(
    bucket: BucketName,
    key: ObjectKey,
    choose: ChooseRange,
    options?: InfoOptions,
  ): Promise<ObjectContent> {
    const object = this.#object(bucket, key);
    const { bytes } = object;
    const info = infoOf(object, options);
    const range = choose(info);
    if (range === "nothing" || info.size === 0) return { info, range, body: null };
    const body = range === "all" ? bytes.slice() : bytes.slice(range.start, range.end + 1);
    return { info, range, body };
  }

  async putObject(bucket: BucketName, key: ObjectKey, input: ObjectInput): Promise<ObjectInfo> {
    const { content, properties, owner, precondition, signal } = input;
    await this.#orCancel(content, () => {
      // A write that cannot succeed is refused before its body is read.
      this.#checkWrite(this.#bucket(bucket), key, precondition);
    });
    const { bytes, received } = await receive(content, signal);
    const { size, md5, checksum } = received;
    return this.#commit(bucket, key, precondition, bytes, {
      key,
      size,
      etag: md5,
      modified: this.#now(),
      properties,
      checksum: content.algorithm === undefined || checksum === undefined
        ? undefined
        : { algorithm: content.algorithm, value: checksum, type: "FULL_OBJECT" },
      owner,
      partSizes: undefined,
      retention: undefined,
    });
  }

  // deno-lint-ignore require-await
  async deleteObject(
    bucket: BucketName,
    key: ObjectKey,
    precondition: WritePrecondition,
  ): Promise<void> {
    const held = this.#bucket(bucket);
    this.#checkWrite(held, key, precondition);
    held.objects.delete(key);
  }

  // deno-lint-ignore require-await
  async listObjects(bucket: BucketName, query: ListQuery): Promise<ListPage> {
    const { objects } = this.#bucket(bucket);
    const listed = Array.from(objects.values(), ({ info }) => asListed(info));
    const index = sortedKeys(listed.sort((a, b) => compareUtf8(a.key, b.key)));
    const { entries, commonPrefixes, next } = listPage(index, query);
    return { objects: entries, commonPrefixes, next };
  }

  // deno-lint-ignore require-await
  async createUpload(bucket: BucketName, key: ObjectKey, input: UploadInput): Promise<UploadId> {
    const id = randomUUID() as string as UploadId;
    const { owner, algorithm, checksumType, properties } = input;
    const info = {
      key,
      id,
      initiated: this.#now(),
      owner,
      algorithm,
      checksumType,
      storageClass: properties.system.storageClass,
    };
    this.#bucket(bucket).uploads.set(id, { info, input, parts: new Map() });
    return id;
  }

  async putPart(
    bucket: BucketName,
    key: ObjectKey,
    id: UploadId,
    number: PartNumber,
    { content, signal }: {
      readonly content: ContentInput;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<PartInfo> {
    await this.#orCancel(content, () => {
      checkPartAlgorithm(this.#upload(bucket, key, id).info.algorithm, content.algorithm);
    });
    const { bytes, received } = await receive(content, signal);
    // It may have been completed or aborted meanwhile.
    const { info: { algorithm }, parts } = this.#upload(bucket, key, id);
    const part = {
      number,
      size: received.size,
      etag: received.md5,
      modified: this.#now(),
      checksum: algorithm === undefined ? undefined : received.checksum,
    };
    parts.set(number, { ...part, bytes });
    return part;
  }

  // deno-lint-ignore require-await
  async readUpload(bucket: BucketName, key: ObjectKey, id: UploadId): Promise<UploadInfo> {
    return this.#upload(bucket, key, id).info;
  }

  // deno-lint-ignore require-await
  async listParts(
    bucket: BucketName,
    key: ObjectKey,
    id: UploadId,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): ReturnType<Store["listParts"]> {
    const { info, parts } = this.#upload(bucket, key, id);
    const rest = [...parts.values()].filter(({ number }) => number > after)
      .sort((a, b) => a.number - b.number);
    const items = rest.slice(0, limit).map(({ bytes: _, ...part }) => part);
    const next = rest.length > items.length ? items.at(-1)?.number : undefined;
    return { upload: info, items, next };
  }

  // deno-lint-ignore require-await
  async listUploads(bucket: BucketName, query: UploadQuery): Promise<UploadPage> {
    const open = [...this.#bucket(bucket).uploads.values()]
      .filter(({ completed }) => completed === undefined);
    return listUploadPage(open.map(({ info }) => info).sort(compareUploads), query);
  }

  async completeUpload(
    bucket: BucketName,
    key: ObjectKey,
    id: UploadId,
    input: CompleteInput,
  ): Promise<ObjectInfo> {
    const upload = this.#bucket(bucket).uploads.get(id);
    if (upload?.completed !== undefined && upload.info.key === key) return upload.completed;
    const open = this.#upload(bucket, key, id);
    const assembly = await assembleParts(open.info, open.parts, input, this.#minPartSize);
    // Another Complete or an Abort may have been faster.
    if (open.completed !== undefined) return open.completed;
    this.#upload(bucket, key, id);

    const { parts, size, etag, checksum } = assembly;
    const bytes = concat(parts.map(({ bytes }) => bytes));
    const partChecksums = checksum && parts.flatMap(({ checksum }) => checksum ?? []);
    const info = {
      key,
      size,
      etag,
      modified: this.#now(),
      properties: open.input.properties,
      checksum,
      owner: open.info.owner,
      partSizes: parts.map(({ size }) => size),
      retention: undefined,
    };
    open.completed = this.#commit(bucket, key, input.precondition, bytes, info, partChecksums);
    open.parts.clear();
    return open.completed;
  }

  // deno-lint-ignore require-await
  async abortUpload(bucket: BucketName, key: ObjectKey, id: UploadId): Promise<void> {
    this.#upload(bucket, key, id);
    this.#bucket(bucket).uploads.delete(id);
  }

  /** Locks an object, as the Go gateway nats-s3 does. For tests: no operation does so yet. */
  retain(bucket: BucketName, key: ObjectKey, until: Date): void {
    const { info, ...more } = this.#object(bucket, key);
    const retention = { mode: "GOVERNANCE", until };
    this.#bucket(bucket).objects.set(key, { info: { ...info, retention }, ...more });
  }

  #bucket(bucket: BucketName): Bucket {
    const held = this.#buckets.get(bucket);
    if (held === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucket });
    return held;
  }

  #object(bucket: BucketName, key: ObjectKey): StoredObject {
    const object = this.#bucket(bucket).objects.get(key);
    if (object === undefined) throw new S3Error("NoSuchKey", { Key: key });
    return object;
  }

  /** An upload that is neither completed nor aborted. */
  #upload(bucket: BucketName, key: ObjectKey, id: UploadId): Upload {
    const upload = this.#bucket(bucket).uploads.get(id);
    if (upload === undefined || upload.info.key !== key || upload.completed !== undefined) {
      throw new S3Error("NoSuchUpload", { UploadId: id });
    }
    return upload;
  }

  /** Whether this key may be written or deleted now. */
  #checkWrite({ objects }: Bucket, key: ObjectKey, precondition: WritePrecondition): void {
    const current = objects.get(key)?.info;
    checkWrite(precondition, current, key);
    const retention = current?.retention;
    if (retention !== undefined && retention.until > this.#now()) {
      throw new S3Error("AccessDenied", {}, {
        message: "Access Denied because object protected by object lock.",
      });
    }
  }

  #commit(
    bucket: BucketName,
    key: ObjectKey,
    precondition: WritePrecondition,
    bytes: Uint8Array<ArrayBuffer>,
    info: ObjectInfo,
    partChecksums?: readonly string[],
  ): ObjectInfo {
    const held = this.#bucket(bucket);
    this.#checkWrite(held, key, precondition);
    held.objects.set(key, { info, bytes, partChecksums });
    return info;
  }

  /** Runs a check; when it throws, the body that nobody will read is cancelled. */
  async #orCancel({ stream }: ContentInput, check: () => void): Promise<void> {
    try {
      check();
    } catch (cause) {
      await stream.cancel(cause).catch(() => {});
      throw cause;
    }
  }
}

function infoOf({ info, partChecksums }: StoredObject, options: InfoOptions = {}): ObjectInfo {
  const isWanted = options.partChecksums === true && partChecksums !== undefined;
  return isWanted ? { ...info, partChecksums } : info;
}

/** Reads a body to its end and checks it. */
async function receive(
  { stream, size, algorithm, verify }: ContentInput,
  signal: AbortSignal | undefined,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; received: Received }> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  const checksum = algorithm === undefined ? undefined : await createChecksumHasher(algorithm);
  const chunks: Uint8Array[] = [];
  let total = 0;
  const source = sourceOf(stream);
  await whileReading(source, signal, async () => {
    for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
      total += chunk.length;
      if (size !== undefined && total > size) throw new S3Error("IncompleteBody");
      md5.update(chunk);
      sha256.update(chunk);
      checksum?.update(chunk);
      chunks.push(chunk);
    }
  });
  if (size !== undefined && total < size) throw new S3Error("IncompleteBody");

  const received = {
    size: total,
    md5: md5.digest("hex"),
    sha256: sha256.digest("hex"),
    checksum: checksum?.digest(),
  };
  verify(received);
  return { bytes: concat(chunks), received };
}

function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(pieces));
}

function asListed(
  { key, size, etag, modified, owner, checksum, properties }: ObjectInfo,
): ListedObject {
  const { storageClass } = properties.system;
  return { key, size, etag, modified, owner, checksum, storageClass };
}
