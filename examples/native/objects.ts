/**
 * A native NATS client and an S3 client in one bucket: each reads what the other wrote.
 *
 * Run it while `deno task dev` is running:
 *
 *     . examples/dev.sh
 *     deno run --allow-net --allow-env --allow-sys --allow-read --lock=tests/deno.lock examples/native/objects.ts
 *
 * `NATS_URL` is the nats-server's address, by default nats://127.0.0.1:4222.
 * @module
 */

// deno-lint-ignore-file no-console

import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Objm } from "@nats-io/obj";
import { connect } from "@nats-io/transport-node";

const Bucket = "example-native";

const s3 = new S3Client({ forcePathStyle: true });
const connection = await connect({ servers: Deno.env.get("NATS_URL") ?? "nats://127.0.0.1:4222" });

// A bucket created through S3 is an object store of the same name.
await s3.send(new CreateBucketCommand({ Bucket }));
const store = await new Objm(connection).open(Bucket);

// A watcher of the store hears of every write, including writes through S3.
const watch = await store.watch({ includeHistory: false });
const heard = (async () => {
  for await (const { name, deleted } of watch) {
    console.log(`heard of ${name}${deleted ? ", deleted" : ""}`);
    if (deleted) break;
  }
})();

await s3.send(new PutObjectCommand({ Bucket, Key: "from-s3.txt", Body: "written by S3" }));
const blob = await store.getBlob("from-s3.txt");
console.log("NATS reads:", new TextDecoder().decode(blob ?? undefined));

await store.putBlob({ name: "from-nats.txt" }, new TextEncoder().encode("written by NATS"));
const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "from-nats.txt" }));
console.log("S3 reads:", await Body?.transformToString());

const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
console.log("S3 lists:", Contents.map(({ Key, Size }) => `${Key} (${Size})`).join(", "));

await store.delete("from-s3.txt");
await heard;
await store.delete("from-nats.txt");
await s3.send(new DeleteBucketCommand({ Bucket }));
await connection.close();
s3.destroy();
