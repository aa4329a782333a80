/** A gateway of an older version, from its own commit, refuses a bucket once a newer one has enabled versioning. */

import { match, ok, strictEqual } from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import {
  inheritedEnv,
  PERMISSIONS,
  RunningCommand,
  signedFetch,
  startGateway,
} from "../process/running_command.ts";

const ROOT = `${import.meta.dirname}/../..`;
/** The first commit whose gateway notices that a newer one has changed a bucket's layout. */
const OLD = "48ed6c2fda2ef89fbcfea9182896acead363f947";
const KEYS = { accessKeyId: "alice", secretAccessKey: "secret" };

async function git(...args: readonly string[]): Promise<Deno.CommandOutput> {
  const child = new Deno.Command("git", { args: ["-C", ROOT, ...args], stderr: "null" });
  return await child.output();
}

async function hasOldCommit(): Promise<boolean> {
  try {
    return (await git("cat-file", "-e", `${OLD}^{commit}`)).success;
  } catch {
    return false; // there is no git
  }
}

const isHere = await hasOldCommit();

/** Writes the files of the old commit into a folder. */
async function unpack(folder: string): Promise<void> {
  const archive = `${folder}.tar`;
  ok(
    (await git("archive", "-o", archive, OLD, "main.ts", "deno.json", "deno.lock", "src")).success,
  );
  const tar = new Deno.Command("tar", { args: ["-xf", archive, "-C", folder] });
  ok((await tar.output()).success);
  await Deno.remove(archive);
}

/** Starts the gateway in a folder. */
function startIn(folder: string, args: readonly string[]): RunningCommand {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, "main.ts", ...args],
    cwd: folder,
    clearEnv: true,
    env: { ...inheritedEnv(), NO_COLOR: "1", NATS_S3_CREDENTIALS: CREDENTIALS },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  return new RunningCommand(child);
}

const CREDENTIALS = JSON.stringify({
  credentials: [{ accessKey: KEYS.accessKeyId, secretKey: KEYS.secretAccessKey }],
});

Deno.test({
  name: "an older gateway that has served a bucket refuses it once versioning is enabled" +
    (isHere ? "" : ` (this clone lacks its commit, ${OLD})`),
  ignore: !isHere,
  async fn() {
    const folder = await Deno.makeTempDir();
    await unpack(folder);
    await using server = await startNatsServer();
    const listen = ["--listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0"];
    const servers = ["--natsServers", server.url];
    await using old = startIn(folder, [...listen, ...servers]);
    await using now = await startGateway(servers, { env: { NATS_S3_CREDENTIALS: CREDENTIALS } });
    const [, port] = await old.waitFor(/Serving S3.*port"?[=:](\d+)/);
    const send = async (url: string, method: string, path: string, body?: string) => {
      const response = await signedFetch(`${url}${path}`, KEYS, { method, body: body ?? null });
      return { status: response.status, text: await response.text() };
    };
    const viaOld = (method: string, path: string, body?: string) =>
      send(`http://127.0.0.1:${port}`, method, path, body);
    const viaNew = (method: string, path: string, body?: string) =>
      send(now.url, method, path, body);

    strictEqual((await viaOld("PUT", "/kept")).status, 200);
    strictEqual((await viaOld("PUT", "/other")).status, 200);
    strictEqual((await viaOld("PUT", "/kept/a", "first")).status, 200);
    strictEqual((await viaOld("GET", "/kept/a")).text, "first");
    const enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    strictEqual((await viaNew("PUT", "/kept?versioning=", enabled)).status, 200);

    const connection = await connect({ servers: server.url });
    const lastSequence = async (): Promise<number> => {
      const reply = await connection.request("$JS.API.STREAM.INFO.OBJ_kept");
      return reply.json<{ state: { last_seq: number } }>().state.last_seq;
    };
    const before = await lastSequence();
    for (
      const [method, path, body] of [
        ["PUT", "/kept/a", "second"],
        ["PUT", "/kept/b", "second"],
        ["GET", "/kept/a"],
        ["DELETE", "/kept/a"],
        ["POST", "/kept/a?uploads="],
        ["GET", "/kept?list-type=2"],
        ["DELETE", "/kept"],
      ] as const
    ) {
      const { status, text } = await viaOld(method, path, body);
      strictEqual(status, 500, `${method} ${path}: ${text}`);
      match(text, /layout version 3/);
    }
    strictEqual(await lastSequence(), before);
    await connection.close();
    // Everything is there, and other buckets are served as before.
    strictEqual((await viaNew("GET", "/kept/a")).text, "first");
    strictEqual((await viaOld("PUT", "/other/a", "third")).status, 200);
    await Deno.remove(folder, { recursive: true });
  },
});
