/**
 * The command `nats-s3` as a process: its start, its stop, and its error messages.
 * @module
 */

import { match, ok, strictEqual } from "node:assert/strict";
import { freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { sign } from "../http/wire_request.ts";
import {
  PERMISSIONS,
  type RunningCommand,
  signedFetch,
  startCommand,
  startGateway,
} from "./running_command.ts";

const PAIR = { accessKeyId: "ann", secretAccessKey: "secret" };
const CREDENTIALS = {
  NATS_S3_CREDENTIALS: '{"credentials":[{"accessKey":"ann","secretKey":"secret"}]}',
};

function runMain(args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  return startCommand(["run", ...PERMISSIONS, "main.ts", ...args], { env });
}

async function createBucket(url: string): Promise<void> {
  const response = await signedFetch(`${url}/photos`, PAIR, { method: "PUT" });
  strictEqual(response.status, 200, await response.text());
}

Deno.test("nats-s3 --help and --version print and end", async () => {
  await using help = runMain(["--help"]);
  strictEqual((await help.ended()).code, 0);
  match(help.output, /--natsServers/);
  await using version = runMain(["--version"]);
  strictEqual((await version.ended()).code, 0);
  match(version.output, /^nats-s3 \d+\.\d+\.\d+\n$/);
});

Deno.test("nats-s3 refuses a bad command line with the reason and exit code 2", async () => {
  for (
    const [args, reason] of [
      [["--nosuch"], /Unknown flag "--nosuch"/],
      [[], /There are no S3 credentials/],
    ] as const
  ) {
    await using command = runMain(args);
    strictEqual((await command.ended()).code, 2);
    match(command.output, reason);
  }
});

Deno.test("nats-s3 says that a port is in use", async () => {
  await using server = await startNatsServer();
  await using command = runMain(
    ["--natsServers", server.url, "--listen", `127.0.0.1:${server.port}`],
    CREDENTIALS,
  );
  strictEqual((await command.ended()).code, 1);
  match(command.output, new RegExp(`Port ${server.port} of 127\\.0\\.0\\.1 is in use`));
});

Deno.test({
  name: "nats-s3 --listen.shared lets several gateways serve one port",
  ignore: Deno.build.os !== "linux", // no other system spreads connections over the processes that share a port
  async fn() {
    await using server = await startNatsServer();
    const listen = `127.0.0.1:${freePort()}`;
    const flags = ["--natsServers", server.url, "--listen", listen, "--listen.shared"];
    await using first = runMain(flags, CREDENTIALS);
    await first.waitFor(/Serving S3/);
    await createBucket(`http://${listen}`);
    await using second = runMain(flags, CREDENTIALS);
    await second.waitFor(/Serving S3/);
    // When one gateway stops, the other one serves its requests.
    strictEqual((await first.stop()).code, 0);
    const response = await signedFetch(`http://${listen}/photos`, PAIR, { method: "HEAD" });
    strictEqual(response.status, 200);
    await using stranger = runMain(flags.slice(0, -1), CREDENTIALS);
    strictEqual((await stranger.ended()).code, 1);
    match(stranger.output, /is in use/);
  },
});

Deno.test("nats-s3 does not wait for NATS where it may not use the network", async () => {
  const args = ["run", "--no-prompt", "--allow-env", "main.ts"];
  await using command = startCommand(args, { env: CREDENTIALS });
  strictEqual((await command.ended()).code, 1);
  match(command.output, /Cannot serve.*run again with the --allow-net flag/);
});

Deno.test("nats-s3 says in one line that it may not read the environment", async () => {
  await using command = startCommand(["run", "--no-prompt", "--allow-net", "main.ts"], {
    env: CREDENTIALS,
  });
  strictEqual((await command.ended()).code, 2);
  match(command.output, /^Requires env access, run again with the --allow-env flag\n$/);
});

Deno.test("nats-s3 ends at once on SIGTERM while it waits for NATS", async () => {
  await using command = runMain(["--natsServers", `nats://127.0.0.1:${freePort()}`], CREDENTIALS);
  await command.waitFor(/Cannot reach NATS, trying again.*--natsServers names others/);
  strictEqual((await command.stop("SIGTERM")).code, 0);
});

Deno.test("nats-s3 keeps objects in NATS by TLS, whichever way the authority is known", async (t) => {
  const tls = `${import.meta.dirname}/../fixtures/tls`;
  const config = `tls { cert_file: "${tls}/address.pem", key_file: "${tls}/address-key.pem" }`;
  const object = new Uint8Array(2_000_000).map((_, i) => i * i);
  for (
    const [title, env] of [
      ["by --nats.tls-ca", { NATS_S3_NATS_TLS_CA: await Deno.readTextFile(`${tls}/ca.pem`) }],
      ["by the runtime", { DENO_CERT: `${tls}/ca.pem` }],
    ] as const
  ) {
    await t.step(title, async () => {
      await using server = await startNatsServer({ config });
      const natsUrl = server.url.replace("nats:", "tls:");
      await using gateway = await startGateway(["--natsServers", natsUrl], {
        env: { ...CREDENTIALS, ...env },
      });
      await createBucket(gateway.url);
      const url = `${gateway.url}/photos/object`;
      const put = await signedFetch(url, PAIR, { method: "PUT", body: object });
      strictEqual(put.status, 200, await put.text());
      const got = await signedFetch(url, PAIR);
      ok((await got.bytes()).every((byte, i) => byte === object[i]));
      strictEqual((await gateway.stop()).code, 0, gateway.output);
    });
  }
});

Deno.test("nats-s3 lives on when NATS demands a client certificate that it does not have", async () => {
  const tls = `${import.meta.dirname}/../fixtures/tls`;
  await using server = await startNatsServer({
    config: `tls { cert_file: "${tls}/server.pem", key_file: "${tls}/server-key.pem",
      ca_file: "${tls}/ca.pem", verify: true }`,
  });
  await using command = runMain(["--natsServers", server.url.replace("nats:", "tls:")], {
    ...CREDENTIALS,
    NATS_S3_NATS_TLS_CA: await Deno.readTextFile(`${tls}/ca.pem`),
  });
  await command.waitFor(/Cannot reach NATS, trying again[^]*trying again/);
  strictEqual((await command.stop()).code, 0);
});

Deno.test("nats-s3 --http.trusted-proxies takes the host that was signed from a proxy", async () => {
  await using server = await startNatsServer();
  const flags = ["--natsServers", server.url, "--http.domain", "s3.test"];
  for (const [proxies, status] of [["127.0.0.0/8", 200], ["192.0.2.1", 403]] as const) {
    await using gateway = await startGateway([...flags, "--http.trusted-proxies", proxies], {
      env: CREDENTIALS,
    });
    const request = {
      path: "/",
      query: "",
      headers: [["host", "photos.s3.test"]],
      body: "",
    } as const;
    const { headers } = sign({ ...request, method: "PUT" });
    const response = await fetch(gateway.url, {
      method: "PUT",
      headers: [
        ...headers.filter(([name]) => name !== "host").map(([...header]) => header),
        ["x-forwarded-host", "photos.s3.test"],
      ],
    });
    strictEqual(response.status, status, await response.text());
  }
});

Deno.test("nats-s3 --http.minio-health tells on the port of S3 whether NATS is there", async () => {
  await using server = await startNatsServer();
  const flags = ["--natsServers", server.url, "--http.minio-health"];
  await using gateway = await startGateway(flags, { env: CREDENTIALS });
  const statusOf = async (path: string): Promise<number> => {
    const { status, body } = await fetch(`${gateway.url}/minio/health/${path}`);
    await body?.cancel();
    return status;
  };
  for (const path of ["live", "ready", "cluster", "cluster/read"]) {
    strictEqual(await statusOf(path), 200, path);
  }
  await server.kill();
  await gateway.waitFor(/Lost the connection to NATS/);
  strictEqual(await statusOf("cluster"), 503);
  strictEqual(await statusOf("live"), 200);
});

Deno.test("nats-s3 answers 503 while NATS is away, and recovers without a restart", async () => {
  await using server = await startNatsServer();
  await using gateway = await startGateway(["--natsServers", server.url], { env: CREDENTIALS });
  const list = async (): Promise<number> => {
    const response = await signedFetch(gateway.url, PAIR, { signal: AbortSignal.timeout(15_000) });
    await response.body?.cancel();
    return response.status;
  };
  strictEqual(await list(), 200);
  await server.kill();
  const before = Date.now();
  strictEqual(await list(), 503);
  ok(Date.now() - before < 10_000);

  await server.start();
  const deadline = Date.now() + 20_000;
  let status = 0;
  while (status !== 200 && Date.now() < deadline) status = await list();
  strictEqual(status, 200);
});

Deno.test("nats-s3 health tells a gateway from another server and from none", async () => {
  await using server = await startNatsServer();
  const listen = `127.0.0.1:${freePort()}`;
  const health = async (): Promise<[number, string]> => {
    await using command = runMain(["health", "--listen", listen]);
    const { code } = await command.ended();
    return [code, command.output];
  };
  const [code, output] = await health();
  strictEqual(code, 1);
  match(output, /No response from/);

  {
    const port = Number(listen.split(":")[1]);
    await using _other = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      () => new Response("hello"),
    );
    const [code, output] = await health();
    strictEqual(code, 1);
    match(output, /not an S3 gateway/);
  }

  await using gateway = await startGateway(["--natsServers", server.url, "--listen", listen], {
    env: CREDENTIALS,
  });
  const [fine, said] = await health();
  strictEqual(fine, 0, said + gateway.output);
});
