/**
 * Reads the processor time and memory of processes from `/proc`; returns zeros on systems without it.
 * @module
 */

import { parseCpuTime, parseMemory } from "../../scripts/bench_figures.ts";

/** Returns the total processor time of the processes since they started, in seconds. */
export async function readCpuTime(pids: readonly number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => read(`/proc/${pid}/stat`)));
  return texts.reduce((sum, text) => sum + (text === "" ? 0 : parseCpuTime(text)), 0);
}

/** Returns the resident memory of the largest process, in bytes: now, or the peak since {@linkcode resetPeaks}. */
export async function readMemory(
  pids: readonly number[],
  field: "VmHWM" | "VmRSS",
): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => read(`/proc/${pid}/status`)));
  return Math.max(...texts.map((text) => parseMemory(text, field)));
}

/** Resets the peak memory of processes. */
export async function resetPeaks(pids: readonly number[]): Promise<void> {
  for (const pid of pids) await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5").catch(() => {});
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
