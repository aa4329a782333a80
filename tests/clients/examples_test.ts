/** Runs every example by the commands in its first comment. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { dirname } from "node:path";
import { ensurePython, type Tool } from "../../scripts/client_tools.ts";
import { findDebianProgram, KEPT_PROGRAMS } from "../../scripts/debian.ts";
import { ACCESS_KEY, SECRET_KEY } from "../../scripts/dev.ts";
import { freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { readVersion } from "../packages/versions.ts";
import { signedFetch, startCommand } from "../process/running_command.ts";
import { run } from "./client_process.ts";
import { type GatewayProcess, startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";
import { demand } from "./signed_request.ts";

const ROOT = `${import.meta.dirname}/../..`;
const PYARROW = `${ROOT}/examples/pyarrow/requirements.txt`;

/** Returns the environment for an example's tools, or the reason why a tool is missing. */
type Needs = () => Promise<Pick<Tool, "env"> | string>;

type Example = {
  /** Lines of the output that show the purpose of the example. */
  readonly prints: readonly RegExp[];
  readonly needs?: Needs;
  /** Set if the example imports from this repository, so it does not run in a copy of its folder. */
  readonly inPlace?: true;
  /** Checks the effect on the gateway afterwards. */
  readonly check?: (gateway: GatewayProcess) => Promise<void>;
};

const EXAMPLES: Readonly<Record<string, Example>> = {
  "python/objects.py": {
    needs: () => python(),
    prints: [
      /^got text\/plain; charset=utf-8 \{'author': 'ann'\}$/m,
      /^uploaded 20971521 bytes in parts/m,
      /^by presigned URL: no credentials here$/m,
      /^deleting \['from-a-friend', 'large.bin', 'reports\/2025.txt'\]$/m,
    ],
  },
  "javascript/streams.js": {
    needs: () => program("node"),
    prints: [
      /^streamed \d{8} bytes up and down$/m,
      /^bytes 0-5\/\d{8}: line 0$/m,
      /^presigned upload: 403 for text\/html, 200 for image\/png$/m,
      /^deleted avatar.png, log.txt$/m,
    ],
  },
  "go/main.go": {
    needs: () => program("go"),
    prints: [
      /^got 3145728 bytes by ann$/m,
      /^no such key: NoSuchKey$/m,
      /^prefix a\/\nprefix b\/$/m,
      /^deleted a\/one, a\/two words, b\/three$/m,
    ],
  },
  "pyarrow/ranges.py": {
    needs: () => python(PYARROW),
    prints: [
      /^wrote 4\d{6} bytes$/m,
      /^read 20000 values of one column in one of 10 row groups$/m,
      /^found sensors \[199995, 199996, 199997, 199998, 199999\]$/m,
    ],
    async check(gateway) {
      const metrics = await readMetrics(gateway);
      match(metrics, /^nats_s3_requests_total\{operation="GetObject",status="206".*\} \d+$/m);
      const sum = /^nats_s3_response_body_bytes_sum\{operation="GetObject"\} (\d+)$/m.exec(metrics);
      const bytes = Number(sum?.[1]);
      ok(bytes > 1000 && bytes < 1_000_000, `${bytes} bytes of a file of 4.7 MB were read`);
    },
  },
  "restic/backup.sh": {
    needs: () => debian("restic"),
    prints: [
      /^restored the first snapshot: the same files$/m,
      /^checked the repository with 1 snapshot left$/m,
    ],
  },
  "rclone/sync.sh": {
    needs: () => debian("rclone"),
    prints: [
      /^copied 4 files$/m,
      /^synced: deep\/er\/with space \+ plus\.txt;größe\/日本\.txt;large\.bin;new\.txt;$/m,
      /^copied it back: the same files$/m,
    ],
  },
  "terraform/state_lock.py": {
    needs: () => python(),
    prints: [
      /^locked by ann so bob waits$/m,
      /^locked by bob after ann freed it$/m,
      /^of 8 at once, 1 got it$/m,
    ],
  },
  "terraform/main.tf": {
    needs: async () => {
      const found = await program("terraform");
      return typeof found === "string" ? found : await python();
    },
    prints: [/Successfully configured the backend "s3"!/, /^"hello"$/m],
    async check(gateway) {
      const path = "/example-terraform/network/terraform.tfstate";
      match(await demand(gateway, 200, { path }), /"serial": 1/);
      await demand(gateway, 404, { path: `${path}.tflock` });
    },
  },
  "native/objects.ts": {
    inPlace: true,
    prints: [
      /^NATS reads: written by S3$/m,
      /^S3 reads: written by NATS$/m,
      /^S3 lists: from-nats.txt \(15\), from-s3.txt \(13\)$/m,
      /^heard of from-s3.txt, deleted$/m,
    ],
  },
};

/** The example that has its own test, because it is a server. */
const EMBED = "embed/main.ts";

async function python(list?: string): Promise<Pick<Tool, "env"> | string> {
  return await ensurePython(list).catch((cause: Error) => cause.message);
}

async function program(name: string): Promise<Pick<Tool, "env"> | string> {
  const version = name === "go" || name === "terraform" ? "version" : "--version";
  try {
    const { success } = await new Deno.Command(name, { args: [version] }).output();
    if (success) return { env: {} };
  } catch {
    // It is not installed.
  }
  return `${name} is not on the PATH, or does not run: install it`;
}

async function debian(name: string): Promise<Pick<Tool, "env"> | string> {
  const reasons: string[] = [];
  const found = await findDebianProgram(name, (text) => reasons.push(text));
  return found === undefined ? reasons.join("; ") : { env: {} };
}

/** Returns the commands that the first comment says to run. */
function linesToRun(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/^(#|\/\/| \*)(?=\s|$)/, ""));
  const from = lines.findIndex((line) => /^\s*Run it /.test(line));
  ok(from >= 0, "the first comment says how to run it");
  const block = lines.slice(from + 1).findIndex((line) => /^(\t| {4,})\S/.test(line)) + from + 1;
  const length = lines.slice(block).findIndex((line) => !/^(\t| {4,})\S/.test(line));
  return lines.slice(block, block + length).map((line) => line.trim());
}

/** Adapts the commands to the tools and the gateway of the tests. */
function scriptOf(lines: readonly string[]): string {
  strictEqual(lines[0], ". examples/dev.sh");
  const installs = lines.filter((line) => line.startsWith("pip install"));
  deepStrictEqual(
    installs.filter((line) => !/^pip install -r examples\/\w+\/requirements\.txt$/.test(line)),
    [],
  );
  return lines.filter((line) => line !== lines[0] && !installs.includes(line)).join("\n");
}

async function runExample(
  path: string,
  { prints, inPlace, check }: Example,
  toolEnv: Tool["env"],
): Promise<void> {
  const script = scriptOf(linesToRun(await Deno.readTextFile(`${ROOT}/examples/${path}`)));
  await using gateway = await startGateway();
  await using folder = await temporaryFolder();
  // A copy: some examples install packages or keep state in their own folder.
  await copyFolder(`${ROOT}/examples`, `${folder.path}/examples`);
  const cwd = inPlace ? ROOT : folder.path;
  const bash = { command: "bash", args: ["-euo", "pipefail", "-c", script], env: toolEnv };
  const { code, stdout, stderr } = await run(bash, [], {
    gateway,
    env: {
      // Package managers keep their caches there.
      HOME: Deno.env.get("HOME") ?? folder.path,
      NO_COLOR: "1",
      // Files that Go's SDK can read, whatever the user's own files contain.
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      // rclone does not accept a certificate bundle.
      AWS_CA_BUNDLE: "",
      TF_CLI_ARGS: "-no-color",
      NATS_URL: gateway.server.url,
      PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}:${KEPT_PROGRAMS}`,
    },
    cwd,
  });
  strictEqual(code, 0, `${script}\nended with ${code}:\n${stdout}${stderr}`);
  for (const line of prints) match(stdout, line);
  await check?.(gateway);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (name === "node_modules" || name === ".terraform") continue;
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

async function readMetrics(gateway: GatewayProcess): Promise<string> {
  const { port } = await gateway.logged(({ msg }) => msg === "Serving health and metrics");
  return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

for (const [path, example] of Object.entries(EXAMPLES)) {
  const had = await example.needs?.() ?? { env: {} };
  const isMissing = typeof had === "string";
  // deno-lint-ignore no-console
  if (isMissing) console.log(`Skipping example ${path}: ${had}`);
  Deno.test({
    name: `example ${path}`,
    ignore: isMissing,
    fn: () => isMissing ? Promise.resolve() : runExample(path, example, had.env),
  });
}

Deno.test(`example ${EMBED}`, async () => {
  await using server = await startNatsServer();
  const port = String(freePort());
  const [line = ""] = linesToRun(await Deno.readTextFile(`${ROOT}/examples/${EMBED}`));
  const [command, ...args] = line.split(" ");
  strictEqual(command, "deno");
  await using program = startCommand(args, { env: { NATS_URL: server.url, PORT: port } });
  await program.waitFor(new RegExp(`Serving at http://127.0.0.1:${port}\n`));

  const url = `http://127.0.0.1:${port}`;
  const pair = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
  strictEqual(await (await fetch(`${url}/-/`)).text(), "My own page\n");
  for (const [path, body] of [["/embedded", undefined], ["/embedded/key", "text"]] as const) {
    const put = await signedFetch(url + path, pair, {
      method: "PUT",
      ...body !== undefined && { body },
    });
    strictEqual(put.status, 200, await put.text());
  }
  const got = await signedFetch(`${url}/embedded/key`, pair);
  strictEqual(await got.text(), "text");
  const unsigned = await fetch(`${url}/embedded/key`);
  match(await unsigned.text(), /<Code>AccessDenied<\/Code>/);
  strictEqual((await program.stop("SIGINT")).code, 0, program.output);
});

Deno.test("every example is run, and listed in examples/README.md", async () => {
  const folders = await Array.fromAsync(Deno.readDir(`${ROOT}/examples`));
  const isProgram = (name: string): boolean => /\.(py|js|ts|go|sh|tf)$/.test(name);
  const found: string[] = [];
  for (const { name, isDirectory } of folders) {
    if (!isDirectory) continue;
    const files = await Array.fromAsync(Deno.readDir(`${ROOT}/examples/${name}`));
    found.push(
      ...files.filter(({ name }) => isProgram(name)).map((file) => `${name}/${file.name}`),
    );
  }
  deepStrictEqual(found.sort(), [...Object.keys(EXAMPLES), EMBED].sort());
  const readme = await Deno.readTextFile(`${ROOT}/examples/README.md`);
  const listed = [...readme.matchAll(/\]\(([^)]+\/[^)]+)\)/g)].map(([, path]) => path);
  deepStrictEqual(listed.sort(), found);
});

Deno.test("examples/dev.sh has the settings of deno task dev", async () => {
  const text = await Deno.readTextFile(`${ROOT}/examples/dev.sh`);
  match(text, new RegExp(`^export AWS_ACCESS_KEY_ID=${ACCESS_KEY}$`, "m"));
  match(text, new RegExp(`^export AWS_SECRET_ACCESS_KEY=${SECRET_KEY}$`, "m"));
});

Deno.test("the examples' packages have the versions that the tests install", async () => {
  const ours = await Deno.readTextFile(`${ROOT}/tests/clients/requirements.txt`);
  const python = await Deno.readTextFile(`${ROOT}/examples/python/requirements.txt`);
  for (const line of python.trim().split("\n")) ok(ours.split("\n").includes(line), line);
  const manifest = await Deno.readTextFile(`${ROOT}/examples/javascript/package.json`);
  for (const [name, version] of Object.entries(JSON.parse(manifest).dependencies)) {
    strictEqual(version, await readVersion(name));
  }
});
