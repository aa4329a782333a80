/**
 * Runs every command that documents tell a reader to paste. Each document gets its own gateway.
 *
 * A runnable block is fenced as `sh`, one that cannot run here as `sh not-run` (.github/CONTRIBUTING.md). Each block
 * sees the variables and files of the blocks before it. As in the README, there is a bucket `demo` with an object
 * `hello.txt`. Ports are replaced; a gateway that a command starts is stopped as soon as it serves. A block fenced as
 * `text` behind a block that runs is what a terminal shows for it, in which `…` stands for any text of a line,
 * and in a line of its own for any lines.
 * @module
 */

import { match, strictEqual } from "node:assert/strict";
import { resolve } from "node:path";
import { ensureAwsCli } from "../../scripts/client_tools.ts";
import {
  ACCESS_KEY,
  CREDENTIALS as ADMINISTRATOR,
  SECRET_KEY,
  USERS_KEY,
} from "../../scripts/dev.ts";
import { findNatsCli } from "../../scripts/nats_cli.ts";
import { type Block, blocksOf, isRun, readDocuments, ROOT } from "../documents.ts";
import { signedFetch } from "../process/running_command.ts";
import { run } from "./client_process.ts";
import { type GatewayProcess, startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";

const PAIR = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
const CREDENTIALS = JSON.stringify({
  credentials: [{ accessKey: ACCESS_KEY, secretKey: SECRET_KEY }],
});
/** Documents whose gateway has an administrator, and a key that seals the secrets of users. */
const WITH_USERS = ["docs/users.md"];
/** Output that commands of a document must print, in addition to exiting with 0. */
const PRINTED: Readonly<Record<string, readonly RegExp[]>> = {
  "README.md": [
    /make_bucket: demo/,
    /^hello$/m,
    /X-Amz-Signature=|Signature=/,
    /^hello from NATS$/m,
    /remove_bucket: demo/,
  ],
  "docs/authentication.md": [/^hello$/m],
  "docs/interop.md": [/^from NATS$/m, /^hello$/m],
  "docs/lifecycle.md": [/expiry-date=.*rule-id=.*logs/],
  "docs/operations.md": [/hello\.txt/, /^demo: quota 10 GiB, objects 1000000$/m, /would free/],
  "docs/versions.md": [
    /^note\.txt\s+\w{32}\s+True\s+4$/m,
    /"DeleteMarker": true/,
    /^"team\/plan\.txt" +\w{32} +\S+ +- +- +current, delete marker$/m,
    /^would restore "team\/report\.txt" from/m,
    /restored 2 objects \(12 B\), deleted 0, left 0 as they are$/m,
    /^draft$/m,
  ],
  "docs/website.md": [/demo: everybody may read its objects/, /^<h1>hello<\/h1>$/m],
};

const UNTIL_IT_SERVES = `
until_it_serves() {
  log=$(mktemp -p "$HOME")
  "$@" > "$log" 2>&1 &
  pid=$!
  for _ in $(seq 600); do
    if grep -qE "Serving S3|Ctrl-C stops it" "$log"; then
      kill -s TERM $pid
      wait $pid
      exit
    fi
    kill -0 $pid 2> /dev/null || break
    sleep 0.1
  done
  cat "$log" >&2
  exit 1
}`;
/** Runs a block of TypeScript with the project's packages. */
const TYPESCRIPT =
  `deno run --allow-net --allow-env --config '${ROOT}/deno.json' --lock '${ROOT}/tests/deno.lock' block.ts`;
const ANY_PORT = "--listen 127.0.0.1:0 --admin.listen 127.0.0.1:0";

/** Returns the scripts that replace the real programs on the PATH of documented commands. */
function standIns(deno: string, aws: string, nats: string): Readonly<Record<string, string>> {
  return {
    "aws": `exec ${aws} "$@"`,
    // The first key that a document makes is that of its gateway.
    "head": `
      if [ "$*" = "-c 32 /dev/urandom" ] && [ ! -e ~/.made ]; then
        touch ~/.made
        echo '${USERS_KEY}' | base64 --decode
      else
        exec /usr/bin/head "$@"
      fi`,
    "nats": `exec '${nats}' --server "$NATS_S3_NATS_SERVERS" "$@"`,
    "npx": `
      [ "$1" = --yes ] && [[ "$2" = deno@* ]] || { echo "npx is only for deno" >&2; exit 1; }
      shift 2
      exec deno "$@"`,
    "nats-s3": `exec deno run --allow-net --allow-env main.ts "$@"`,
    // main.ts means the project's own; a server gets free ports and is stopped once it serves.
    "deno": `${UNTIL_IT_SERVES}
      if [ "$1 $2" = "task dev" ]; then
        cd '${ROOT}'
        NATS_URL="$NATS_S3_NATS_SERVERS" until_it_serves '${deno}' task dev ${ANY_PORT}
      fi
      [ "$1" = run ] || { echo "deno $1 is not for documents that run" >&2; exit 1; }
      args=() command=
      for arg in "$@"; do
        [ "$command" = main ] && case "$arg" in sweep|buckets|accounts|users|health|--help|--version) command=other ;; *) command=serve ;; esac
        [ "$arg" = main.ts ] && { arg='${ROOT}/main.ts'; command=main; }
        args+=("$arg")
      done
      [ "$command" = other ] || [ -z "$command" ] && exec '${deno}' "\${args[@]}"
      until_it_serves '${deno}' run --no-prompt "\${args[@]:1}" ${ANY_PORT}`,
  };
}

/** Returns the folder where Deno keeps packages. */
async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** Returns what a terminal shows: without what a carriage return overwrites, and without blanks around lines and text. */
function shownBy(output: string): string {
  return output.split("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1).trimEnd())
    .join("\n").trim();
}

/** Checks what a block printed against the block behind it: `…` stands for any text of a line, alone for any lines. */
function checkAnswer({ code }: Block, printed: string): void {
  const pattern = code.trimEnd().split(/^…$\n?/m)
    .map((text) => text.split("…").map(RegExp.escape).join("[^\\n]*")).join("[^]*");
  if (!new RegExp(`^${pattern}$`).test(shownBy(printed))) {
    strictEqual(shownBy(printed), code.trimEnd());
  }
}

/** Runs a block and returns its output. Files in the folder carry the environment to the next block. */
async function runBlock(
  block: Block,
  { answer, gateway, folder, env }: {
    /** The block that shows the output, if there is one. */
    readonly answer: Block | undefined;
    readonly gateway: GatewayProcess;
    readonly folder: string;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<string> {
  const admin = gateway.log.find(({ msg }) => msg === "Serving health and metrics")?.["port"];
  const sites = gateway.log.find(({ msg }) => msg === "Serving web sites")?.["port"];
  const code = block.code
    .replaceAll("127.0.0.1:5222", gateway.host)
    .replaceAll("127.0.0.1:8081", "127.0.0.1:0")
    .replaceAll("localhost:8081", `localhost:${sites}`)
    .replaceAll("http://127.0.0.1:5223", `http://127.0.0.1:${admin}`)
    .replaceAll("127.0.0.1:4222", `127.0.0.1:${gateway.server.port}`);
  if (block.language === "ts") await Deno.writeTextFile(`${folder}/block.ts`, code);
  const script = `set -euo pipefail
    [ -e .exported ] && . ./.exported
    ${answer === undefined ? "" : "exec 2>&1"}
    trap 'export -p > .exported' EXIT
    ${block.language === "ts" ? TYPESCRIPT : code}`;
  const bash = { command: "bash", args: ["-c", script], env };
  const { code: exit, stdout, stderr } = await run(bash, [], { gateway, cwd: folder, env });
  strictEqual(exit, 0, `${block.code}\n${stdout}\n${stderr}`);
  if (answer !== undefined) checkAnswer(answer, stdout);
  return stdout;
}

const notes: string[] = [];
const nats = await findNatsCli((text) => notes.push(text));
const documents = (await readDocuments()).filter(({ text }) => blocksOf(text).some(isRun));

for (const { path, text } of documents) {
  const all = blocksOf(text);
  const blocks = all.filter(isRun);
  const hasUsers = WITH_USERS.includes(path);
  const needsNats = blocks.some(({ code }) => /^(.*\| )?nats /m.test(code));
  Deno.test({
    // Without Go the nats command may be missing: scripts/test.ts knows this name.
    name: `${needsNats ? "nats and other " : ""}commands of ${path} run`,
    ignore: needsNats && nats === undefined,
    async fn(t) {
      await using gateway = await startGateway({
        flags: path === "docs/website.md" ? ["--website.listen", "127.0.0.1:0"] : [],
        env: hasUsers
          ? { NATS_S3_CREDENTIALS: ADMINISTRATOR, NATS_S3_USERS_KEY: USERS_KEY }
          : { NATS_S3_CREDENTIALS: CREDENTIALS },
      });
      await using folder = await temporaryFolder();
      const aws = await ensureAwsCli();
      const command = [aws.command, ...aws.args].map((word) => `'${word}'`).join(" ");
      const tools = standIns(resolve(Deno.execPath()), command, nats ?? "");
      await Deno.mkdir(`${folder.path}/bin`);
      for (const [name, script] of Object.entries(tools)) {
        await Deno.writeTextFile(`${folder.path}/bin/${name}`, `#!/usr/bin/env bash\n${script}\n`, {
          mode: 0o755,
        });
      }
      const env = {
        ...aws.env,
        PATH: `${folder.path}/bin:${Deno.env.get("PATH")}`,
        AWS_ACCESS_KEY_ID: ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY: SECRET_KEY,
        ...hasUsers && { AWS_SHARED_CREDENTIALS_FILE: `${folder.path}/.aws/credentials` },
        NATS_S3_CREDENTIALS: path === "docs/authentication.md" ? "" : CREDENTIALS,
        NATS_S3_NATS_SERVERS: gateway.server.url,
        NATS_S3_LISTEN: gateway.host,
        NATS_S3_DRAIN_DELAY: "0s",
        // Deno's packages stay outside of HOME, which is the document's folder.
        DENO_DIR: await denoDir(),
      };
      if (path !== "README.md") {
        await Deno.writeTextFile(`${folder.path}/hello.txt`, "hello\n");
        for (
          const [target, body] of [["demo", undefined], ["demo/hello.txt", "hello\n"]] as const
        ) {
          const request = { method: "PUT", ...(body !== undefined && { body }) };
          const response = await signedFetch(`${gateway.url}/${target}`, PAIR, request);
          strictEqual(response.status, 200, await response.text());
        }
      }
      let printed = "";
      for (const block of blocks) {
        const next = all[all.indexOf(block) + 1];
        const answer = next?.language === "text" ? next : undefined;
        await t.step(`line ${block.line}`, async () => {
          printed += await runBlock(block, { answer, gateway, folder: folder.path, env });
        });
      }
      for (const pattern of PRINTED[path] ?? []) match(printed, pattern);
    },
  });
}
