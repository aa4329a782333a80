/**
 * The request log of a real gateway, and its behaviour when nobody reads it.
 * @module
 */

import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { valueOf } from "./exposition.ts";
import {
  inheritedEnv,
  PERMISSIONS,
  type RunningCommand,
  signedFetch,
  startGateway,
} from "./running_command.ts";

const PAIR = { accessKeyId: "ann", secretAccessKey: "a-secret-of-ann" };
const ENV = {
  NATS_S3_CREDENTIALS: JSON.stringify({
    credentials: [{ accessKey: PAIR.accessKeyId, secretKey: PAIR.secretAccessKey }],
  }),
};

type Line = Readonly<Record<string, unknown>>;

/** Waits for so many request lines and returns them. */
async function requestLines(gateway: RunningCommand, count: number): Promise<readonly Line[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const lines = gateway.output.split("\n").filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Line).filter(({ msg }) => msg === "Request");
    if (lines.length >= count || Date.now() > deadline) {
      strictEqual(lines.length, count, gateway.output);
      return lines;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("each request is a line with the id that its answer bears, and no secret", async () => {
  await using server = await startNatsServer();
  await using gateway = await startGateway(
    ["--natsServers", server.url, "--log.format", "json", "--log.requests", "all"],
    { env: ENV },
  );
  const signature = "0123456789abcdef".repeat(4);
  const presigned = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ann%2F20240501%2Fus-east-1` +
    `%2Fs3%2Faws4_request&X-Amz-Date=20240501T100000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host` +
    `&X-Amz-Signature=${signature}`;
  const asked: (readonly [method: string, path: string, body?: string])[] = [
    ["PUT", "/photos"],
    ["PUT", "/photos/a%0Alevel%3Derror.txt", "hello"],
    ["GET", "/photos/a%0Alevel%3Derror.txt"],
    ["HEAD", "/photos/missing"],
    ["GET", "/photos?list-type=2"],
    ["OPTIONS", "/photos/a"],
    ["PATCH", "/photos/a"],
    ["GET", `/photos/a?${presigned}`],
    ["GET", `/photos/a%3F${presigned}`],
    ["GET", "/photos/%FF"],
  ];
  const ids: unknown[] = [];
  const lengths: number[] = [];
  for (const [method, path, body] of asked) {
    const isSigned = !path.includes("X-Amz-Algorithm");
    const response = isSigned
      ? await signedFetch(gateway.url + path, PAIR, { method, ...(body && { body }) })
      : await fetch(gateway.url + path);
    lengths.push((await response.bytes()).length);
    const id = response.headers.get("x-amz-request-id");
    match(id ?? "", /^[\w-]{16,}$/);
    strictEqual(response.headers.get("x-amz-id-2"), id, `${method} ${path}`);
    ids.push(id);
  }
  const lines = await requestLines(gateway, asked.length);
  deepStrictEqual(lines.map(({ id }) => id), ids);
  deepStrictEqual(lines.map(({ sent }) => sent), lengths);
  const summary = lines.map(({ method, operation, status, code, user }) =>
    [method, operation, status, code, user].map((field) => field ?? "-").join(" ")
  );
  deepStrictEqual(summary, [
    "PUT CreateBucket 200 - ann",
    "PUT PutObject 200 - ann",
    "GET GetObject 200 - ann",
    "HEAD HeadObject 404 NoSuchKey ann",
    "GET ListObjectsV2 200 - ann",
    "OPTIONS - 400 BadRequest -",
    "PATCH - 405 MethodNotAllowed ann",
    "GET - 403 AccessDenied -",
    "GET - 403 AccessDenied -",
    "GET - 400 InvalidURI -",
  ]);
  const [, put] = lines;
  strictEqual(put?.["key"], "a\nlevel=error.txt");
  strictEqual(put?.["received"], 5);
  strictEqual(put?.["client"], "127.0.0.1");
  ok(Number(put?.["milliseconds"]) > 0);
  doesNotMatch(gateway.output, /0123456789abcdef/);
  doesNotMatch(gateway.output, /a-secret-of-ann/);
  doesNotMatch(gateway.output, /X-Amz-Credential=ann.*Signature=[^R]/);
});

Deno.test("lines that wait are written when the gateway ends", async () => {
  await using server = await startNatsServer();
  await using gateway = await startGateway(
    ["--natsServers", server.url, "--log.requests", "all"],
    { env: ENV },
  );
  const responses = await Promise.all(Array.from({ length: 20 }, () => fetch(gateway.url)));
  await Promise.all(responses.map((response) => response.body?.cancel()));
  strictEqual((await gateway.stop()).code, 0);
  strictEqual([...gateway.output.matchAll(/msg=Request /g)].length, 20);
  match(gateway.output, /msg=Stopped\n$/);
});

Deno.test("who stops reading the log holds nobody up, and is told what is missing", async () => {
  await using server = await startNatsServer();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", ...PERMISSIONS, "main.ts", "--natsServers", server.url, "--log.requests", "all"],
      ...["--listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0"],
    ],
    cwd: `${import.meta.dirname}/../..`,
    clearEnv: true,
    env: { ...inheritedEnv(), ...ENV, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let output = "";
    const ports = (): readonly string[] =>
      [/health and metrics.*port=(\d+)/, /Serving S3.*port=(\d+)/]
        .flatMap((pattern) => pattern.exec(output)?.[1] ?? []);
    while (ports().length < 2) output += (await reader.read()).value ?? "";
    const [admin, s3] = ports();

    // From here on, nobody reads. A line is longer than its key.
    const ask = async (i: number): Promise<number> => {
      const { status, body } = await fetch(`http://127.0.0.1:${s3}/photos/${"k".repeat(900)}${i}`);
      await body?.cancel();
      return status;
    };
    const dropped = async (): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${admin}/metrics`);
      return valueOf(await response.text(), "nats_s3_log_dropped_lines_total") ?? 0;
    };
    for (let i = 0; await dropped() === 0; i += 500) {
      ok(i < 50_000, "nothing was dropped");
      const statuses = await Promise.all(Array.from({ length: 500 }, (_, j) => ask(i + j)));
      // Whether everybody may read the bucket, the gateway finds out for only some of so many requests at a time.
      deepStrictEqual(statuses.filter((status) => status !== 404 && status !== 503), []);
    }

    // Now resume reading.
    const lost = await dropped();
    while (!output.includes("Log lines were dropped")) {
      const { done, value = "" } = await reader.read();
      ok(!done);
      output = output.slice(-200) + value;
    }
    const said = Number(/Log lines were dropped.*lines=(\d+)/.exec(output)?.[1]);
    ok(said >= 1 && said <= lost, `${said} of ${lost}`);
  } finally {
    child.kill("SIGTERM");
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    const [{ code }] = await Promise.all([child.status, rest, child.stderr.cancel()]);
    strictEqual(code, 0);
  }
});
