/**
 * A bucket that the Go gateway nats-s3 wrote, and its stores for uploads, restored from backups.
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import type { BucketName, ObjectKey } from "../../src/s3/names.ts";

const FIXTURE = new URL("../fixtures/nats-s3-go/", import.meta.url);

/** What there is a backup of. */
export const STREAMS = ["OBJ_go-gateway", "OBJ_mp_temp", "KV_mp_meta", "KV_mp_part_meta"] as const;

/** What was put. */
export type Manifest = {
  readonly bucket: BucketName;
  readonly objects: Readonly<
    Record<string, {
      readonly size: number;
      readonly sha256: string;
      readonly contentType: string | null;
      readonly metadata: Readonly<Record<string, string>>;
      readonly tags: Readonly<Record<string, string>>;
      readonly retention?: { readonly mode: string; readonly until: string };
    }>
  >;
  readonly absent: readonly ObjectKey[];
};

/** Reads what was put. */
export async function readManifest(): Promise<Manifest> {
  return JSON.parse(await Deno.readTextFile(new URL("manifest.json", FIXTURE)));
}

/** Restores a backup as `nats stream restore` does. */
export async function restore(connection: NatsConnection, stream: string): Promise<void> {
  const backup = JSON.parse(await Deno.readTextFile(new URL(`${stream}/backup.json`, FIXTURE)));
  const archive = await Deno.readFile(new URL(`${stream}/stream.arc.s2`, FIXTURE));
  const reply = await connection.request(
    `$JS.API.STREAM.RESTORE.${stream}`,
    JSON.stringify({ config: backup.config, state: backup.state }),
  );
  const { deliver_subject: subject, error } = reply.json<
    { deliver_subject: string; error?: { description: string } }
  >();
  if (error !== undefined) throw new Error(error.description);
  for (let i = 0; i < archive.length; i += 65_536) {
    await connection.request(subject, archive.subarray(i, i + 65_536));
  }
  const done = await connection.request(subject, new Uint8Array(), { timeout: 10_000 });
  const answer = done.json<{ error?: { description: string } }>();
  if (answer.error !== undefined) throw new Error(answer.error.description);
}
