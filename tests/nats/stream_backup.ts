/**
 * Backs a stream up and restores it, as `nats stream backup` and `nats stream restore` do.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-1.md and JSStreamSnapshotT in nats-server
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { call } from "../contract/nats_store.ts";

/** A backup of a stream, in memory. */
export type StreamBackup = {
  readonly stream: string;
  readonly config: unknown;
  readonly state: unknown;
  readonly chunks: readonly Uint8Array[];
};

/** Returns a backup of a stream. */
export async function backUp(connection: NatsConnection, stream: string): Promise<StreamBackup> {
  const inbox = `_INBOX.backup.${crypto.randomUUID()}`;
  const chunks: Uint8Array[] = [];
  const messages = connection.subscribe(inbox);
  const { config, state } = await call<{ readonly config: unknown; readonly state: unknown }>(
    connection,
    `STREAM.SNAPSHOT.${stream}`,
    { deliver_subject: inbox, no_consumers: true, chunk_size: 64 * 1024 },
  );
  for await (const message of messages) {
    if (message.data.length === 0) break;
    chunks.push(message.data.slice());
    message.respond();
  }
  messages.unsubscribe();
  return { stream, config, state, chunks };
}

/** Restores a stream that was deleted. */
export async function restore(connection: NatsConnection, backup: StreamBackup): Promise<void> {
  const { stream, config, state, chunks } = backup;
  const { deliver_subject } = await call<{ readonly deliver_subject: string }>(
    connection,
    `STREAM.RESTORE.${stream}`,
    { config, state },
  );
  for (const chunk of chunks) await connection.request(deliver_subject, chunk);
  const end = await connection.request(deliver_subject, "", { timeout: 10_000 });
  const { error } = end.json<{ readonly error?: { readonly description: string } }>();
  if (error !== undefined) throw new Error(error.description);
}
