/** `--bucket.acl-headers`: a real gateway logs each bucket once and counts all ignored ACLs. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { CREDENTIALS_ENV, sign } from "../http/wire_request.ts";
import { valueOf } from "./exposition.ts";
import { type RunningCommand, startGateway } from "./running_command.ts";

async function put(
  gateway: RunningCommand & { readonly url: string },
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { host } = new URL(gateway.url);
  const signed = sign({
    method: "PUT",
    path,
    query: "",
    headers: [["host", host], ...Object.entries(headers)],
    body: "",
  });
  const response = await fetch(`${gateway.url}${path}`, {
    method: "PUT",
    headers: signed.headers.filter(([name]) => name !== "host").map(([...header]) => header),
  });
  await response.body?.cancel();
  return response.status;
}

const PUBLIC = { "x-amz-acl": "public-read" };

Deno.test("nats-s3 --bucket.acl-headers ignore logs each bucket once, and counts every ignored ACL", async () => {
  await using server = await startNatsServer();
  const args = ["--natsServers", server.url, "--bucket.acl-headers", "ignore"];
  await using gateway = await startGateway(args, { env: CREDENTIALS_ENV });
  const [, port] = await gateway.waitFor(/Serving health and metrics.*port=(\d+)/);
  for (const bucket of ["photos", "videos"]) {
    strictEqual(await put(gateway, `/${bucket}`, PUBLIC), 200);
    strictEqual(await put(gateway, `/${bucket}/a`, PUBLIC), 200);
  }
  strictEqual(await put(gateway, "/photos/b", { "x-amz-grant-read": "id=bob" }), 200);
  strictEqual(await put(gateway, "/photos/c", { "x-amz-acl": "private" }), 200);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  for (const [acl, count] of [["public-read", 4], ["grants", 1]] as const) {
    strictEqual(valueOf(metrics, "nats_s3_acls_ignored_total", { acl }), count);
  }
  await gateway.waitFor(/ACL is ignored.*bucket=videos/);
  const logged = gateway.output.split("\n").filter((line) => line.includes("ACL is ignored"));
  deepStrictEqual(logged.map((line) => /bucket=(\w+) acl=(\S+)/.exec(line)?.slice(1)), [
    ["photos", "public-read"],
    ["videos", "public-read"],
  ]);
});

Deno.test("nats-s3 refuses wider ACLs by default", async () => {
  await using server = await startNatsServer();
  await using gateway = await startGateway(["--natsServers", server.url], { env: CREDENTIALS_ENV });
  strictEqual(await put(gateway, "/photos", PUBLIC), 400);
  strictEqual(await put(gateway, "/photos"), 200);
  strictEqual(await put(gateway, "/photos/a", PUBLIC), 400);
});
