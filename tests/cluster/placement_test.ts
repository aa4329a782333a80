/** Buckets in locations on servers with tags, which `nats-s3 buckets` moves and copies while gateways serve them. */

import { connect, type NatsConnection } from "@nats-io/transport-node";
import { match, ok, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startCluster } from "../../scripts/nats_server.ts";
import {
  PERMISSIONS,
  signedFetch,
  startCommand,
  startGateway,
} from "../process/running_command.ts";

const PAIR = { accessKeyId: "ann", secretAccessKey: "secret-of-ann" };
const LOADED = 20;

/** Waits until the names of the servers that hold a bucket are as expected, and the servers are current. */
async function heldBy(connection: NatsConnection, expected: RegExp): Promise<void> {
  type Peer = { readonly name: string; readonly current: boolean };
  type Info = { readonly cluster?: { readonly leader?: string; readonly replicas?: Peer[] } };
  const deadline = Date.now() + 60_000;
  for (;;) {
    const reply = await connection.request("$JS.API.STREAM.INFO.OBJ_photos").catch(() => undefined);
    const { leader = "none", replicas = [] } = reply?.json<Info>().cluster ?? {};
    const names = [leader, ...replicas.map(({ name }) => name)].sort().join(",");
    if (expected.test(names) && replicas.every(({ current }) => current)) return;
    if (Date.now() > deadline) throw new Error(`${names} hold the bucket, not ${expected}`);
    await delay(100);
  }
}

Deno.test("a bucket moves between locations under load, and loses nothing", async () => {
  await using nats = await startCluster(3, { tags: [["ssd", "az:1"], ["ssd", "az:2"], ["hdd"]] });
  const connection = await connect({ servers: nats.urls.split(",") });
  const env = {
    NATS_S3_NATS_SERVERS: nats.urls,
    NATS_S3_NATS_USER: PAIR.accessKeyId,
    NATS_S3_NATS_PASSWORD: PAIR.secretAccessKey,
    NATS_S3_BUCKET_PLACEMENT: "fast=cluster:test,tags:ssd;cheap=tags:hdd;moon=tags:cheese",
  };
  const buckets = async (...args: readonly string[]): Promise<readonly [number, string]> => {
    const all = ["run", ...PERMISSIONS, "main.ts", "buckets", ...args];
    await using command = startCommand(all, { env });
    const { code } = await command.ended();
    return [code, command.output.trimEnd()];
  };
  try {
    await using gateway = await startGateway([], { env });
    const create = async (bucket: string, location: string): Promise<Response> =>
      await signedFetch(`${gateway.url}/${bucket}`, PAIR, {
        method: "PUT",
        body:
          `<CreateBucketConfiguration><LocationConstraint>${location}</LocationConstraint></CreateBucketConfiguration>`,
      });
    const mars = await create("mars", "mars");
    match(await mars.text(), /<Code>InvalidLocationConstraint</);
    const moon = await create("moon", "moon");
    match(await moon.text(), /<Message>No NATS server fits the placement of moon\.</);
    strictEqual(moon.status, 503);
    const gone = await signedFetch(`${gateway.url}/moon`, PAIR, { method: "HEAD" });
    strictEqual(gone.status, 404, "a bucket that no server fits is not created");
    const created = await create("photos", "fast");
    strictEqual(created.status, 200, await created.text());
    await heldBy(connection, /^n[12]$/);

    // Writers go on, and try again when the stream has no leader for a moment.
    const stop = new AbortController();
    const written = new Map<string, string>();
    const loading = Promise.all(Array.from({ length: 3 }, async (_, writer) => {
      for (let n = 0; !stop.signal.aborted; n++) {
        const [key, body] = [`${writer}-${n % LOADED}`, `${writer} wrote ${n}`];
        const response = await signedFetch(`${gateway.url}/photos/${key}`, PAIR, {
          method: "PUT",
          body,
        });
        const text = await response.text();
        ok([200, 503].includes(response.status), text);
        // The server may have stored what was not acknowledged.
        if (response.status === 200) written.set(key, body);
        else written.delete(key);
        await delay(20);
      }
    }));
    loading.catch(() => {}); // reported below
    const moves: [args: string[], printed: RegExp, holders: RegExp][] = [
      [["placement", "photos", "cheap"], /placement tags:hdd, location cheap$/, /^n3$/],
      [
        ["placement", "photos", "fast"],
        /placement cluster:test,tags:ssd, location fast$/,
        /^n[12]$/,
      ],
      [["replicas", "photos", "2"], /replicas 2$/, /^n1,n2$/],
      [
        ["placement", "photos", "tags:ssd,az:2"],
        /^Too few NATS servers fit the number of replicas and the placement/,
        /^n1,n2$/,
      ],
      [["replicas", "photos", "3"], /^Too few NATS servers fit/, /^n1,n2$/],
      [["replicas", "photos", "1"], /replicas 1$/, /^n[12]$/],
      [
        ["placement", "photos", "tags:ssd,az:2"],
        /placement tags:ssd,az:2, location fast$/,
        /^n2$/,
      ],
      [["placement", "photos", "none"], /placement none$/, /^n2$/],
    ];
    for (const [args, printed, expected] of moves) {
      const [code, output] = await buckets(...args);
      match(output, printed, args.join(" "));
      strictEqual(code, output.startsWith("Too few") ? 1 : 0, output);
      await heldBy(connection, expected);
    }
    await delay(500);
    stop.abort();
    await loading;
    ok(written.size > 0);
    for (const [key, body] of written) {
      const response = await signedFetch(`${gateway.url}/photos/${key}`, PAIR);
      strictEqual(await response.text(), body, key);
    }

    await buckets("placement", "photos", "cheap");
    await heldBy(connection, /^n3$/);
    // A gateway knows facts about a bucket for some seconds.
    for (let region: string | null = ""; region !== "cheap";) {
      const response = await signedFetch(`${gateway.url}/photos?location`, PAIR);
      region = response.headers.get("x-amz-bucket-region");
      match(
        await response.text(),
        region === "cheap" ? />cheap<\/LocationConstraint>/ : /Location/,
      );
      await delay(200);
    }
  } finally {
    await connection.close();
  }
});
