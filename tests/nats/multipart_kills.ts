/**
 * Gateways that are killed at random moments of a multipart upload, or of the rewriting that follows it, and a client
 * that tries again: what was acknowledged is there, and after the sweep nothing else is.
 * @module
 */

import { ok } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Objm } from "@nats-io/obj";
import { connect } from "@nats-io/transport-node";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";
import { type GatewayProcess, spawnGateway } from "../clients/gateway_process.ts";
import { ask } from "../clients/signed_request.ts";
import { compareWithLive } from "./live_bytes.ts";
import { read, sameBytes, someBytes, STORE_OPTIONS } from "./store_on_server.ts";

const bucket = "kills" as BucketName;
const MIB = 1024 * 1024;
/** S3's least size of a part, twice, and a rest. */
const SIZES = [5 * MIB, 5 * MIB, 300_000];
/** Milliseconds that an upload and its rewriting take, about: the kill falls into them. */
const SPAN = 900;
/** Milliseconds for which the last store keeps what was replaced. */
const GRACE = 200;
/** How often a client tries. */
const ATTEMPTS = 20;

/** What happened. */
export type KillReport = {
  readonly rounds: number;
  /** Kills that fell into the upload, and behind its end. */
  readonly inUpload: number;
  readonly afterUpload: number;
};

/** Kills a gateway in each round. Throws for what was lost, torn or left. */
export async function runMultipartKills(
  { rounds, seed }: { readonly rounds: number; readonly seed: number },
): Promise<KillReport> {
  await using server = await startNatsServer();
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
  const report = { rounds, inUpload: 0, afterUpload: 0 };
  for (let round = 0; round < rounds; round++) {
    const after = random(SPAN);
    try {
      const wasDone = await playRound(server, round, after);
      if (wasDone) report.afterUpload++;
      else report.inUpload++;
    } catch (cause) {
      throw new Error(`Seed ${seed}, round ${round}, killed after ${after} ms`, { cause });
    }
  }
  return report;
}

/** Returns whether the upload had ended when the gateway was killed. */
async function playRound(server: NatsServer, round: number, after: number): Promise<boolean> {
  const key = `video-${round % 3}`; // mostly one that is there already
  const bytes = someBytes(SIZES.reduce((sum, size) => sum + size, 0), round + 1);
  const flags = ["--multipart.native-layout", "background", "--sweep.interval", "0s"];
  const options = { natsUrl: server.url, mayLogErrors: true, flags };
  let gateway = spawnGateway(options);
  await gateway.listening();
  const current = (): GatewayProcess => gateway;
  let wasDone = false;
  let isDone = false;
  try {
    await (await retry(current, "PUT", `/${bucket}`, "", undefined, [200, 409])).text();
    const killing = delay(after).then(async () => {
      wasDone = isDone;
      const victim = gateway;
      gateway = spawnGateway(options);
      await victim.stop("SIGKILL");
      await gateway.listening();
    });
    await uploadInParts(current, `/${bucket}/${key}`, bytes);
    isDone = true;
    await killing;
    const shown = await (await retry(current, "GET", `/${bucket}/${key}`, "")).bytes();
    ok(sameBytes(shown, bytes), "what was acknowledged is not what is shown");
  } finally {
    await gateway.stop(); // what it rewrites would have no name during the sweep
  }
  await checkLeft(server, key as ObjectKey, bytes);
  return wasDone;
}

async function uploadInParts(
  gateway: () => GatewayProcess,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const begun = await (await retry(gateway, "POST", path, "uploads=")).text();
  const id = /<UploadId>([^<]+)</.exec(begun)?.[1] ?? "";
  let start = 0;
  const etags = await Promise.all(SIZES.map(async (size, i) => {
    const part = bytes.subarray(start, start += size);
    const query = `partNumber=${i + 1}&uploadId=${id}`;
    const answer = await retry(gateway, "PUT", path, query, part);
    await answer.body?.cancel();
    return answer.headers.get("etag") ?? "";
  }));
  const list = etags.map((etag, i) =>
    `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`
  );
  const document = `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`;
  const body = new TextEncoder().encode(document);
  await (await retry(gateway, "POST", path, `uploadId=${id}`, body)).text();
}

/** Asks until it is answered as expected: a client with many retries. */
async function retry(
  gateway: () => GatewayProcess,
  method: string,
  path: string,
  query: string,
  body?: Uint8Array,
  expected: readonly number[] = [200],
): Promise<Response> {
  let last: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const answer = await ask(gateway(), { method, path, query, ...(body && { body }) });
      if (expected.includes(answer.status)) return answer;
      last = `${answer.status} ${await answer.text()}`;
      if (answer.status < 500) break;
    } catch (cause) {
      last = cause;
    }
    await delay(150);
  }
  throw new Error(`${method} ${path}?${query} was never answered`, { cause: last });
}

/** After a sweep and the rewriting of what is in parts, the stream holds what its objects name. */
async function checkLeft(server: NatsServer, key: ObjectKey, bytes: Uint8Array): Promise<void> {
  const connection = await connect({ servers: server.url });
  try {
    using store = createNatsStore(connection, {
      ...STORE_OPTIONS,
      grace: GRACE,
      nativeLayout: "background",
    });
    const query = { prefix: "", delimiter: "", keyMarker: "", uploadIdMarker: "", limit: 100 };
    for (const upload of (await store.listUploads(bucket, query)).uploads) {
      await store.abortUpload(bucket, upload.key, upload.id); // begun, and never answered
    }
    await store.sweep(bucket, { minAge: 0, dryRun: false });
    const { signal } = new AbortController();
    // A gateway that was killed holds its lock for a minute.
    for (let step; (step = await store.flattenNext(signal)) !== undefined;) {
      ok(["rewritten", "taken", "needless"].includes(step.outcome), step.outcome);
    }
    // What is rewritten is read, under a lease that outlives it.
    while ((await store.freeReplaced(bucket)).waiting > 0) await delay(100);
    const { unnamed, missing } = await compareWithLive(connection, bucket);
    ok(unnamed.length + missing.length === 0, `left: ${unnamed}; missing: ${missing}`);
    ok(
      sameBytes((await read(store, bucket, key)).bytes, bytes),
      "another gateway shows other bytes",
    );
    const blob = await (await new Objm(connection).open(bucket)).getBlob(key);
    ok(blob === null || sameBytes(blob, bytes), "a native client reads other bytes");
  } finally {
    await connection.close();
  }
}
