/**
 * The proxies of docs/deployment.md, set up as the document says: signatures and keys pass unchanged, bodies stream,
 * and the proxies close the connections that the runtime leaves open.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { findProgram } from "../../scripts/client_tools.ts";
import { freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { bytesOf, CREDENTIALS_ENV, signedText } from "../http/wire_request.ts";
import { startGateway } from "../process/running_command.ts";
import { RawConnection, type RawResponse } from "./raw_http.ts";
import { temporaryFolder } from "./real_files.ts";

const MIB = 1024 * 1024;
/** Milliseconds in which a proxy must listen and notice that the gateway is ready. */
const START = 10_000;

/** Each proxy: its language in the document, the wrapper for its configuration file, and its arguments. */
const PROXIES = {
  nginx: {
    language: "nginx",
    wrap: (config: string, folder: string) =>
      `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr; events {}
      http { access_log off; ${
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
          .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")
      } ${config} }`,
    args: (file: string) => ["-e", "stderr", "-c", file],
  },
  haproxy: {
    language: "haproxy",
    wrap: (config: string) => config,
    args: (file: string) => ["-db", "-f", file],
  },
  caddy: {
    language: "caddyfile",
    wrap: (config: string) => config.replace("{\n", "{\n  admin off\n"),
    args: (file: string) => ["run", "--adapter", "caddyfile", "--config", file],
  },
} as const;

/** Ports of a proxy, and of the gateway behind it. */
type Ports = { readonly proxy: number; readonly gateway: number; readonly admin: number };

/** Reads the document's block of a language, with these ports and with timeouts of one second. */
async function readConfig(language: string, { proxy, gateway, admin }: Ports): Promise<string> {
  const text = await Deno.readTextFile(`${import.meta.dirname}/../../docs/deployment.md`);
  const block = new RegExp("```" + language + "\n([^]*?)```").exec(text)?.[1];
  if (block === undefined) throw new Error(`docs/deployment.md has no ${language} block`);
  return block.replaceAll("8080", String(proxy)).replaceAll("5222", String(gateway))
    .replaceAll("5223", String(admin)).replaceAll(/\b10s\b/g, "1s");
}

async function whenReady(port: number): Promise<void> {
  for (const deadline = Date.now() + START;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      await response.body?.cancel();
      if (response.status === 403) return;
    } catch {
      // It does not listen yet.
    }
    if (Date.now() > deadline) throw new Error("The proxy does not let requests through");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

for (const [name, { language, wrap, args }] of Object.entries(PROXIES)) {
  const binary = await findProgram(name);
  Deno.test({
    name: `${name} in front of a gateway passes on what is signed, streams, and ends slow headers`,
    ignore: binary === undefined,
    async fn() {
      await using server = await startNatsServer();
      const flags = ["--natsServers", server.url];
      await using gateway = await startGateway(flags, { env: CREDENTIALS_ENV });
      const [, admin] = await gateway.waitFor(/Serving health and metrics.*port=(\d+)/);
      const proxy = freePort();
      const ports = { proxy, gateway: Number(new URL(gateway.url).port), admin: Number(admin) };
      await using folder = await temporaryFolder();
      const file = `${folder.path}/config`;
      await Deno.writeTextFile(file, wrap(await readConfig(language, ports), folder.path));
      const child = new Deno.Command(binary ?? "", {
        args: args(file),
        env: { HOME: folder.path },
        stdout: "null",
        stderr: "null",
      }).spawn();
      try {
        await whenReady(proxy);
        await checkThrough(proxy, Number(admin));
      } finally {
        child.kill("SIGTERM");
        await child.status;
      }
    },
  });
}

async function checkThrough(port: number, admin: number): Promise<void> {
  const head = (
    method: string,
    path: string,
    length: number,
    more: readonly (readonly [string, string])[] = [],
  ): Uint8Array => {
    const fixed = [["host", `127.0.0.1:${port}`], ["content-length", String(length)]] as const;
    const headers = [...fixed, ...more];
    return bytesOf(signedText({ method, path, query: "", headers, body: "" }));
  };
  const ask = async (
    method: string,
    path: string,
    body = "",
    more: readonly (readonly [string, string])[] = [],
  ): Promise<RawResponse> => {
    using client = await RawConnection.open(port);
    await client.send(head(method, path, body.length, more), body);
    const answer = await client.receive();
    strictEqual(answer.status, 200, `${method} ${path}: ${answer.text}`);
    return answer;
  };
  await ask("PUT", "/photos");
  for (const key of ["plain", "a//b", "%C3%A9%20%2B%3F%25", "c/../d", "e/./~"]) {
    await ask("PUT", `/photos/${key}`, key, [["x-amz-meta-a_b", "one"]]);
    const { text, headers } = await ask("GET", `/photos/${key}`);
    strictEqual(text, key);
    strictEqual(headers.get("x-amz-meta-a_b"), "one");
  }

  using slow = await RawConnection.open(port);
  await slow.send(head("PUT", "/photos/large", 3 * MIB), new Uint8Array(MIB));
  for (let inFlight = "0"; inFlight !== "1";) {
    const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
    inFlight = /^nats_s3_requests_in_flight (\d+)$/m.exec(metrics)?.[1] ?? "";
  }
  await slow.send(new Uint8Array(2 * MIB));
  strictEqual((await slow.receive()).status, 200);

  using half = await RawConnection.open(port);
  await half.send("GET / HTTP/1.1\r\nHost: localhost\r\nX-");
  await half.drain(); // until the proxy closes it
}
