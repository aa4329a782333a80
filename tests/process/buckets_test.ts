/** `nats-s3 buckets`: shows and changes buckets, alone and in a cluster, and explains what it refuses. */

import { connect } from "@nats-io/transport-node";
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { startCluster, startNatsServer } from "../../scripts/nats_server.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { input, someBytes, STORE_OPTIONS } from "../nats/store_on_server.ts";
import { PERMISSIONS, startCommand } from "./running_command.ts";

const PLACEMENTS = "eu=cluster:test,tags:ssd;moon=tags:cheese";
const LOGIN = { NATS_S3_NATS_USER: "ann", NATS_S3_NATS_PASSWORD: "secret" };
const photos = "photos" as BucketName;

type Printed = { readonly code: number; readonly output: string };
type Fixture = AsyncDisposable & {
  readonly buckets: (...args: readonly string[]) => Promise<Printed>;
  readonly config: () => Promise<Record<string, unknown>>;
  readonly call: (method: string, body?: unknown) => Promise<unknown>;
  readonly put: (key: string, size: number) => Promise<unknown>;
};

/** Creates the bucket `photos` with three objects on some servers, and returns functions that work on it. */
async function bucketOn(url: string): Promise<Fixture> {
  const connection = await connect({ servers: url.split(",") });
  const put = async (key: string, size: number): Promise<void> => {
    // A new store knows no older limits.
    using store = createNatsStore(connection, STORE_OPTIONS);
    await store.putObject(photos, key as ObjectKey, input(someBytes(size)));
  };
  using store = createNatsStore(connection, STORE_OPTIONS);
  await store.createBucket(photos, "ann");
  for (const key of ["a", "b", "c"]) await put(key, 300_000);
  await put("gone", 1);
  await store.deleteObject(photos, "gone" as ObjectKey, { precondition: {} });
  const call = async (method: string, body?: unknown): Promise<unknown> => {
    const reply = await connection.request(
      `$JS.API.STREAM.${method}.OBJ_photos`,
      body === undefined ? undefined : JSON.stringify(body),
    );
    return reply.json();
  };
  return {
    put,
    call,
    async buckets(...args) {
      const env = { ...LOGIN, NATS_S3_NATS_SERVERS: url, NATS_S3_BUCKET_PLACEMENT: PLACEMENTS };
      const all = ["run", ...PERMISSIONS, "main.ts", "buckets", ...args];
      await using command = startCommand(all, { env });
      const { code } = await command.ended();
      return { code, output: command.output };
    },
    async config() {
      return (await call("INFO") as { config: Record<string, unknown> }).config;
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
    },
  };
}

Deno.test("nats-s3 buckets shows buckets as text and as JSON", async () => {
  await using server = await startNatsServer();
  await using fixture = await bucketOn(server.url);
  const { buckets } = fixture;
  const { code, output } = await buckets("list");
  strictEqual(code, 0, output);
  match(
    output,
    /^BUCKET +OBJECTS +LIMIT +SIZE +QUOTA +REPLICAS +COMPRESSION +LOCATION +PLACEMENT\n/,
  );
  match(output, /\nphotos +3 +- +[\d.]+ KiB +- +1 +none +- +-\n$/);

  const listed = JSON.parse((await buckets("list", "--json")).output);
  const shown = JSON.parse((await buckets("show", "photos", "--json")).output);
  deepStrictEqual(listed, [shown]);
  const { created, bytes, ...others } = shown;
  match(created, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  strictEqual(bytes > 900_000 && bytes < 1_000_000, true, String(bytes));
  deepStrictEqual(others, {
    bucket: "photos",
    owner: "ann",
    objects: 3,
    quota: null,
    objectLimit: null,
    replicas: 1,
    storage: "file",
    compression: "none",
    location: null,
    placement: { cluster: null, tags: [] },
    stream: "OBJ_photos",
    cluster: null,
    readOnly: false,
  });
  match((await buckets("show", "photos")).output, /^objects +3$/m);
});

Deno.test("nats-s3 buckets changes a limit and keeps every other field of the stream", async () => {
  await using server = await startNatsServer();
  await using fixture = await bucketOn(server.url);
  const { buckets, call } = fixture;
  // Fields that the gateway does not know.
  await call("UPDATE", {
    ...await fixture.config(),
    description: "holiday",
    max_msg_size: 500_000,
    metadata: { team: "web" },
  });
  const before = await fixture.config();
  const set = async (...args: readonly string[]): Promise<string> => {
    const { code, output } = await buckets(...args);
    strictEqual(code, 0, output);
    return output;
  };
  strictEqual(await set("quota", "photos", "10GiB"), "photos: quota 10 GiB, objects none\n");
  strictEqual(await set("quota", "photos", "--objects", "7"), "photos: quota 10 GiB, objects 7\n");
  strictEqual(await set("compression", "photos", "s2"), "photos: compression s2\n");
  match(
    await set("placement", "photos", "eu"),
    /Warning: The NATS server runs alone.*\nphotos: placement cluster:test,tags:ssd, location eu\n|photos: placement/s,
  );
  deepStrictEqual(await fixture.config(), {
    ...before,
    max_bytes: 10 * 1024 ** 3 + Math.ceil(10 * 1024 ** 3 / 100),
    compression: "s2",
    placement: { cluster: "test", tags: ["ssd"] },
    metadata: { ...before["metadata"] as object, "s3-location": "eu", "s3-object-limit": "7" },
  });
  match(await set("list"), /photos +3 +7 .* 10 GiB +1 +s2 +eu +cluster:test,tags:ssd\n/);

  await set("placement", "photos", "cluster:other,tags:hdd,az:1");
  match(await set("list"), /eu +cluster:other,tags:hdd,az:1\n/);
  await set("quota", "photos", "none", "--objects", "none");
  await set("compression", "photos", "none");
  await set("placement", "photos", "none");
  deepStrictEqual(await fixture.config(), before);
});

Deno.test("nats-s3 buckets explains what it refuses, and changes nothing", async () => {
  await using server = await startNatsServer();
  await using fixture = await bucketOn(server.url);
  const before = await fixture.config();
  for (
    const [args, code, reason] of [
      [[], 2, /^Missing verb: the verbs are list, show, quota/],
      [["lis"], 2, /^Unknown verb "lis": the verbs are/],
      [["show"], 2, /^Wrong number of operands: nats-s3 buckets show BUCKET \[--json\]$/],
      [["list", "photos"], 2, /^Wrong number of operands/],
      [["quota", "photos", "1GiB", "--json"], 2, /^Unexpected flag "--json"/],
      [["quota", "pho tos", "1GiB"], 2, /^Cannot use bucket: it is not the name of a bucket$/],
      [["quota", "photos", "1GB"], 2, /^Cannot use quota "1GB": it is not a number of bytes/],
      [["quota", "photos", "0"], 2, /^Cannot use quota "0"/],
      [["quota", "photos", "-5"], 2, /^Unknown flag "--5"/],
      [["quota", "photos"], 2, /^Missing limit: name a number of bytes, --objects N, or both$/],
      [["quota", "photos", "--objects", "-5"], 2, /^Cannot use objects "-5": it is not a number/],
      [["quota", "photos", "1GiB", "--objects=0"], 2, /^Cannot use objects "0"/],
      [["replicas", "photos", "-1"], 2, /^Unknown flag "--1"/],
      [["replicas", "photos", "6"], 2, /^Cannot use replicas "6": it is not between 1 and 5$/],
      [
        ["compression", "photos", "zip"],
        2,
        /^Cannot use compression "zip": it is not one of none, s2$/,
      ],
      [["placement", "photos", "tags:"], 2, /^Cannot use placement "tags:": it has a tag/],
      [
        ["placement", "photos", "mars"],
        1,
        /^There is no location "mars": --bucket.placement has eu, moon$/,
      ],
      [["show", "nowhere"], 1, /^There is no bucket "nowhere"$/],
      [["quota", "nowhere", "1GiB"], 1, /^There is no bucket "nowhere"$/],
      [
        ["replicas", "photos", "3"],
        1,
        /^The NATS server runs alone, so it keeps one replica: replicas > 1/,
      ],
    ] as const
  ) {
    const printed = await fixture.buckets(...args);
    match(printed.output.trimEnd(), reason, args.join(" "));
    strictEqual(printed.code, code, args.join(" "));
  }
  deepStrictEqual(await fixture.config(), before);
});

Deno.test("nats-s3 buckets sets a quota below what is stored, unless that would destroy objects", async () => {
  await using server = await startNatsServer();
  await using fixture = await bucketOn(server.url);
  const { buckets, call } = fixture;
  const { code, output } = await buckets("quota", "photos", "100KiB");
  strictEqual(code, 0, output);
  match(output, /^Warning: Bucket "photos" already holds [\d.]+ KiB, so it rejects PUTs/m);
  match(output, /^photos: quota 100 KiB, objects none$/m);
  const { state } = await call("INFO") as { state: { last_seq: number } };
  await rejects(fixture.put("more", 1), { code: "QuotaExceeded" });
  const after = await call("INFO") as { state: { last_seq: number } };
  strictEqual(after.state.last_seq, state.last_seq, "a refused PUT stores nothing");
  match(
    (await buckets("quota", "photos", "--objects", "2")).output,
    /^Warning: Bucket "photos" already has 3 objects, so it rejects new ones/m,
  );
  // A full bucket has no room for a lock, and its quota can be raised nevertheless.
  await call("UPDATE", { ...await fixture.config(), max_bytes: 1000 });
  const raised = await buckets("quota", "photos", "1GiB", "--objects", "none");
  strictEqual(raised.output, "photos: quota 1 GiB, objects none\n");
  await fixture.put("d", 1000);

  await call("UPDATE", { ...await fixture.config(), discard: "old" });
  const large = await fixture.buckets("quota", "photos", "100KiB");
  strictEqual(large.code, 0, large.output); // the reserve holds what is stored
  for (const key of ["e", "f"]) await fixture.put(key, 10).catch(() => {});
  const before = await fixture.config();
  await call("UPDATE", { ...before, max_bytes: -1, discard: "new" });
  await fixture.put("g", 600_000);
  await call("UPDATE", { ...before, max_bytes: -1 });
  const refused = await buckets("quota", "photos", "100KiB");
  strictEqual(refused.code, 1, refused.output);
  match(
    refused.output,
    /^The quota is below the [\d.]+ MiB that the bucket holds.*destroy objects/,
  );
  strictEqual((await fixture.config())["max_bytes"], -1);

  await call("UPDATE", { ...before, max_bytes: -1, sealed: true });
  const sealed = await buckets("quota", "photos", "none");
  strictEqual(sealed.output, "The bucket is sealed, so it cannot be changed.\n");
  strictEqual(sealed.code, 1);
});

Deno.test("nats-s3 buckets changes replicas and placement in a cluster", async () => {
  await using nats = await startCluster(3, { config: 'server_tags: ["ssd"]' });
  await using fixture = await bucketOn(nats.urls);
  const { buckets } = fixture;
  for (
    const [args, reason] of [
      [
        ["replicas", "photos", "5"],
        /^Too few NATS servers fit the number of replicas and the placement: no suitable/,
      ],
      [
        ["placement", "photos", "moon"],
        /^Too few NATS servers fit .*: no suitable peers for placement, tags not matched/,
      ],
      [["placement", "photos", "cluster:nowhere"], /^Too few NATS servers fit/],
    ] as const
  ) {
    const before = await fixture.config();
    const { code, output } = await buckets(...args);
    strictEqual(code, 1, output);
    match(output, reason);
    deepStrictEqual(await fixture.config(), before);
  }
  strictEqual((await buckets("replicas", "photos", "3")).output, "photos: replicas 3\n");
  strictEqual(
    (await buckets("placement", "photos", "eu")).output,
    "photos: placement cluster:test,tags:ssd, location eu\n",
  );
  const [shown] = JSON.parse((await buckets("list", "--json")).output);
  strictEqual(shown.objects, 3);
  strictEqual(shown.replicas, 3);
  strictEqual(shown.location, "eu");
  strictEqual(shown.cluster, "test");
  strictEqual((await buckets("replicas", "photos", "1")).output, "photos: replicas 1\n");
});
