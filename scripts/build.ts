/**
 * `deno task build`: writes the artefacts of a release to `dist/`, as far as this machine can make them.
 *
 * - `nats-s3.js`: the gateway in one file, for Deno. The image runs it.
 * - `nats-s3-<target>`: a program for this machine, or with `--all-targets` for all. It is made from Deno's runtime
 *   `denort`, which comes from Deno's download site. If the site cannot be reached, the program is only compiled.
 * - `nats-s3-<version>.tgz`: the Helm chart.
 * - `nats-s3.cdx.json`: the bill of materials.
 * - `SHA256SUMS`
 *
 * It reports missing artefacts at the end. With `--strict` they are a failure.
 * @module
 */

// deno-lint-ignore-file no-console

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import manifest from "../deno.json" with { type: "json" };
import { call, findTool } from "./deploy_tools.ts";
import { formatSbom } from "./sbom.ts";

const ROOT = resolve(`${import.meta.dirname}/..`);
/** The folder of the artefacts; git ignores it. */
export const DIST: string = `${ROOT}/dist`;

/** The targets of a release: all that Deno supports. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
] as const;

/** Permissions of a program: only those that the gateway needs. File permissions of the system protect other files. */
const PERMISSIONS = ["--no-prompt", "--allow-net", "--allow-env", "--allow-read"] as const;

/** Why an artefact was left out. */
type Missing = string;

/**
 * Writes the gateway as one JavaScript file and returns its path.
 */
export async function bundle(path = `${DIST}/nats-s3.js`): Promise<string> {
  await deno(["bundle", "--quiet", "--output", path, "main.ts"]);
  return path;
}

async function compile(target: string): Promise<readonly Missing[]> {
  const name = `nats-s3-${target}${target.includes("windows") ? ".exe" : ""}`;
  const to = (path: string) => [
    ...["compile", "--quiet", "--frozen", ...PERMISSIONS, "--exclude-unused-npm"],
    ...["--target", target, "--output", path, "main.ts"],
  ];
  const { code, stderr } = await attempt(to(`${DIST}/${name}`));
  if (code === 0) return [];
  if (!/denort|Setting up base binary/.test(stderr)) throw new Error(`deno compile: ${stderr}`);
  if (target !== Deno.build.target) return [`${name}: Deno's download site cannot be reached`];

  // Everything except the runtime can be checked: with Deno itself in its place a program is made, but it starts Deno.
  const into = await Deno.makeTempDir();
  try {
    const proof = await attempt(to(`${into}/${name}`), { DENORT_BIN: Deno.execPath() });
    if (proof.code !== 0) throw new Error(`deno compile: ${proof.stderr}`);
  } finally {
    await Deno.remove(into, { recursive: true });
  }
  return [
    `${name}: it compiles, but the runtime for it (denort) is neither in Deno's cache nor at DENORT_BIN, and ` +
    "Deno's download site cannot be reached",
  ];
}

async function packChart(): Promise<readonly Missing[]> {
  const helm = await findTool("helm", console.log);
  if (helm === undefined) return ["the chart: there is no helm, and no Go to build it with"];
  const { code, stderr } = await call(helm, [
    ...["package", `${ROOT}/deploy/helm/nats-s3`, "--destination", DIST],
    ...["--version", manifest.version, "--app-version", manifest.version],
  ]);
  if (code !== 0) throw new Error(`helm package: ${stderr}`);
  return [];
}

/** Writes `SHA256SUMS` for `sha256sum --check`. */
async function writeSums(): Promise<void> {
  const files = (await Array.fromAsync(Deno.readDir(DIST), ({ name }) => name)).sort();
  const lines = await Promise.all(files.map(async (name) => {
    const digest = createHash("sha256").update(await Deno.readFile(`${DIST}/${name}`));
    return `${digest.digest("hex")}  ${name}\n`;
  }));
  await Deno.writeTextFile(`${DIST}/SHA256SUMS`, lines.join(""));
  console.log(lines.join("").trimEnd());
}

async function attempt(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stderr: string }> {
  const options = { args: [...args], cwd: ROOT, env: { NO_COLOR: "1", ...env } };
  const { code, stderr } = await new Deno.Command(Deno.execPath(), options).output();
  return { code, stderr: new TextDecoder().decode(stderr).trim() };
}

async function deno(args: readonly string[]): Promise<void> {
  const { code, stderr } = await attempt(args);
  if (code !== 0) throw new Error(`deno ${args[0]}: ${stderr}`);
}

async function build(args: readonly string[]): Promise<number> {
  await Deno.remove(DIST, { recursive: true }).catch(() => {});
  await Deno.mkdir(DIST);
  const targets = args.includes("--all-targets") ? TARGETS : [Deno.build.target];
  const missing: Missing[] = [];
  await bundle();
  await Deno.writeTextFile(`${DIST}/nats-s3.cdx.json`, await formatSbom());
  for (const target of targets) missing.push(...await compile(target));
  missing.push(...await packChart());
  await writeSums();
  for (const reason of missing) console.log(`missing: ${reason}`);
  return missing.length > 0 && args.includes("--strict") ? 1 : 0;
}

if (import.meta.main) Deno.exit(await build(Deno.args));
