/**
 * `deno task bench:overhead`: the space that objects take beyond their bytes: in the bucket's stream, on disk and in
 * nats-server's memory.
 *
 * `--keep` writes the table to `docs/operations.md`.
 * @module
 */

// deno-lint-ignore-file no-console

import { connect } from "@nats-io/transport-node";
import { parseArgs } from "node:util";
import { formatTable } from "../../scripts/bench_report.ts";
import { replaceBetween } from "../../scripts/docs.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { CREDENTIALS, startGateway } from "../clients/gateway_process.ts";
import { signedFetch } from "../process/running_command.ts";
import { readMemory } from "./usage.ts";

const KEPT = new URL("../../docs/operations.md", import.meta.url).pathname;
const KIB = 1024;
const MIB = 1024 * KIB;
/** Sizes of objects, and the number of objects of each size. */
const OBJECTS = [[0, 20_000], [4 * KIB, 20_000], [128 * KIB, 1000], [MIB, 200], [
  64 * MIB,
  8,
]] as const;
/** PUTs in flight. */
const CLIENTS = 8;

async function diskOf({ storeDir }: NatsServer): Promise<number> {
  const { stdout } = await new Deno.Command("du", { args: ["-s", "-B1", storeDir] }).output();
  return Number.parseInt(new TextDecoder().decode(stdout));
}

async function bytesOfBucket({ url }: NatsServer): Promise<number> {
  const connection = await connect({ servers: url });
  try {
    const answer = await connection.request("$JS.API.STREAM.INFO.OBJ_overhead");
    return answer.json<{ state: { bytes: number } }>().state.bytes;
  } finally {
    await connection.close();
  }
}

function format(bytes: number): string {
  if (bytes >= MIB) return `${bytes / MIB} MiB`;
  return bytes >= KIB ? `${bytes / KIB} KiB` : String(bytes);
}

async function measure(size: number, count: number): Promise<readonly string[]> {
  await using server = await startNatsServer();
  await using gateway = await startGateway({ server, flags: ["--log.requests", "off"] });
  const send = async (path: string, body?: Uint8Array<ArrayBuffer>): Promise<void> => {
    const request = { method: "PUT", ...(body !== undefined && { body }) };
    const response = await signedFetch(`${gateway.url}/${path}`, CREDENTIALS, request);
    if (!response.ok) throw new Error(await response.text());
    await response.body?.cancel();
  };
  await send("overhead");
  const body = crypto.getRandomValues(new Uint8Array(Math.min(size, 64 * KIB)));
  const whole = new Uint8Array(size);
  for (let at = 0; at < size; at += body.length) whole.set(body, at);
  const disk = await diskOf(server);
  const memory = await readMemory([server.pid], "VmRSS");
  let next = 0;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    // 32 bytes, a typical length for keys of data sets.
    for (let i; (i = next++) < count;) {
      await send(`overhead/${`data/2026-01-01/part-${i}`.padEnd(32, "x")}`, whole);
    }
  }));
  const stored = await bytesOfBucket(server);
  const each = (bytes: number): string => Math.round(bytes / count - size).toLocaleString("en");
  const grown = (await readMemory([server.pid], "VmRSS") - memory) / count;
  return [
    format(size),
    each(stored),
    each(await diskOf(server) - disk),
    size > 4 * KIB ? "" : Math.round(grown).toLocaleString("en"),
  ];
}

const { values } = parseArgs({ args: Deno.args, options: { keep: { type: "boolean" } } });
const rows: (readonly string[])[] = [];
for (const [size, count] of OBJECTS) {
  const row = await measure(size, count);
  console.log(row.join("  "));
  rows.push(row);
}
const head = ["Object", "Of the quota", "On disk", "Memory of nats-server"];
if (values.keep) {
  const text = await Deno.readTextFile(KEPT);
  await Deno.writeTextFile(KEPT, replaceBetween(text, "overhead", formatTable(head, rows)));
}
