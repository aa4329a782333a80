/** An upload of as many parts as S3 takes: its records stay within a message, and every byte is found. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { infoSubject, records } from "../../src/nats/layout/subjects.ts";
import type { Nuid } from "../../src/nats/layout/nuid.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import type { BucketName, ObjectKey, PartNumber } from "../../src/s3/names.ts";
import type { CompletedPart, CompleteInput, PartInfo } from "../../src/store/store.ts";
import {
  input,
  read,
  sameBytes,
  someBytes,
  storeOnServer,
  subjectsOfStream,
} from "./store_on_server.ts";

const bucket = "parts" as BucketName;
const store = bucket as string as StoreName;
const key = "k" as ObjectKey;
const PARTS = 10_000;
const IN_FLIGHT = 100;
const INFO_LIMIT = 8 * 1024;
const LAYOUT_LIMIT = 1_000_000;

/** 10 to 50 bytes, unlike those before. */
const sizes = Array.from({ length: PARTS }, (_, i) => 10 + (i * 29) % 41);
const starts: number[] = [];
let total = 0;
for (const size of sizes) {
  starts.push(total);
  total += size;
}
const whole = someBytes(total);
const partBytes = (i: number): Uint8Array => {
  const start = starts[i] ?? 0;
  return whole.subarray(start, start + (sizes[i] ?? 0));
};

const digest = (algorithm: "md5" | "sha256", bytes: Uint8Array): Buffer => {
  return createHash(algorithm).update(bytes).digest();
};

Deno.test("an object of 10,000 parts is one message and a layout record, and reads as one", async () => {
  await using given = await storeOnServer({ store: { minPartSize: 1, grace: 0 } });
  await given.store.createBucket(bucket, "alice");
  // SHA-256 of every part: the longest layout record there is.
  const id = await given.store.createUpload(bucket, key, {
    properties: input(whole).properties,
    owner: "alice",
    algorithm: "SHA256",
    checksumType: "COMPOSITE",
  });

  const named: CompletedPart[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (next < PARTS) {
      const i = (next++ * 7919) % PARTS; // in no order
      const number = i + 1 as PartNumber;
      const { content, signal } = input(partBytes(i));
      const { etag, checksum } = await given.store.putPart(bucket, key, id, number, {
        content: { ...content, algorithm: "SHA256" },
        signal,
      });
      strictEqual(etag, digest("md5", partBytes(i)).toString("hex"));
      const value = checksum ?? "";
      named[i] = { number, etag, checksum: { algorithm: "SHA256", value } };
    }
  }));

  const listed: PartInfo[] = [];
  let pages = 0;
  for (let after: number | undefined = 0; after !== undefined; pages++) {
    const page = await given.store.listParts(bucket, key, id, { after, limit: 1000 });
    listed.push(...page.items);
    after = page.next;
  }
  strictEqual(pages, PARTS / 1000);
  deepStrictEqual(
    listed.map(({ number, size, etag }) => ({ number: number as number, size, etag })),
    named.map(({ number, etag }, i) => ({ number: number as number, size: sizes[i], etag })),
  );

  const completion: CompleteInput = {
    parts: named,
    precondition: {},
    checksum: undefined,
    size: total,
  };
  const made = await given.store.completeUpload(bucket, key, id, completion);
  const md5s = Buffer.concat(sizes.map((_, i) => digest("md5", partBytes(i))));
  const sha256s = Buffer.concat(sizes.map((_, i) => digest("sha256", partBytes(i))));
  const etag = `${digest("md5", md5s).toString("hex")}-${PARTS}`;
  const checksum = {
    algorithm: "SHA256",
    type: "COMPOSITE",
    value: `${digest("sha256", sha256s).toString("base64")}-${PARTS}`,
  };
  strictEqual(made.etag, etag);
  strictEqual(made.size, total);
  deepStrictEqual(made.checksum, checksum);

  const again = await given.store.completeUpload(bucket, key, id, completion);
  deepStrictEqual(
    [again.etag, again.size, again.checksum, again.modified],
    [made.etag, made.size, made.checksum, made.modified],
  );

  const messageSize = async (subject: string): Promise<number> => {
    const reply = await given.connection.request(
      `$JS.API.STREAM.MSG.GET.OBJ_${store}`,
      JSON.stringify({ last_by_subj: subject }),
    );
    const { message } = reply.json<{ message?: { data?: string } }>();
    return Buffer.from(message?.data ?? "", "base64").length;
  };
  const info = await messageSize(infoSubject(store, key));
  ok(info > 0 && info < INFO_LIMIT, `object info has ${info} bytes`);
  const layout = await messageSize(records.layout(store, id as string as Nuid));
  ok(layout > 0 && layout < LAYOUT_LIMIT, `the layout record has ${layout} bytes`);
  await given.store.emptyTrash(bucket);
  const left = Object.keys(await subjectsOfStream(given.connection, `OBJ_${store}`))
    .filter((subject) => subject.startsWith(`$O.${store}.S3.part.`));
  deepStrictEqual(left, [], "records of parts");

  const object = await read(given.store, bucket, key);
  strictEqual(object.info.etag, etag);
  deepStrictEqual(object.info.partSizes, sizes);
  ok(sameBytes(object.bytes, whole), "the whole object");
  const ranges: (readonly [start: number, end: number])[] = [
    [0, 0],
    [total - 1, total - 1],
    [5, 60], // two parts and some of their neighbours
    [total - 1234, total - 1],
    [1000, 200_000],
  ];
  for (const i of [0, 1, 2, 4999, 5000, PARTS - 2, PARTS - 1]) {
    const start = starts[i] ?? 0;
    const end = start + (sizes[i] ?? 0);
    ranges.push([start, end - 1], [Math.max(start - 1, 0), Math.min(end, total - 1)]);
  }
  for (const [start, end] of ranges) {
    const { bytes } = await read(given.store, bucket, key, { start, end });
    ok(sameBytes(bytes, whole.subarray(start, end + 1)), `bytes ${start}-${end}`);
  }
});
