/**
 * Compares what a bucket's stream holds with what its live objects name.
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { Buffer } from "node:buffer";
import { parseChunkMap } from "../../src/nats/layout/chunk_map.ts";
import type { StoreName } from "../../src/nats/layout/names.ts";
import { parseInfo } from "../../src/nats/layout/object_info.ts";
import { chunkSubject, partChunkSubject } from "../../src/nats/layout/chunk_subjects.ts";
import { keyOfSubject, records } from "../../src/nats/layout/subjects.ts";
import { subjectsOfStream } from "./store_on_server.ts";

/** Subjects whose messages are bytes, or say where bytes are or were. */
const OF_BYTES = /^(C|S3\.(part|layout|trash|lease))\./;

/**
 * Where the stream and its live objects disagree: messages that nobody names, and messages that are named and missing;
 * both empty after a sweep.
 */
export async function compareWithLive(
  connection: NatsConnection,
  store: string,
): Promise<{ readonly unnamed: readonly string[]; readonly missing: readonly string[] }> {
  const name = store as StoreName;
  const held = await subjectsOfStream(connection, `OBJ_${store}`);
  const named = new Map<string, number>();
  for (const subject of Object.keys(held)) {
    const key = keyOfSubject(name, subject);
    if (key === undefined) continue;
    const parsed = parseInfo(key, await lastMessage(connection, store, subject), new Date());
    if (parsed.kind !== "object") continue;
    const { info, bytes } = parsed.object;
    if (bytes.kind === "group") {
      if (bytes.chunks > 0) named.set(chunkSubject(name, bytes.nuid), bytes.chunks);
      if (bytes.seekInLayout) named.set(records.layout(name, bytes.nuid), 1);
      continue;
    }
    const record = records.layout(name, bytes.nuid);
    named.set(record, 1);
    if (held[record] === undefined) continue; // reported as missing
    const layout = parseChunkMap(new TextDecoder().decode(
      await lastMessage(connection, store, record),
    ));
    if (layout?.kind !== "parts") throw new TypeError(`The layout of "${info.key}" has no parts`);
    for (const { number, attempt, size, chunkSize } of layout.parts) {
      const subject = partChunkSubject(name, bytes.nuid, number, attempt);
      named.set(subject, Math.ceil(size / chunkSize));
    }
  }
  const short = (subject: string): string => subject.slice(`$O.${store}.`.length);
  return {
    unnamed: Object.keys(held).filter((subject) =>
      OF_BYTES.test(short(subject)) && held[subject] !== named.get(subject)
    ).map((subject) => `${short(subject)} ${held[subject]}`).sort(),
    missing: [...named.keys()].filter((subject) => held[subject] === undefined).map(short).sort(),
  };
}

async function lastMessage(
  connection: NatsConnection,
  store: string,
  subject: string,
): Promise<Uint8Array> {
  const reply = await connection.request(
    `$JS.API.STREAM.MSG.GET.OBJ_${store}`,
    JSON.stringify({ last_by_subj: subject }),
    { timeout: 5000 },
  );
  const { message } = reply.json<{ message?: { data?: string } }>();
  return Buffer.from(message?.data ?? "", "base64");
}
