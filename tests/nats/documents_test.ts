/** Bucket documents: how old they may be, and how many requests they cost. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { STORE_OPTIONS } from "./store_on_server.ts";

const bucket = "documented" as BucketName;
const SUBJECT = `$O.${bucket}.S3.bucket`;
/** What is asked every three seconds as well: the layout's version, and whether objects were renamed. */
const FACTS_QUERIES = [
  { last_by_subj: `${SUBJECT}.layout` },
  { seq: 1, next_by_subj: `$O.${bucket}.S3.renamed.*` },
].map((query) => JSON.stringify(query).length);

Deno.test("a bucket's documents are kept while its revision does not change", async (t) => {
  await using server = await startNatsServer();
  const connection = await connect({ servers: server.url });
  const calls: string[] = [];
  using store = createNatsStore(connection, {
    ...STORE_OPTIONS,
    observe: {
      call({ method, size }) {
        if (!FACTS_QUERIES.includes(size)) calls.push(method);
        return () => {};
      },
    },
  });
  /** Reads a bucket, and tells its owner and the requests that it took. */
  const look = async (): Promise<readonly [owner: string | undefined, ...calls: string[]]> => {
    calls.length = 0;
    const { owner } = await store.readBucket(bucket);
    return [owner, ...calls];
  };
  const lease = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1100));
  const alice = ["alice", "STREAM.INFO", "STREAM.MSG.GET"] as const;
  try {
    await store.createBucket(bucket, "alice");
    await store.readBucket(bucket); // the first look at a bucket also reads its layout's version

    await t.step("for a second without a request", async () => {
      deepStrictEqual(await look(), ["alice", "STREAM.INFO"]);
    });
    await t.step("and whether it exists is known for three seconds", async () => {
      calls.length = 0;
      for (let i = 0; i < 10; i++) deepStrictEqual(await store.hasBucket(bucket), true);
      deepStrictEqual(calls, []);
    });
    await t.step("then for one request, however many callers there are", async () => {
      await lease();
      deepStrictEqual(await look(), alice);
      deepStrictEqual(await look(), ["alice", "STREAM.INFO"]);
      await lease();
      calls.length = 0;
      await Promise.all(Array.from({ length: 5 }, () => store.readBucket(bucket)));
      deepStrictEqual(calls.filter((method) => method === "STREAM.MSG.GET").length, 1);
    });
    await t.step("and are read again when it has changed", async () => {
      await connection.request(`${SUBJECT}.owner`, JSON.stringify({ owner: "bob" }));
      await connection.request(`${SUBJECT}.rev`, "");
      await lease();
      deepStrictEqual(await look(), ["bob", "STREAM.INFO", "STREAM.MSG.GET", "STREAM.MSG.GET"]);
      await lease();
      deepStrictEqual(await look(), ["bob", "STREAM.INFO", "STREAM.MSG.GET"]);
    });
    await t.step("but not when the bucket is made anew", async () => {
      await store.deleteBucket(bucket);
      await rejects(store.readBucket(bucket), { code: "NoSuchBucket" });
      await store.createBucket(bucket, "carol");
      strictEqual((await store.readBucket(bucket)).owner, "carol");
    });
    await t.step(
      "an unreadable owner is nobody, not the default one, and is not kept",
      async () => {
        await connection.request(`${SUBJECT}.owner`, "{");
        await connection.request(`${SUBJECT}.rev`, "");
        await lease();
        strictEqual((await store.readBucket(bucket)).owner, undefined);
        for (const owner of ["dan", "native"]) {
          await rejects(store.createBucket(bucket, owner), { code: "BucketAlreadyExists" });
        }
        strictEqual((await store.listBuckets())[0]?.owner, undefined);
        await connection.request(`${SUBJECT}.owner`, JSON.stringify({ owner: "dan" }));
        strictEqual((await store.readBucket(bucket)).owner, "dan");
      },
    );
    for (const [former, next] of [[undefined, undefined], ["rules", "others"]] as const) {
      await t.step(
        `nor, with ${former}, by a gateway that still knows the former stream`,
        async () => {
          // It keeps for three seconds which stream a bucket has.
          using other = createNatsStore(connection, STORE_OPTIONS);
          const remake = async (owner: string, cors: string | undefined): Promise<void> => {
            await store.deleteBucket(bucket);
            const documents = cors === undefined
              ? {}
              : { documents: new Map([["cors" as const, cors]]) };
            await store.createBucket(bucket, owner, documents);
          };
          const see = async (): Promise<readonly (string | undefined)[]> => [
            (await other.readOwner(bucket))?.accessKeyId,
            await other.readDocument(bucket, "cors"),
          ];
          await remake("frank", former);
          deepStrictEqual(await see(), ["frank", former]);
          await lease();
          deepStrictEqual(await see(), ["frank", former]);
          await remake("grace", next);
          await lease();
          deepStrictEqual(await see(), ["grace", next]);
        },
      );
    }
    await t.step("an absent one is not kept", async () => {
      const other = "native" as BucketName;
      await connection.request(
        "$JS.API.STREAM.CREATE.OBJ_native",
        JSON.stringify({
          name: "OBJ_native",
          subjects: ["$O.native.C.>", "$O.native.M.>", "$O.native.S3.>"],
          allow_rollup_hdrs: true,
          allow_direct: true,
          allow_msg_ttl: true,
          allow_atomic: true,
        }),
      );
      strictEqual((await store.readBucket(other)).owner, "native");
      await connection.request("$O.native.S3.bucket.owner", JSON.stringify({ owner: "erin" }));
      strictEqual((await store.readBucket(other)).owner, "erin");
    });
  } finally {
    await connection.close();
  }
});
