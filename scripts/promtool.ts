/**
 * Finds Prometheus and its promtool, which check metrics and rules, or fetches them into the project's `.tools/` folder.
 *
 * It tries, in order: `PROMTOOL_BIN` or `PROMETHEUS_BIN`, the PATH, one that was fetched earlier, and Debian's package
 * `prometheus`, which requires no root because apt checks its signature.
 * @module
 */

import { fetchFromDebian, KEPT_PROGRAMS } from "./debian.ts";

const PROGRAMS = ["promtool", "prometheus"] as const;

/** The result of a call of promtool. */
export type PromtoolResult = {
  /** 0 for no problems, 3 for names that break the conventions. */
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
};

/** Runs promtool. */
export type Promtool = (args: readonly string[], input?: string) => Promise<PromtoolResult>;

type Note = (text: string) => void;

/**
 * Finds promtool, or fetches it.
 *
 * @returns undefined after telling `note` the reason, if there is none
 * @throws Error if `PROMTOOL_BIN` names a file that does not run
 */
export async function findPromtool(note: Note = () => {}): Promise<Promtool | undefined> {
  const path = await find("promtool", note);
  return path === undefined ? undefined : promtool(path);
}

/**
 * Finds Prometheus, or fetches it, like {@linkcode findPromtool}.
 *
 * @returns its path
 */
export async function findPrometheus(note: Note = () => {}): Promise<string | undefined> {
  return await find("prometheus", note);
}

async function find(program: typeof PROGRAMS[number], note: Note): Promise<string | undefined> {
  const variable = `${program.toUpperCase()}_BIN`;
  const named = Deno.env.get(variable);
  if (named) {
    if (!await runs(named)) throw new Error(`Cannot run ${variable} "${named}"`);
    return named;
  }
  const kept = `${KEPT_PROGRAMS}/${program}`;
  for (const path of [program, kept]) {
    if (await runs(path)) return path;
  }
  try {
    await fetchFromDebian("prometheus", PROGRAMS);
    if (await runs(kept)) return kept;
    note(`Debian's ${program} does not run here`);
  } catch (cause) {
    note(`Cannot fetch ${program}: ${cause instanceof Error ? cause.message : cause}`);
  }
  return undefined;
}

async function runs(path: string): Promise<boolean> {
  return await promtool(path)(["--version"]).then(({ code }) => code === 0, () => false);
}

function promtool(path: string): Promtool {
  return async (args, input) => {
    const child = new Deno.Command(path, {
      args: [...args],
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const [{ code, stdout, stderr }] = await Promise.all([
      child.output(),
      input === undefined ? undefined : new Blob([input]).stream().pipeTo(child.stdin),
    ]);
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  };
}
