/**
 * `deno task bench:abuse`: eight ordinary clients beside each of several attacks, and alone.
 *
 * - `--seconds N` of each attack, 20 by default
 * - `--keep` writes the table to `docs/limits.md`
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { formatTable } from "../../scripts/bench_report.ts";
import { replaceBetween } from "../../scripts/docs.ts";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { PAIR } from "../http/wire_request.ts";
import { signedFetch, startCommand } from "../process/running_command.ts";
import { ATTACKS } from "./abuse_attacks.ts";
import {
  buildLoadGenerator,
  type Load,
  type LoadGenerator,
  type LoadResult,
} from "./load_generator.ts";

const KEPT = new URL("../../docs/limits.md", import.meta.url).pathname;
const KEYS = 500;

/** Milliseconds below which 99 of 100 requests of each kind stayed, and bytes of the gateway's memory afterwards. */
type Figures = {
  readonly get: number;
  readonly put: number;
  readonly head: number;
  readonly memory: number;
  /** How often the ordinary clients had to begin again, because one of them got a 503. */
  readonly refused: number;
};

/** How often ordinary clients begin again, a second later, before the attack counts as a success. */
const MAX_REFUSED = 20;

async function measure(
  generator: LoadGenerator,
  url: string,
  pid: number,
  seconds: number,
): Promise<Figures> {
  const load = { size: 4096, n: 1_000_000, keys: KEYS, bucket: "ordinary", seconds };
  let refused = 0;
  const run = async (load: Load): Promise<LoadResult> => {
    for (;;) {
      try {
        return await generator.run([url], PAIR, load);
      } catch (cause) {
        if (!/<Code>SlowDown</.test(String(cause)) || ++refused > MAX_REFUSED) throw cause;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  };
  const [get, put, head] = await Promise.all([
    run({ ...load, op: "get", c: 3 }),
    run({ ...load, op: "put", c: 3, prefix: "put/" }),
    run({ ...load, op: "head", c: 2 }),
  ]);
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const memory = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  return { get: get.p99_ms, put: put.p99_ms, head: head.p99_ms, memory, refused };
}

async function attackBeside<T>(
  name: string,
  port: string,
  seconds: number,
  work: () => Promise<T>,
) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", new URL("./abuse_attacks.ts", import.meta.url).pathname],
      ...[name, port, String(seconds + 60)],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await new Promise((resolve) => setTimeout(resolve, 1500)); // it starts
  let ended = false;
  child.status.then(() => ended = true);
  try {
    const result = await work();
    if (ended) throw new Error(`The attack "${name}" ended too early`);
    return result;
  } finally {
    if (!ended) child.kill("SIGKILL");
    await child.status;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "20" },
      keep: { type: "boolean", default: false },
    },
  });
  const seconds = Number(values.seconds);
  const generator = await buildLoadGenerator();
  await using server = await startNatsServer();
  await using gateway = startCommand([
    ...["run", "--no-prompt", "--allow-net", "--allow-env", "main.ts", "--auth.sigv2", "on"],
    ...["--listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0", "--log.requests", "off"],
    ...["--natsServers", server.url],
  ], {
    env: {
      NATS_S3_CREDENTIALS: JSON.stringify({
        credentials: [{ accessKey: PAIR.accessKeyId, secretKey: PAIR.secretAccessKey }],
      }),
    },
  });
  const [, port = ""] = await gateway.waitFor(/Serving S3.*port"?[=:](\d+)/);
  const url = `http://127.0.0.1:${port}`;
  const put = async (path: string, body?: string): Promise<void> => {
    const response = await signedFetch(`${url}${path}`, PAIR, {
      method: "PUT",
      body: body ?? null,
    });
    if (!response.ok) throw new Error(await response.text());
    await response.body?.cancel();
  };
  await put("/abuse");
  await put("/abuse/key", "x");
  await put("/abuse/large", "x".repeat(256 * 1024));
  for (let i = 0; i < 500; i++) await put(`/abuse/${String(i).padStart(900, "k")}`, "x");
  await put("/ordinary");
  const fill = { size: 4096, n: KEYS, c: 4, bucket: "ordinary" };
  await generator.run([url], PAIR, { ...fill, op: "put" });

  const rows: (readonly string[])[] = [];
  let idle: Figures | undefined;
  const add = (name: string, figures: Figures): void => {
    idle ??= figures;
    const times = (own: number, other: number): string =>
      `${own.toFixed(0)} (${(own / other).toFixed(1)})`;
    const memory = (figures.memory / 1024 / 1024).toFixed(0);
    rows.push([
      name,
      times(figures.get, idle.get),
      times(figures.put, idle.put),
      times(figures.head, idle.head),
      String(figures.refused),
      memory,
    ]);
    console.error(rows.at(-1)?.join(" | "));
  };
  const run = (): Promise<Figures> => measure(generator, url, gateway.pid, seconds);
  await measure(generator, url, gateway.pid, Math.min(seconds, 5)); // warm-up
  add("none", await run());
  for (const name of Object.keys(ATTACKS)) add(name, await attackBeside(name, port, seconds, run));
  // The second time shows how much the machine and the objects so far change by themselves.
  add("none, at the end", await run());
  const table = formatTable(
    [
      "Attack",
      "GET, p99 in ms (times that without)",
      "PUT, p99",
      "HEAD, p99",
      "begun again after a 503",
      "MiB in memory afterwards",
    ],
    rows,
  );
  console.log(table);
  if (!values.keep) return;
  const text = await Deno.readTextFile(KEPT);
  await Deno.writeTextFile(KEPT, replaceBetween(text, "abuse", table));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", KEPT] }).output();
}

if (import.meta.main) await main();
