/**
 * `deno task dev` as a process.
 * @module
 */

import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { freePort, isFree, startNatsServer } from "../../scripts/nats_server.ts";
import {
  type KeyPair,
  PERMISSIONS,
  type RunningCommand,
  signedFetch,
  startCommand,
} from "./running_command.ts";

function startDev(env: Record<string, string>): RunningCommand {
  return startCommand(["task", "dev"], { env });
}

/** Returns the endpoint and the key pair from the printed lines. */
async function welcomed(dev: RunningCommand): Promise<{ endpoint: string; pair: KeyPair }> {
  const [, accessKeyId = "", secretAccessKey = ""] = await dev.waitFor(
    /export AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+) AWS_DEFAULT_REGION=us-east-1\n/,
  );
  const [, endpoint = ""] = await dev.waitFor(/aws --endpoint-url (\S+) s3 mb s3:\/\/demo\n/);
  await dev.waitFor(/Ctrl-C stops it/);
  return { endpoint, pair: { accessKeyId, secretAccessKey } };
}

/** Runs `nats-s3` with these settings alone, and returns what it prints. */
async function printed(env: Record<string, string>, line: string): Promise<string> {
  await using command = startCommand(["run", ...PERMISSIONS, "main.ts", ...line.split(" ")], {
    env,
  });
  const { code } = await command.ended();
  strictEqual(code, 0, command.output);
  return command.output;
}

Deno.test("deno task dev serves with the credentials it prints, stops both on Ctrl-C, and keeps its data", async () => {
  const folder = await Deno.makeTempDir();
  const [port, natsPort] = [freePort(), freePort()];
  const env = {
    NATS_S3_LISTEN: `127.0.0.1:${port}`,
    NATS_S3_DEV_NATS_PORT: String(natsPort),
    NATS_S3_DEV_DATA: folder,
  };
  try {
    {
      await using dev = startDev(env);
      const { endpoint, pair } = await welcomed(dev);
      strictEqual(endpoint, `http://127.0.0.1:${port}`);
      for (const [path, body] of [["/demo", undefined], ["/demo/a", "kept"]] as const) {
        const response = await signedFetch(endpoint + path, pair, {
          method: "PUT",
          ...(body !== undefined && { body }),
        });
        strictEqual(response.status, 200, await response.text());
      }
      const [, servers = "", usersKey = "", credentials = ""] = await dev.waitFor(
        /export NATS_S3_NATS_SERVERS=(\S+) NATS_S3_USERS_KEY=(\S+)\n +export NATS_S3_CREDENTIALS='(.+)'\n/,
      );
      const settings = {
        NATS_S3_NATS_SERVERS: servers,
        NATS_S3_USERS_KEY: usersKey,
        NATS_S3_CREDENTIALS: credentials,
      };
      const { accessKey, secretKey } = JSON.parse(await printed(settings, "accounts add a --json"));
      const team = { accessKeyId: accessKey, secretAccessKey: secretKey };
      // The gateway looks for the first account once a second.
      for (let i = 0, status = 403; status !== 200; i++) {
        if (i > 0) await new Promise((resolve) => setTimeout(resolve, 100));
        const response = await signedFetch(`${endpoint}/team`, team, { method: "PUT" });
        status = response.status;
        const answer = await response.text();
        ok(status === 200 || i < 100, answer);
      }
      const { code } = await dev.stop("SIGINT");
      strictEqual(code, 0, dev.output);
      for (const gone of [port, natsPort]) {
        ok(isFree({ hostname: "127.0.0.1", port: gone }), `Port ${gone} is still in use`);
      }
    }
    await using dev = startDev(env);
    const { endpoint, pair } = await welcomed(dev);
    const response = await signedFetch(`${endpoint}/demo/a`, pair);
    strictEqual(await response.text(), "kept");
    await dev.stop("SIGINT");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("deno task dev uses the server at NATS_URL and leaves it running", async () => {
  await using server = await startNatsServer();
  await using dev = startDev({
    NATS_S3_LISTEN: `127.0.0.1:${freePort()}`,
    NATS_URL: server.url,
  });
  const { endpoint, pair } = await welcomed(dev);
  const response = await signedFetch(`${endpoint}/demo`, pair, { method: "PUT" });
  strictEqual(response.status, 200, await response.text());
  await dev.stop("SIGINT");
  const connection = await connect({ servers: server.url });
  match(JSON.stringify((await connection.request("$JS.API.STREAM.NAMES")).json()), /OBJ_demo/);
  await connection.close();
});

Deno.test("deno task dev warns before it serves known credentials beyond this machine", async () => {
  await using server = await startNatsServer();
  for (const [host, warns] of [["0.0.0.0", true], ["127.0.0.1", false]] as const) {
    await using dev = startDev({
      NATS_S3_LISTEN: `${host}:${freePort()}`,
      NATS_URL: server.url,
    });
    await welcomed(dev);
    strictEqual(/Anybody who reaches 0\.0\.0\.0/.test(dev.output), warns, host);
    await dev.stop("SIGINT");
  }
});

Deno.test("deno task dev says which port is taken", async () => {
  await using server = await startNatsServer();
  const taken = String(server.port);
  for (
    const [env, reason] of [
      [{ NATS_S3_LISTEN: `127.0.0.1:${taken}` }, /is in use: stop the program that listens there/],
      [
        { NATS_S3_LISTEN: `127.0.0.1:${freePort()}`, NATS_S3_DEV_NATS_PORT: taken },
        new RegExp(`NATS_URL=nats://127\\.0\\.0\\.1:${taken} deno task dev`),
      ],
    ] as const
  ) {
    await using dev = startDev(env);
    await rejects(welcomed(dev), reason);
    strictEqual((await dev.ended()).code, 1);
  }
});
