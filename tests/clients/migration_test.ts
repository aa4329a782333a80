/** Runs the commands of docs/migration.md. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "@nats-io/transport-node";
import { ensureAwsCli } from "../../scripts/client_tools.ts";
import { findDebianProgram, KEPT_PROGRAMS } from "../../scripts/debian.ts";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { readManifest, restore, STREAMS } from "../nats/go_gateway.ts";
import { startCommand } from "../process/running_command.ts";
import { run } from "./client_process.ts";
import { CREDENTIALS, type GatewayProcess, startGateway } from "./gateway_process.ts";
import { filesBelow, temporaryFolder } from "./real_files.ts";
import { ask, demand } from "./signed_request.ts";

const GUIDE = await Deno.readTextFile(`${import.meta.dirname}/../../docs/migration.md`);

/** Returns the code block after a marker, adapted to this machine; every replaced text must occur. */
function block(name: string, replaced: Readonly<Record<string, string>>): string {
  const code = new RegExp(`<!-- run: ${name} -->\\s*\`\`\`sh\n([^]*?)\`\`\``).exec(GUIDE)?.[1];
  if (code === undefined) throw new Error(`The guide has no block named "${name}"`);
  return Object.entries(replaced).reduce((text, [from, to]) => {
    ok(text.includes(from), `block "${name}" lacks ${from}`);
    return text.replaceAll(from, to);
  }, code);
}

const reasons: string[] = [];
const rclone = await findDebianProgram("rclone", (text) => reasons.push(text));
// deno-lint-ignore no-console
if (rclone === undefined) console.log(`Skipping migration by rclone: ${reasons.join("; ")}`);

Deno.test({
  name: "migration by rclone, from another gateway in MinIO's place",
  ignore: rclone === undefined,
  async fn() {
    await using minio = await startGateway();
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    const large = crypto.getRandomValues(new Uint8Array(65_536));
    const objects: Readonly<Record<string, BodyInit>> = {
      "a.txt": "one",
      "deep/er/with%20space%20%2B%20plus.txt": "two",
      "gr%C3%B6%C3%9Fe/%E6%97%A5.txt": "three",
      "large": new Blob(Array(100).fill(large)),
    };
    await demand(minio, 200, { method: "PUT", path: "/photos" });
    for (const [key, body] of Object.entries(objects)) {
      const headers = { "content-type": "text/x-odd", "x-amz-meta-author": "ann" };
      await demand(minio, 200, { method: "PUT", path: `/photos/${key}`, headers, body });
    }
    const { accessKeyId, secretAccessKey } = CREDENTIALS;
    const script = block("minio", {
      "http://127.0.0.1:9000": minio.url,
      "http://127.0.0.1:5222": gateway.url,
      "KEY_ID=minio ": `KEY_ID=${accessKeyId} `,
      "KEY_ID=dev ": `KEY_ID=${accessKeyId} `,
      "KEY=minio-secret": `KEY=${secretAccessKey}`,
      "KEY=dev-secret-key": `KEY=${secretAccessKey}`,
    });
    const { code, stdout, stderr } = await run(
      { command: "bash", args: ["-euo", "pipefail", "-c", script], env: {} },
      [],
      {
        gateway,
        cwd: folder.path,
        env: { PATH: `${Deno.env.get("PATH")}:${KEPT_PROGRAMS}`, AWS_CA_BUNDLE: "" },
      },
    );
    strictEqual(code, 0, stdout + stderr);
    strictEqual(stderr.match(/0 differences found/g)?.length, 2, stderr);
    strictEqual(stderr.match(/4 matching files/g)?.length, 2, stderr);
    for (const key of Object.keys(objects)) {
      const path = `/photos/${key}`;
      const [from, to] = [await ask(minio, { path }), await ask(gateway, { path })];
      strictEqual(to.headers.get("content-type"), "text/x-odd");
      strictEqual(to.headers.get("x-amz-meta-author"), "ann");
      deepStrictEqual(sha256(await to.bytes()), sha256(await from.bytes()));
    }
  },
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("migration from the Go gateway: start, look, read", async () => {
  await using server = await startNatsServer();
  await using folder = await temporaryFolder();
  const connection = await connect({ servers: server.url });
  for (const stream of STREAMS) await restore(connection, stream);
  await connection.close();
  const { bucket, objects } = await readManifest();

  const line = block("go-gateway-start", {
    "127.0.0.1:5222": "127.0.0.1:0 --admin.listen off",
    "nats://127.0.0.1:4222": server.url,
  });
  const [deno, ...args] = line.trim().split(" ");
  strictEqual(deno, "deno");
  await using command = startCommand(args);
  const [, port] = await command.waitFor(/Serving S3.*port=(\d+)/);

  const { command: python, args: words, env } = await ensureAwsCli();
  const aws = [python, ...words].map((word) => `'${word}'`).join(" ");
  const script = `aws() { ${aws} "$@"; }\n${block("go-gateway", { photos: bucket })}`;
  const gateway = { url: `http://127.0.0.1:${port}` } as GatewayProcess;
  const { code, stdout, stderr } = await run(
    { command: "bash", args: ["-euo", "pipefail", "-c", script], env },
    [],
    {
      gateway,
      cwd: folder.path,
      env: { AWS_ACCESS_KEY_ID: "ann", AWS_SECRET_ACCESS_KEY: "secret" },
    },
  );
  strictEqual(code, 0, stdout + stderr);
  match(stdout, new RegExp(`^\\S+ \\S+ ${bucket}\n\\S+ \\S+ +\\d+ `));
  match(stdout, new RegExp(`Total Objects: ${Object.keys(objects).length}\n`));
  const found = await filesBelow(`${folder.path}/copy`);
  deepStrictEqual(found, Object.keys(objects).sort());
  for (const [key, { sha256: expected }] of Object.entries(objects)) {
    strictEqual(sha256(await Deno.readFile(`${folder.path}/copy/${key}`)), expected, key);
  }
});
