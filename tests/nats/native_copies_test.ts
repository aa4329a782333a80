/** Copies of native objects, whose chunks may be smaller or larger than the gateway's own. */

import { ok } from "node:assert/strict";
import { connectByTcp } from "../../src/nats/connection/tcp_transport.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { createTestGateway, readXml, textsAt } from "../api/test_gateway.ts";
import { read, sameBytes, someBytes, STORE_OPTIONS, storeOnServer } from "./store_on_server.ts";

const bucket = "bucket" as BucketName; // the one that a test gateway makes
const KIB = 1024;

Deno.test("CopyObject and UploadPartCopy copy native objects with chunks of any size", async () => {
  await using given = await storeOnServer();
  const { native } = given;
  // The gateway's own transport: each large message has a buffer of its own, which is freed as soon as possible.
  const connection = await connectByTcp({ servers: given.server.url });
  using store = createNatsStore(connection, { ...STORE_OPTIONS, minPartSize: 1 });
  const { ok: send } = await createTestGateway({ store });
  const objects = await native.open(bucket);
  for (const chunk of [64, 127, 128, 129, 256, 300, 512, 1023]) {
    for (const size of [chunk * KIB, 3_000_001]) {
      const name = `${chunk}-${size}`;
      const bytes = someBytes(size, chunk);
      await objects.put(
        { name, options: { max_chunk_size: chunk * KIB } },
        ReadableStream.from([bytes]) as ReadableStream<Uint8Array>,
      );
      const headers = { "x-amz-copy-source": `/${bucket}/${name}` };
      await (await send("PUT", `/${bucket}/copy-${name}`, { headers })).text();
      const copy = await read(store, bucket, `copy-${name}` as ObjectKey);
      ok(sameBytes(copy.bytes, bytes), `CopyObject of ${name}`);

      const target = `/${bucket}/parts-${name}`;
      const begun = await readXml(
        await send("POST", `${target}?uploads=`),
        "InitiateMultipartUploadResult",
      );
      const [id = ""] = textsAt(begun, "UploadId");
      const part = await readXml(
        await send("PUT", `${target}?partNumber=1&uploadId=${id}`, {
          headers: { ...headers, "x-amz-copy-source-range": `bytes=5-${size - 1}` },
        }),
        "CopyPartResult",
      );
      const [etag = ""] = textsAt(part, "ETag");
      await (await send("POST", `${target}?uploadId=${id}`, {
        body:
          `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>` +
          "</CompleteMultipartUpload>",
      })).text();
      const { bytes: copied } = await read(store, bucket, `parts-${name}` as ObjectKey);
      ok(sameBytes(copied, bytes.subarray(5)), `UploadPartCopy of ${name}`);
    }
  }
  await connection.close();
});
