/** The Dockerfile and the bundle that the image runs, as far as they can be tested without Docker. */

import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { dirname } from "node:path";
import { bundle, TARGETS } from "../../scripts/build.ts";
import { call, findTool } from "../../scripts/deploy_tools.ts";
import { freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { formatSbom } from "../../scripts/sbom.ts";
import { RunningCommand, signedFetch } from "../process/running_command.ts";
import { inImage, readDockerfile } from "./dockerfile.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const KEYS = { accessKeyId: "one-file", secretAccessKey: "a long secret" } as const;

// deno-lint-ignore no-console
const hadolint = await findTool("hadolint", console.log);

Deno.test("the one file stores and serves an object by --allow-net --allow-env, without cache or home", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startNatsServer();
  const { entrypoint, command, health, env: imageEnv } = await readDockerfile();
  deepStrictEqual(entrypoint.filter((word) => word.startsWith("--allow")), [
    "--allow-net",
    "--allow-env",
  ]);
  const file = await bundle(`${folder}/nats-s3.js`);
  // The running program must not be able to change its own file.
  await Deno.chmod(file, 0o444);
  const port = freePort();
  const env = {
    ...imageEnv,
    NATS_S3_LISTEN: `127.0.0.1:${port}`,
    NATS_S3_ADMIN_LISTEN: "off",
    NATS_S3_NATS_SERVERS: server.url,
    NATS_S3_CREDENTIALS: JSON.stringify({
      credentials: [{ accessKey: KEYS.accessKeyId, secretKey: KEYS.secretAccessKey, admin: true }],
    }),
  };
  const isHealthy = async (): Promise<boolean> =>
    (await inImage(health, file, env).output()).success;
  ok(!await isHealthy(), "the health check passes although nothing runs");

  await using gateway = new RunningCommand(
    inImage([...entrypoint, ...command], file, env).spawn(),
  );
  await gateway.waitFor(/Serving S3/);
  ok(await isHealthy(), gateway.output);
  const url = `http://127.0.0.1:${port}/one-file`;
  for (
    const [path, body] of [["", undefined], [
      "/key",
      crypto.getRandomValues(new Uint8Array(60_000)),
    ]] as const
  ) {
    const put = await signedFetch(url + path, KEYS, { method: "PUT", ...(body && { body }) });
    strictEqual(put.status, 200, await put.text());
    if (body !== undefined) {
      deepStrictEqual(await (await signedFetch(url + path, KEYS)).bytes(), body);
    }
  }
  strictEqual((await gateway.stop("SIGTERM")).code, 0, gateway.output);
  ok(!/warn|error/i.test(gateway.output), gateway.output);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("the Dockerfile's first stage makes the one file of what it copies, from an empty cache", async () => {
  const folder = await Deno.makeTempDir();
  const { build, copied } = await readDockerfile();
  const ignore = (await Deno.readTextFile(`${ROOT}/.dockerignore`)).split("\n");
  for (const name of copied) {
    ok(ignore.includes(`!${name}`), `.dockerignore excludes ${name}`);
    const { success } = await new Deno.Command("cp", {
      args: ["-r", `${ROOT}/${name}`, `${folder}/${name}`],
    }).output();
    ok(success);
  }
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-ec", build.replace("/nats-s3.js", `${folder}/out.js`)],
    cwd: folder,
    env: {
      DENO_DIR: `${folder}/cache`,
      PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`,
    },
  }).output();
  strictEqual(code, 0, new TextDecoder().decode(stderr));
  match(await Deno.readTextFile(`${folder}/out.js`), /natsServers/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test({
  name: "hadolint accepts the Dockerfile",
  ignore: hadolint === undefined,
  async fn() {
    if (hadolint === undefined) return;
    const flags = ["--no-color", "--failure-threshold", "style"];
    const { code, stdout } = await call(hadolint, [...flags, `${ROOT}/Dockerfile`]);
    strictEqual(code, 0, stdout);
  },
});

Deno.test("the image is somebody who is not root, on pinned images, and says so to signals", async () => {
  const { text, entrypoint } = await readDockerfile();
  match(text, /^USER [1-9]\d+:[1-9]\d+$/m);
  ok(!entrypoint.some((word) => /(^|\/)(ba)?sh$/.test(word)), "a shell would swallow signals");
  for (const [, image = ""] of text.matchAll(/^FROM (?:--\S+ )?(\S+)/gm)) {
    match(image, /^[\w./-]+:(\S*\$\{DENO_VERSION\}|\S+@sha256:[0-9a-f]{64})$/);
  }
});

Deno.test("a release has programs for all that Deno can make them for", async () => {
  const { code, stderr } = await call({ path: Deno.execPath(), env: { NO_COLOR: "1" } }, [
    ...["compile", "--target", "none", "main.ts"],
  ]);
  notStrictEqual(code, 0);
  const [, list = ""] = /possible values: (.*)/.exec(stderr) ?? [];
  deepStrictEqual(list.split(", ").sort(), [...TARGETS].sort());
});

Deno.test("the bill of materials has what main.ts imports, with digests, and nothing of the tests", async () => {
  const { components } = JSON.parse(await formatSbom());
  const names: readonly string[] = components.map(({ name }: { name: string }) => name);
  const imported = new Set<string>();
  const folders = [`${ROOT}/src`];
  for (const folder of folders) {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) folders.push(`${folder}/${name}`);
      else if (!name.endsWith("_test.ts")) {
        const text = await Deno.readTextFile(`${folder}/${name}`);
        const specifiers = text.matchAll(/^(?:import|export)(?! type) [^;]*?from "([^."][^"]*)"/gm);
        for (const [, specifier = ""] of specifiers) {
          if (!specifier.startsWith("node:")) {
            imported.add(
              specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/"),
            );
          }
        }
      }
    }
  }
  ok(imported.size >= 3, [...imported].join());
  deepStrictEqual([...imported].filter((name) => !names.includes(name)), []);
  deepStrictEqual(names.filter((name) => name.startsWith("@aws-sdk/") || name === "yaml"), []);
  for (const { type, hashes } of components) {
    if (type === "library") match(hashes[0].content, /^[0-9a-f]{128}$/);
  }
});
