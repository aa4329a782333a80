/**
 * Measures the gateway's memory during concurrent uploads and downloads, one of them slow.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { RawConnection } from "../clients/raw_http.ts";
import { startGateway } from "../process/running_command.ts";
import { CREDENTIALS_ENV, signedText } from "./wire_request.ts";

const MIB = 1024 * 1024;
/** Milliseconds between two measurements of the resident set. */
const PERIOD = 50;
/** Bytes per second that the slow reader reads. */
const SLOW = 1_000_000;

/** The concurrent transfers. */
export type MemoryLoad = {
  readonly puts: number;
  /** Number of downloads; one of them is slow, and disconnects when the others have ended. */
  readonly gets: number;
  /** Bytes of each transfer. */
  readonly size: number;
};

/** Resident sets of the gateway, in bytes. */
export type MemoryUse = { readonly idle: number; readonly peak: number };

/** Runs the load against the real command. */
export async function measureMemory({ puts, gets, size }: MemoryLoad): Promise<MemoryUse> {
  await using server = await startNatsServer();
  const args = ["--natsServers", server.url];
  await using gateway = await startGateway(args, { env: CREDENTIALS_ENV });
  const port = Number(new URL(gateway.url).port);
  const block = randomFillSync(new Uint8Array(MIB));

  const open = async (method: string, path: string, length = 0): Promise<RawConnection> => {
    const client = await RawConnection.open(port);
    const headers = [["host", "localhost"], ["content-length", String(length)]] as const;
    await client.send(signedText({ method, path, query: "", headers, body: "" }));
    return client;
  };
  const put = async (path: string, size: number): Promise<void> => {
    using client = await open("PUT", path, size);
    for (let sent = 0; sent < size; sent += block.length) {
      await client.send(block.subarray(0, size - sent));
    }
    strictEqual((await client.receive()).status, 200);
  };
  const get = async (path: string): Promise<void> => {
    using client = await open("GET", path);
    strictEqual((await client.receive(false)).status, 200);
    await client.skip(size);
  };
  const getSlowly = async (path: string, signal: AbortSignal): Promise<void> => {
    using client = await open("GET", path);
    const began = performance.now();
    for (let taken = 0; taken < size && !signal.aborted; taken += SLOW / 10) {
      await client.skip(SLOW / 10);
      await pause(Math.max(taken / SLOW * 1000 - (performance.now() - began), 0));
    }
  };

  await put("/photos", 0);
  await put("/photos/small", 1000);
  await pause(1000);
  const idle = await residentSet(gateway.pid);
  let peak = idle;
  const watching = setInterval(async () => {
    peak = Math.max(peak, await residentSet(gateway.pid).catch(() => 0));
  }, PERIOD);
  try {
    await put("/photos/read", size);
    const others = new AbortController();
    const slow = getSlowly("/photos/read", others.signal);
    await Promise.all([
      ...Array.from({ length: puts }, (_, i) => put(`/photos/written-${i}`, size)),
      ...Array.from({ length: gets - 1 }, () => get("/photos/read")),
    ]);
    others.abort();
    await slow;
  } catch (cause) {
    throw new Error(gateway.output.slice(-4000), { cause });
  } finally {
    clearInterval(watching);
  }
  return { idle, peak };
}

/** Returns the resident set of a process, in bytes. */
async function residentSet(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
