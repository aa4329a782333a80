/** The compose file's services, run as plain processes. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { findProgram } from "../../scripts/client_tools.ts";
import { call, findTool } from "../../scripts/deploy_tools.ts";
import { signedFetch } from "../process/running_command.ts";
import { readCompose, readEnvExample, startTopology, type Topology } from "./topology.ts";

// deno-lint-ignore no-console
const haproxy = await findTool("haproxy", console.log);
const go = await findProgram("go");
// deno-lint-ignore no-console
if (go === undefined) console.log("Go was not found: install Go 1.24 or newer");

function keysOf({ variables }: Topology): { accessKeyId: string; secretAccessKey: string } {
  const { S3_ACCESS_KEY: accessKeyId = "", S3_SECRET_KEY: secretAccessKey = "" } = variables;
  return { accessKeyId, secretAccessKey };
}

/** Retries a request as SDKs do, as long as the response is 503: a stream that lost its leader elects another. */
async function patiently(send: () => Promise<Response>): Promise<Response> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const response = await send();
    if (response.status !== 503 || Date.now() > deadline) return response;
    await response.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function statusOf(response: Response): Promise<number> {
  await response.body?.cancel();
  return response.status;
}

Deno.test("compose: what one gateway stores another reads, also without one of the servers", async () => {
  await using topology = await startTopology();
  const keys = keysOf(topology);
  const [first, second] = ["gateway-1", "gateway-2"].map((name) => topology.url(name, 5222));
  strictEqual(await statusOf(await signedFetch(`${first}/topology`, keys, { method: "PUT" })), 200);
  for (const server of [undefined, "nats-2"]) {
    if (server !== undefined) await topology.services.get(server)?.stop("SIGKILL");
    const body = `stored without ${server}`;
    const put = await patiently(() =>
      signedFetch(`${first}/topology/key`, keys, { method: "PUT", body })
    );
    strictEqual(put.status, 200, await put.text());
    const got = await patiently(() => signedFetch(`${second}/topology/key`, keys));
    strictEqual(await got.text(), body);
  }
  const gateway = topology.services.get("gateway-1");
  strictEqual((await gateway?.stop("SIGTERM"))?.code, 0, gateway?.output);
  ok(!await topology.isHealthy("gateway-1"), "a stopped gateway is healthy");
});

Deno.test({
  name: "haproxy: requests through it go on while a gateway ends and another dies",
  ignore: haproxy === undefined,
  async fn() {
    await using topology = await startTopology(haproxy);
    const keys = keysOf(topology);
    const proxy = topology.url("proxy", 9000);
    strictEqual(
      await statusOf(await signedFetch(`${proxy}/topology`, keys, { method: "PUT" })),
      200,
    );

    const body = crypto.getRandomValues(new Uint8Array(65_536));
    const big = new Uint8Array(24 * 2 ** 20).fill(7);
    const key = `${proxy}/topology/a%20key/and%2Bplus`;
    strictEqual(await statusOf(await signedFetch(key, keys, { method: "PUT", body })), 200);
    deepStrictEqual(await (await signedFetch(key, keys)).bytes(), body);
    strictEqual(
      await statusOf(
        await signedFetch(`${proxy}/topology/big`, keys, { method: "PUT", body: big }),
      ),
      200,
    );
    strictEqual(
      (await (await signedFetch(`${proxy}/topology/big`, keys)).bytes()).length,
      big.length,
    );

    // SIGTERM takes a gateway out of service without a failed request.
    let stopped = false;
    const ended = topology.services.get("gateway-1")?.stop("SIGTERM").then((status) => {
      stopped = true;
      return status;
    });
    const statuses: number[] = [];
    while (!stopped) {
      statuses.push(await statusOf(await signedFetch(key, keys)));
      statuses.push(await statusOf(await signedFetch(`${key}2`, keys, { method: "PUT", body })));
    }
    strictEqual((await ended)?.code, 0);
    ok(statuses.length > 20, `only ${statuses.length} requests were sent meanwhile`);
    deepStrictEqual(statuses.filter((status) => status !== 200), []);

    // The proxy took the gateway out because of /readyz, before the listener closed.
    const log = topology.services.get("proxy")?.output ?? "";
    match(log, /gateway-1 is DOWN, reason: Layer7 wrong status, code: 503/);

    // Without any gateway, the proxy responds with 503, and its own health check fails.
    await topology.services.get("gateway-2")?.stop("SIGKILL");
    const deadline = Date.now() + 10_000;
    while (await topology.isHealthy("proxy")) ok(Date.now() < deadline, "the proxy is healthy");
    strictEqual(await statusOf(await signedFetch(key, keys)), 503);
  },
});

Deno.test({
  name: "compose-go accepts the compose file, as docker compose would",
  ignore: go === undefined,
  async fn() {
    const folder = new URL("../../deploy/compose", import.meta.url).pathname;
    const { code, stderr } = await call(
      { path: go ?? "", env: { GOFLAGS: "-mod=readonly" } },
      ["run", ".", `${folder}/compose.yaml`, `${folder}/env.example`],
      new URL("compose_check", import.meta.url).pathname,
    );
    strictEqual(code, 0, stderr);
  },
});

Deno.test("compose: secrets are in .env alone, and a gateway may end in good order", async () => {
  const variables = await readEnvExample();
  const marked = Object.fromEntries(Object.keys(variables).map((name) => [name, `<${name}>`]));
  const services = await readCompose(marked);
  const { environment = {}, stop_grace_period: grace } = services["gateway-1"] ?? {};
  const { NATS_S3_NATS_PASSWORD, NATS_S3_CREDENTIALS = "" } = environment;
  strictEqual(NATS_S3_NATS_PASSWORD, "<NATS_PASSWORD>");
  deepStrictEqual(JSON.parse(NATS_S3_CREDENTIALS), {
    credentials: [{ accessKey: "<S3_ACCESS_KEY>", secretKey: "<S3_SECRET_KEY>" }],
  });
  ok(parseInt(grace ?? "") >= 30, grace);
  for (const [name, { image }] of Object.entries(services)) {
    ok(/:\d+\.\d+/.test(image), `${name} has no pinned image: ${image}`);
  }
});
