/**
 * `deno task bench:start`: the time from `git clone` to the first object with every cache empty: no Deno, no packages
 * and no nats-server. Requires Node, git and Python with pip, as a newcomer has them.
 * @module
 */

// deno-lint-ignore-file no-console

import { freePort } from "../../scripts/nats_server.ts";
import { ACCESS_KEY, SECRET_KEY } from "../../scripts/dev.ts";
import { type KeyPair, signedFetch } from "../process/running_command.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const PAIR: KeyPair = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };

const began = performance.now();
function note(what: string): void {
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what}`);
}

const folder = await Deno.makeTempDir({ prefix: "first-minute-" });
const clone = `${folder}/nats-s3`;
const port = freePort();
try {
  const cloned = await new Deno.Command("git", { args: ["clone", "--quiet", ROOT, clone] })
    .output();
  if (!cloned.success) throw new Error(new TextDecoder().decode(cloned.stderr));
  note("cloned");

  const readme = await Deno.readTextFile(`${clone}/README.md`);
  const command = /^npx (.*? task dev)\b/m.exec(readme)?.[1];
  if (command === undefined) throw new Error("The README does not begin with npx … task dev");
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) => !/^(NATS|DENO)_/.test(name));
  const dev = new Deno.Command("npx", {
    args: command.split(" "),
    cwd: clone,
    clearEnv: true,
    env: {
      ...Object.fromEntries(kept),
      DENO_DIR: `${folder}/deno`,
      npm_config_cache: `${folder}/npm`,
      PIP_NO_CACHE_DIR: "1",
      NATS_S3_LISTEN: `127.0.0.1:${port}`,
      NATS_S3_ADMIN_LISTEN: "off",
      NATS_S3_DEV_NATS_PORT: String(freePort()),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    // Ctrl-C in a terminal signals the whole process group, so this script signals the group too.
    detached: true,
  }).spawn();
  try {
    let output = "";
    for await (const text of dev.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (output.includes("Ctrl-C stops it")) break;
    }
    note("serves");
    for (const [path, body] of [["demo", undefined], ["demo/hello.txt", "hello"]] as const) {
      const request = { method: "PUT", ...(body !== undefined && { body }) };
      const response = await signedFetch(`http://127.0.0.1:${port}/${path}`, PAIR, request);
      if (!response.ok) throw new Error(await response.text());
      await response.body?.cancel();
    }
    note("the first object is stored");
  } finally {
    await new Deno.Command("kill", { args: ["-INT", "--", `-${dev.pid}`] }).output();
    await dev.status;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
