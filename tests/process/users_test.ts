/** `nats-s3 users` as a process: with the permissions of a gateway it prints a file and reads it again. */

import { match, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { inheritedEnv, PERMISSIONS } from "./running_command.ts";

const ENV = {
  NATS_S3_NATS_USER: "ann",
  NATS_S3_NATS_PASSWORD: "secret",
  NATS_S3_USERS_KEY: "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
};

async function run(url: string, line: string, input = ""): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, "main.ts", ...line.split(" ")],
    cwd: `${import.meta.dirname}/../..`,
    clearEnv: true,
    env: { ...inheritedEnv(), NO_COLOR: "1", ...ENV, NATS_S3_NATS_SERVERS: url },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  strictEqual(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout);
}

Deno.test("nats-s3 users export and import work as processes", async () => {
  await using server = await startNatsServer();
  match(await run(server.url, "accounts add team"), /^account {5}\d{12}\n/);
  const file = await run(server.url, "users export");
  await using other = await startNatsServer();
  strictEqual(await run(other.url, "users import", file), "1 of 1 records stored\n");
});
