/**
 * An HTTP server that does the JetStream work of a gateway for small objects, without S3: no signature, no conditions,
 * no properties, no errors. Its speed is the limit that the runtime's HTTP server and JetStream set.
 *
 * Usage: `bare.ts <URL of a nats-server>`; prints its own URL once it listens, exits when its standard input closes.
 * @module
 */

// deno-lint-ignore-file no-console

import { digestsOf } from "../../src/crypto/digests.ts";
import { textOf } from "../../src/nats/jetstream/messages.ts";
import { type StoreName, streamOf } from "../../src/nats/layout/names.ts";
import type { Nuid } from "../../src/nats/layout/nuid.ts";
import { chunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import type { ObjectKey } from "../../src/s3/names.ts";
import { openRequests } from "./own_requests.ts";

const own = await openRequests(Deno.args[0] ?? "nats://127.0.0.1:4222");
const { requests } = own;

type Info = { readonly nuid: Nuid; readonly seek: number };

async function respond(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const slash = pathname.indexOf("/", 1);
  if (slash < 0) return new Response(); // the load generator creates its bucket first
  const store = pathname.slice(1, slash) as StoreName;
  const key = pathname.slice(slash + 1) as ObjectKey;
  const stream = streamOf(store);
  const subject = infoSubject(store, key);
  const reading = requests.directGet(stream, { last_by_subj: subject });

  if (request.method === "PUT") {
    const bytes = await request.bytes();
    const nuid = crypto.randomUUID().replaceAll("-", "") as Nuid;
    const publishing = requests.publish(chunkSubject(store, nuid), bytes);
    const digests = digestsOf(bytes);
    const seek = await publishing;
    const info = JSON.stringify({ name: key, ...digests, nuid, seek, size: bytes.length });
    const expect = (await reading)?.sequence ?? 0;
    await requests.publish(subject, info, { expect, rollup: true });
    return new Response(null, { headers: { etag: `"${digests.md5}"` } });
  }

  const found = await reading;
  if (found === undefined) return new Response(null, { status: 404 });
  const { nuid, seek } = JSON.parse(textOf(found.data)) as Info;
  switch (request.method) {
    case "HEAD":
      return new Response(null, { headers: { etag: nuid } });
    case "GET":
      return new Response((await requests.directGet(stream, { seq: seek }))?.data as BodyInit);
    case "DELETE":
      await requests.publish(subject, JSON.stringify({ name: key, nuid, deleted: true }), {
        expect: found.sequence,
        rollup: true,
      });
      await requests.call(`STREAM.PURGE.${stream}`, { filter: chunkSubject(store, nuid) });
      return new Response(null, { status: 204 });
  }
  return new Response(null, { status: 405 });
}

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
}, respond);
for await (const _ of Deno.stdin.readable); // until standard input closes
await server.shutdown();
await own[Symbol.asyncDispose]();
