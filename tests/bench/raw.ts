/**
 * Raw JetStream in a process of its own: it makes the same JetStream requests as a gateway, from memory and without
 * HTTP, S3 or a store. It uses the gateway's connection, request layer and streams. Reads calls from its standard input
 * (see `raw_calls.ts`).
 *
 * Usage: `raw.ts <URL of a nats-server>`
 * @module
 */

// deno-lint-ignore-file no-console

import { createHash } from "node:crypto";
import { percentile } from "../../scripts/bench_figures.ts";
import type { Requests } from "../../src/nats/jetstream/requests.ts";
import { type StoreName, streamOf } from "../../src/nats/layout/names.ts";
import type { Nuid } from "../../src/nats/layout/nuid.ts";
import { parseInfo } from "../../src/nats/layout/object_info.ts";
import { chunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import { WRITE_WINDOW } from "../../src/nats/objects/chunk_writer.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { openRequests } from "./own_requests.ts";
import type { RawCall, RawReply, RawResult } from "./raw_calls.ts";

/** Size of the buffer from which all bodies are cut. */
const BODY_SIZE = 64 * 1024 * 1024;

type Call<Op extends RawCall["op"]> = Extract<RawCall, { readonly op: Op }>;
type Body = {
  readonly subject: string;
  readonly sequences: readonly number[];
  readonly chunkSize: number;
  readonly size: number;
};

const own = await openRequests(Deno.args[0] ?? "nats://127.0.0.1:4222");
const { requests } = own;
const memory = randomBytes(BODY_SIZE);
const groups = new Map<string, Body[]>();
type SmallObject = { readonly subject: string; readonly chunk: number; readonly info: number };
/** Small objects by bucket: the chunk's subject, and the sequences of chunk and metadata. */
const small = new Map<string, SmallObject[]>();

async function execute(call: RawCall): Promise<RawResult> {
  switch (call.op) {
    case "publish":
      return await publishBodies(call);
    case "get":
      return await run(call, async (i) => {
        const body = bodyOf(call, i);
        await getChunks(streamOf(storeOf(call.bucket)), body.sequences, body.chunkSize);
        return body.size;
      });
    case "range":
      return await run(call, async () => {
        const { size, chunkSize, sequences } = bodyOf(call, 0);
        const start = Math.floor(Math.random() * (size - call.length));
        const end = start + call.length;
        const chunks = sequences.slice(Math.floor(start / chunkSize), Math.ceil(end / chunkSize));
        await getChunks(streamOf(storeOf(call.bucket)), chunks, chunkSize);
        return call.length;
      });
    case "purge":
      for (const { subject } of groups.get(groupOf(call)) ?? []) {
        await requests.call(`STREAM.PURGE.${streamOf(storeOf(call.bucket))}`, { filter: subject });
      }
      groups.delete(groupOf(call));
      return NOTHING;
    case "small-put":
      return await putSmall(call);
    case "small-get":
    case "small-head":
      return await getSmall(call);
    case "small-delete":
      return await deleteSmall(call);
    case "drop":
      await requests.call(`STREAM.DELETE.${streamOf(storeOf(call.bucket))}`);
      return NOTHING;
    case "chunk-size":
      return { ...NOTHING, chunkSize: await readChunkSize(call) };
  }
}

const NOTHING: RawResult = { ops: 0, seconds: 0, bytes: 0, p50: 0, p99: 0 };

async function publishBodies(call: Call<"publish">): Promise<RawResult> {
  const bodies: Body[] = [];
  const result = await run(call, async (i) => {
    const { bucket, size, chunkSize, hash } = call;
    const subject = chunkSubject(storeOf(bucket), newNuid());
    const hashes = hash ? [createHash("md5"), createHash("sha256")] : [];
    const window: { readonly bytes: number; readonly acknowledged: Promise<number> }[] = [];
    const sequences: number[] = [];
    let inFlight = 0;
    const oldest = async (): Promise<void> => {
      const first = window.shift();
      if (first === undefined) return;
      sequences.push(await first.acknowledged);
      inFlight -= first.bytes;
    };
    for (let at = 0; at < size; at += chunkSize) {
      const from = at % BODY_SIZE;
      const chunk = memory.subarray(from, from + Math.min(chunkSize, size - at));
      window.push({ bytes: chunk.length, acknowledged: requests.publish(subject, chunk) });
      inFlight += chunk.length;
      for (const each of hashes) each.update(chunk);
      while (inFlight > WRITE_WINDOW) await oldest();
    }
    while (window.length > 0) await oldest();
    for (const each of hashes) each.digest("hex");
    bodies[i] = { subject, sequences, chunkSize, size };
    return size;
  });
  groups.set(groupOf(call), bodies);
  return result;
}

/** Gets chunks in order, reading ahead as far as the window allows. */
async function getChunks(
  stream: string,
  sequences: readonly number[],
  chunkSize: number,
): Promise<void> {
  const ahead = Math.max(1, Math.floor(WRITE_WINDOW / chunkSize));
  const window: ReturnType<Requests["directGet"]>[] = [];
  for (let next = 0;;) {
    for (; window.length < ahead && next < sequences.length; next++) {
      window.push(requests.directGet(stream, { seq: sequences[next] ?? 0 }));
    }
    const first = window.shift();
    if (first === undefined) return;
    if (await first === undefined) throw new Error("A chunk is missing");
  }
}

async function putSmall(call: Call<"small-put">): Promise<RawResult> {
  const store = storeOf(call.bucket);
  const objects: SmallObject[] = [];
  small.set(call.bucket, objects);
  return await run(call, async (i) => {
    const nuid = newNuid();
    const from = (i * call.size) % BODY_SIZE;
    const bytes = memory.subarray(from, from + call.size);
    const subject = chunkSubject(store, nuid);
    const chunk = await requests.publish(subject, bytes);
    const md5 = createHash("md5").update(bytes).digest("hex");
    const sha256 = createHash("sha256").update(bytes).digest("base64url");
    const info = await requests.publish(
      infoSubject(store, keyOf(i)),
      JSON.stringify({
        name: keyOf(i),
        metadata: { "s3.etag": md5, "s3.modified": new Date(), "s3.owner": "raw", "s3.seek": "1" },
        options: { max_chunk_size: call.size },
        bucket: store,
        nuid,
        size: bytes.length,
        mtime: new Date(),
        chunks: 1,
        digest: `SHA-256=${sha256}=`,
      }),
      { expect: 0, rollup: true },
    );
    objects[i] = { subject, chunk, info };
    return bytes.length;
  });
}

async function getSmall(call: Call<"small-get" | "small-head">): Promise<RawResult> {
  const store = storeOf(call.bucket);
  const stream = streamOf(store);
  const objects = small.get(call.bucket) ?? [];
  return await run(call, async (i) => {
    const at = i % objects.length;
    const info = await requests.directGet(stream, { last_by_subj: infoSubject(store, keyOf(at)) });
    if (info === undefined) throw new Error("Metadata is missing");
    if (call.op === "small-head") return 0;
    const chunk = await requests.directGet(stream, { seq: objects[at]?.chunk ?? 0 });
    if (chunk === undefined) throw new Error("A chunk is missing");
    return chunk.data.length;
  });
}

async function deleteSmall(call: Call<"small-delete">): Promise<RawResult> {
  const store = storeOf(call.bucket);
  const objects = small.get(call.bucket) ?? [];
  return await run(call, async (i) => {
    const subject = infoSubject(store, keyOf(i));
    const info = await requests.directGet(streamOf(store), { last_by_subj: subject });
    if (info === undefined) throw new Error("Metadata is missing");
    const marker = JSON.stringify({
      name: keyOf(i),
      bucket: store,
      nuid: newNuid(),
      deleted: true,
    });
    await requests.publish(subject, marker, { expect: info.sequence, rollup: true });
    await requests.call(`STREAM.PURGE.${streamOf(store)}`, { filter: objects[i]?.subject });
    return 0;
  });
}

async function readChunkSize({ bucket, key }: Call<"chunk-size">): Promise<number> {
  const store = storeOf(bucket);
  const name = key as ObjectKey;
  const message = await requests.directGet(streamOf(store), {
    last_by_subj: infoSubject(store, name),
  });
  const parsed = message && parseInfo(name, message.data, message.time);
  if (parsed?.kind !== "object" || parsed.object.bytes.kind !== "group") {
    throw new Error(`Cannot read the chunk size of "${key}"`);
  }
  return parsed.object.bytes.chunkSize ?? 0;
}

/** Calls `work` `n` times, `c` at a time; each call returns the number of bytes it moved. */
async function run(
  { n, c }: { readonly n: number; readonly c: number },
  work: (i: number) => Promise<number>,
): Promise<RawResult> {
  const times = new Float64Array(n);
  let next = 0;
  let bytes = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: c }, async () => {
    while (next < n) {
      const i = next++;
      const before = performance.now();
      const moved = await work(i); // not `bytes += await …`: other calls add while this one waits
      bytes += moved;
      times[i] = performance.now() - before;
    }
  }));
  const seconds = (performance.now() - start) / 1000;
  times.sort();
  return { ops: n, seconds, bytes, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

function bodyOf(call: Call<"get" | "range">, i: number): Body {
  const bodies = groups.get(groupOf(call)) ?? [];
  const body = bodies[i % bodies.length];
  if (body === undefined) throw new Error(`Nothing was published as "${call.group}"`);
  return body;
}

function groupOf({ bucket, group }: { readonly bucket: string; readonly group: string }): string {
  return `${bucket}/${group}`;
}

/** Returns the store of a bucket: the benchmark's bucket names need no mapping. */
function storeOf(bucket: string): StoreName {
  return bucket as StoreName;
}

function keyOf(i: number): ObjectKey {
  return `load/4096-${i.toString().padStart(7, "0")}` as ObjectKey;
}

function newNuid(): Nuid {
  return crypto.randomUUID().replaceAll("-", "") as Nuid;
}

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const reply: RawReply = await execute(JSON.parse(line) as RawCall)
      .then((result) => ({ result }), (cause) => ({ error: String(cause) }));
    console.log(JSON.stringify(reply));
  }
}
await own[Symbol.asyncDispose]();
