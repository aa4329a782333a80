/**
 * Puts known faults back into the source, one at a time, and tells how many seeds the simulation needs to find each:
 * `deno task simulate:faults [--minutes N] [--from SEED] [NAME…]`.
 *
 * Each fault is a patch in `faults/`, whose first lines say what is wrong, and what a simulation needs to show it: seeds
 * without that are counted and not run. The changed source lies in a temporary folder. A seed that also fails without the
 * fault does not count.
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { parsePatch, patched } from "./apply_patch.ts";
import { simulate } from "./simulation.ts";
import type { Tried } from "./try_seeds.ts";

/** How the search for a fault ended. */
type Search = {
  readonly name: string;
  /** The first line of the violation; undefined if nothing was found. */
  readonly violation: string | undefined;
  readonly seed: number;
  /** Seeds up to the one that failed, and those of them that were run. */
  readonly seeds: number;
  readonly tried: number;
  readonly steps: number;
  readonly seconds: number;
};

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FAULTS = `${ROOT}tests/simulation/faults`;
/** What the simulation is made of. */
const COPIED = ["src", "scripts", "tests", "deno.json"] as const;
const TRY = "tests/simulation/try_seeds.ts";
/** Milliseconds after which a seed does not end. */
const SEED_TIMEOUT = 120_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    from: { type: "string", default: "1" },
  },
});

const all = [...Deno.readDirSync(FAULTS)].map(({ name }) => name.replace(/\.patch$/, "")).sort();
const searches: Search[] = [];
for (const name of positionals.length > 0 ? positionals : all) {
  const search = await find(name);
  searches.push(search);
  console.log(rowOf(search));
}
const found = searches.filter(({ violation }) => violation !== undefined).length;
console.log(`${found} of ${searches.length} faults were found`);
if (found < searches.length) Deno.exitCode = 1;

function rowOf({ name, violation, seed, seeds, tried, steps, seconds }: Search): string {
  const by = violation === undefined ? "**not found**" : `${violation.slice(0, 200)} (${seed})`;
  return `| ${name} | ${by} | ${seeds} | ${tried} | ${steps} | ${seconds.toFixed(0)} |`;
}

/** Searches until a seed fails that does not fail without the fault. */
async function find(name: string): Promise<Search> {
  const folder = await Deno.makeTempDir();
  const began = performance.now();
  const deadline = began + Number(values.minutes) * 60_000;
  const first = Number(values.from);
  let [seed, tried, steps] = [first, 0, 0];
  let violation: string | undefined;
  try {
    for (const part of COPIED) copy(`${ROOT}${part}`, `${folder}/${part}`);
    const needs = patch(folder, name);
    for (;;) {
      const failed = await searchFrom(seed, needs, folder, deadline, (one) => {
        seed = one.seed;
        tried++;
        steps += one.steps;
      });
      if (failed === undefined) break;
      seed = failed.seed;
      const { violations: others } = await simulate(seed);
      if (others.length === 0) {
        violation = failed.violations[0]?.replaceAll("\n", " ");
        break;
      }
      console.error(`seed ${seed} also fails without ${name}: ${others[0]?.slice(0, 200)}`);
      seed++;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const seconds = (performance.now() - began) / 1000;
  return { name, violation, seed, seeds: seed - first + 1, tried, steps, seconds };
}

/** Puts a fault into a copy of the source. Returns what a simulation needs to show it. */
function patch(folder: string, name: string): readonly string[] {
  const text = Deno.readTextFileSync(`${FAULTS}/${name}.patch`);
  for (const file of parsePatch(text)) {
    const path = `${folder}/${file.path}`;
    Deno.writeTextFileSync(path, patched(Deno.readTextFileSync(path), file));
  }
  return /^Needs: (.*)$/m.exec(text)?.[1]?.split(" ") ?? [];
}

/** Tries seeds in a process of its own, which may never end by itself. */
async function searchFrom(
  first: number,
  needs: readonly string[],
  folder: string,
  deadline: number,
  note: (tried: Tried) => void,
): Promise<Tried | undefined> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--lock=tests/deno.lock", TRY, `${first}`, ...needs],
    cwd: folder,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let next = first;
  let isLate = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, SEED_TIMEOUT);
  };
  watch();
  try {
    for await (const line of linesOf(child.stdout)) {
      const tried = JSON.parse(line) as Tried;
      note(tried);
      watch();
      next = tried.seed + 1;
      if (tried.violations.length > 0) return tried;
      if (performance.now() > deadline) return undefined;
    }
    const { code } = await child.status;
    const text = isLate ? "The seed does not end" : `The process ended with code ${code}`;
    return { seed: next, steps: 0, violations: [text] };
  } finally {
    clearTimeout(timer);
    if (!isLate) kill(child);
    await child.status;
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function copy(from: string, to: string): void {
  if (Deno.statSync(from).isFile) {
    Deno.copyFileSync(from, to);
    return;
  }
  Deno.mkdirSync(to);
  for (const { name } of Deno.readDirSync(from)) copy(`${from}/${name}`, `${to}/${name}`);
}
