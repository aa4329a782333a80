/**
 * What processes use of processor and memory, from `/proc`; zeros where there is none.
 * @module
 */

import { parseCpuTime, parseMemory } from "../../scripts/bench_figures.ts";

/** Processor time in seconds since each process began, added up. */
export async function readCpuTime(pids: readonly number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => read(`/proc/${pid}/stat`)));
  return texts.reduce((sum, text) => sum + (text === "" ? 0 : parseCpuTime(text)), 0);
}

/** Resident memory of the largest process, in bytes: now, or the most since {@linkcode resetPeaks}. */
export async function readMemory(
  pids: readonly number[],
  field: "VmHWM" | "VmRSS",
): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => read(`/proc/${pid}/status`)));
  return Math.max(...texts.map((text) => parseMemory(text, field)));
}

/** Begins the search for the most memory anew. */
export async function resetPeaks(pids: readonly number[]): Promise<void> {
  for (const pid of pids) await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5").catch(() => {});
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
