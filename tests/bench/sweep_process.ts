/**
 * Sweeps one bucket in a process of its own, so that its memory can be measured: prints a line of JSON and ends.
 *
 * Arguments: the URL of nats-server, the bucket, the minimum age in milliseconds, and how many sweeps.
 * @module
 */

// deno-lint-ignore-file no-console

import type { BucketName } from "../../src/s3/names.ts";
import type { SweepReport } from "../../src/store/maintenance.ts";
import { openStore } from "../nats/store_on_server.ts";
import { readCpuTime, readMemory, resetPeaks } from "./usage.ts";

/** What the sweeps took. */
export type SweepFigures = {
  /** Bytes of resident memory before the first sweep, and the most of them while it ran. */
  readonly idle: number;
  readonly peak: number;
  readonly sweeps: readonly {
    readonly seconds: number;
    /** Bytes that nats-server read, and its processor time in seconds. */
    readonly read: number;
    readonly serverTime: number;
    readonly report: SweepReport;
  }[];
};

/** Sweeps a bucket in another process. */
export async function sweepApart(
  server: { readonly url: string; readonly pid: number },
  bucket: BucketName,
  { minAge, sweeps }: { readonly minAge: number; readonly sweeps: number },
): Promise<SweepFigures> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--lock=tests/deno.lock", import.meta.url],
      ...[server.url, String(server.pid), bucket, String(minAge), String(sweeps)],
    ],
    cwd: new URL("../..", import.meta.url).pathname,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`The sweep failed: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout));
}

/** Bytes that a process has read since it began, from files and sockets. */
async function readRead(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/io`).catch(() => "");
  return Number(/^rchar: (\d+)$/m.exec(text)?.[1] ?? 0);
}

async function main([url = "", server = "", bucket = "", minAge = "", count = ""]): Promise<void> {
  await using opened = await openStore(url);
  const { store } = opened;
  await store.listBuckets(); // warms the runtime up
  const pid = Number(server);
  const idle = await readMemory([Deno.pid], "VmRSS");
  await resetPeaks([Deno.pid]);
  const sweeps: SweepFigures["sweeps"][number][] = [];
  for (let i = 0; i < Number(count); i++) {
    const [began, read, time] = [performance.now(), await readRead(pid), await readCpuTime([pid])];
    const report = await store.sweep(bucket as BucketName, {
      minAge: Number(minAge),
      dryRun: false,
    });
    sweeps.push({
      seconds: (performance.now() - began) / 1000,
      read: await readRead(pid) - read,
      serverTime: await readCpuTime([pid]) - time,
      report,
    });
  }
  const figures: SweepFigures = { idle, peak: await readMemory([Deno.pid], "VmHWM"), sweeps };
  console.log(JSON.stringify(figures));
}

if (import.meta.main) await main(Deno.args as Parameters<typeof main>[0]);
