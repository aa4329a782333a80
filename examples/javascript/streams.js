/**
 * `@aws-sdk/client-s3`: uploads a stream of unknown length in parts, downloads it as a stream, and lets a browser upload
 * without credentials through a presigned URL.
 *
 * Run it with Node while `deno task dev` is running:
 *
 *     . examples/dev.sh
 *     npm install --no-package-lock --prefix examples/javascript
 *     node examples/javascript/streams.js
 */

// deno-lint-ignore-file no-console

import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";

const Bucket = "example-javascript";

// AWS_ENDPOINT_URL, the credentials and AWS_REGION come from the environment. Path style needs no DNS.
const s3 = new S3Client({ forcePathStyle: true });
await s3.send(new CreateBucketCommand({ Bucket }));

// Upload. The length of a generator is unknown; no more than a few parts are ever in memory.
const sent = createHash("sha256");
async function* lines() {
  for (let i = 0; i < 300_000; i++) {
    const line = Buffer.from(`line ${i} of a log that is written while it is sent\n`);
    sent.update(line);
    yield line;
  }
}
await new Upload({
  client: s3,
  params: { Bucket, Key: "log.txt", Body: Readable.from(lines()), ContentType: "text/plain" },
}).done();

// Download, again as a stream.
const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket, Key: "log.txt" }));
const received = createHash("sha256");
for await (const piece of Body) received.update(piece);
if (sent.digest("hex") !== received.digest("hex")) throw new Error("Other bytes came back");
console.log(`streamed ${ContentLength} bytes up and down`);

// Read only the first line, with a range.
const first = await s3.send(new GetObjectCommand({ Bucket, Key: "log.txt", Range: "bytes=0-5" }));
console.log(`${first.ContentRange}: ${await first.Body.transformToString()}`);

// A presigned upload. The server creates the URL; a browser does the fetch and can send only an image.
const url = await getSignedUrl(
  s3,
  new PutObjectCommand({ Bucket, Key: "avatar.png", ContentType: "image/png" }),
  { expiresIn: 600, signableHeaders: new Set(["content-type"]) },
);
const body = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);
const refused = await fetch(url, { method: "PUT", headers: { "content-type": "text/html" }, body });
const taken = await fetch(url, { method: "PUT", headers: { "content-type": "image/png" }, body });
console.log(`presigned upload: ${refused.status} for text/html, ${taken.status} for image/png`);

const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
await s3.send(new DeleteBucketCommand({ Bucket }));
console.log(`deleted ${Contents.map(({ Key }) => Key).join(", ")}`);
