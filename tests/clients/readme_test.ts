/** What the README tells a newcomer to paste. */

import { match, strictEqual } from "node:assert/strict";
import { ensureAwsCli } from "../../scripts/client_tools.ts";
import { ACCESS_KEY, SECRET_KEY } from "../../scripts/dev.ts";
import { run } from "./client_process.ts";
import { CREDENTIALS, startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";

/** The code block after a marker. */
function block(readme: string, name: string): string {
  const code = new RegExp(`<!-- run: ${name} -->\\s*\`\`\`sh\n([^]*?)\`\`\``).exec(readme)?.[1];
  if (code === undefined) throw new Error(`The README has no block "${name}"`);
  return code;
}

Deno.test("the README's walk with aws-cli", async () => {
  await using gateway = await startGateway();
  await using folder = await temporaryFolder();
  const readme = await Deno.readTextFile(`${import.meta.dirname}/../../README.md`);
  const walk = block(readme, "walk")
    .replace("http://127.0.0.1:5222", gateway.url)
    .replace(`AWS_ACCESS_KEY_ID=${ACCESS_KEY} `, `AWS_ACCESS_KEY_ID=${CREDENTIALS.accessKeyId} `)
    .replace(`KEY=${SECRET_KEY} `, `KEY=${CREDENTIALS.secretAccessKey} `);

  const { command, args, env } = await ensureAwsCli();
  const quoted = [command, ...args].map((word) => `'${word}'`).join(" ");
  const script = `set -eu\naws() { ${quoted} "$@"; }\n${walk}`;
  const bash = { command: "bash", args: ["-c", script], env };
  const { code, stdout, stderr } = await run(bash, [], { gateway, cwd: folder.path });
  strictEqual(code, 0, stderr);
  match(stdout, /make_bucket: demo/);
  match(stdout, /^hello$/m);
  match(stdout, /X-Amz-Signature|Signature=/);
  match(stdout, /remove_bucket: demo/);
});
