/** A bucket is one stream: `nats stream restore` restores it on another server from `nats stream backup`. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { findNatsCli } from "../../scripts/nats_cli.ts";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { signedFetch } from "../process/running_command.ts";
import { CREDENTIALS, type GatewayProcess, startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";

const NATS = await findNatsCli();
const PART = 5 * 1024 * 1024;

async function ask(
  gateway: GatewayProcess,
  method: string,
  path: string,
  body?: Uint8Array<ArrayBuffer> | string,
): Promise<Response> {
  const request = { method, ...(body !== undefined && { body }) };
  const response = await signedFetch(`${gateway.url}/${path}`, CREDENTIALS, request);
  strictEqual(response.status, 200, `${method} ${path}`);
  return response;
}

/** Returns the ETag and digest of every object in a listing. */
async function readAll(gateway: GatewayProcess, bucket: string): Promise<readonly string[]> {
  const page = await (await ask(gateway, "GET", `${bucket}?list-type=2`)).text();
  const keys = [...page.matchAll(/<Key>([^<]+)</g)].map(([, key = ""]) => key);
  return await Promise.all(keys.map(async (key) => {
    const response = await ask(gateway, "GET", `${bucket}/${key}`);
    const digest = createHash("sha256").update(await response.bytes()).digest("hex");
    return `${key} ${response.headers.get("etag")} ${digest}`;
  }));
}

async function completeUpload(gateway: GatewayProcess, path: string): Promise<void> {
  const begun = await (await ask(gateway, "POST", `${path}?uploads`)).text();
  const [, id] = /<UploadId>([^<]+)/.exec(begun) ?? [];
  let list = "";
  for (const number of [1, 2]) {
    const part = new Uint8Array(PART).fill(number);
    const put = await ask(gateway, "PUT", `${path}?partNumber=${number}&uploadId=${id}`, part);
    await put.body?.cancel();
    list += `<Part><PartNumber>${number}</PartNumber><ETag>${
      put.headers.get("etag")
    }</ETag></Part>`;
  }
  const document = `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`;
  await (await ask(gateway, "POST", `${path}?uploadId=${id}`, document)).text();
}

Deno.test({
  name: "nats stream backup and restore bring a bucket to a fresh server",
  ignore: NATS === undefined,
  async fn() {
    await using folder = await temporaryFolder();
    const nats = async (url: string, ...args: readonly string[]): Promise<void> => {
      const { code, stdout, stderr } = await new Deno.Command(NATS ?? "", {
        args: ["--server", url, "stream", ...args],
        env: { HOME: folder.path },
      }).output();
      const decoder = new TextDecoder();
      strictEqual(code, 0, decoder.decode(stdout) + decoder.decode(stderr));
    };
    // Parts must reach the backup unchanged, so the gateway may not rewrite them.
    const flags = ["--multipart.native-layout", "off"];
    let before: readonly string[];
    {
      await using gateway = await startGateway({ flags });
      await (await ask(gateway, "PUT", "my.bucket")).body?.cancel();
      for (const size of [0, 1, 4096, 131_072, 262_145, 3_000_000]) {
        const body = crypto.getRandomValues(new Uint8Array(Math.min(size, 65_536)));
        const whole = new Uint8Array(size).map((_, i) => body[i % body.length] ?? 0);
        await (await ask(gateway, "PUT", `my.bucket/size-${size}`, whole)).body?.cancel();
      }
      await completeUpload(gateway, "my.bucket/parts");
      before = await readAll(gateway, "my.bucket");
      strictEqual(before.length, 7);
      await nats(gateway.server.url, "backup", "OBJ_my_bucket", `${folder.path}/backup`);
    }
    await using server = await startNatsServer();
    await using gateway = await startGateway({ server, flags });
    await nats(server.url, "restore", `${folder.path}/backup`);
    deepStrictEqual(await readAll(gateway, "my.bucket"), before);
    // The restored bucket behaves like any other: a DELETE deletes and a PUT stores.
    await (await ask(gateway, "PUT", "my.bucket/new", "new")).body?.cancel();
    strictEqual(await (await ask(gateway, "GET", "my.bucket/new")).text(), "new");
  },
});
