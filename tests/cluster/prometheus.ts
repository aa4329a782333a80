/**
 * Prometheus with the project's alert rules, sped up: a minute of the rules is a second.
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../scripts/nats_server.ts";
import { findPrometheus } from "../../scripts/promtool.ts";

const RULES = new URL("../../deploy/prometheus/alerts.yml", import.meta.url);
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const START_TIMEOUT = 20_000;

/** A running Prometheus; disposing ends it. */
export type Prometheus = AsyncDisposable & {
  /** Returns the names of the alerts that fired within so many seconds. */
  readonly firedWithin: (seconds: number) => Promise<readonly string[]>;
};

/** Starts Prometheus on these admin listeners; returns undefined if it is not installed. */
export async function startPrometheus(
  urls: readonly string[],
): Promise<Prometheus | undefined> {
  const path = await findPrometheus();
  if (path === undefined) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "prometheus-" });
  await Deno.writeTextFile(`${folder}/alerts.yml`, quickened(await Deno.readTextFile(RULES)));
  await Deno.writeTextFile(
    `${folder}/prometheus.yml`,
    `global: { scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s }
rule_files: [alerts.yml]
scrape_configs:
  - job_name: nats-s3
    static_configs: [{ targets: [${urls.map((url) => `"${new URL(url).host}"`).join(", ")}] }]
`,
  );
  const address = `127.0.0.1:${freePort()}`;
  const child = new Deno.Command(path, {
    args: [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${address}`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const prometheus: Prometheus = {
    async firedWithin(seconds) {
      const query = `max_over_time(ALERTS{alertstate="firing"}[${seconds}s])`;
      const response = await fetch(
        `http://${address}/api/v1/query?query=${encodeURIComponent(query)}`,
      );
      const { data } = await response.json() as {
        readonly data: { readonly result: readonly { readonly metric: { alertname: string } }[] };
      };
      return [...new Set(data.result.map(({ metric }) => metric.alertname))].sort();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
  const deadline = Date.now() + START_TIMEOUT;
  while (!await isReady(address)) {
    if (Date.now() > deadline) {
      await prometheus[Symbol.asyncDispose]();
      throw new Error("Prometheus did not start");
    }
    await delay(100);
  }
  return prometheus;
}

/** Divides the times in the rules by sixty: how long an alert must hold, and the range of its query. */
function quickened(rules: string): string {
  const shorter = (text: string): string => {
    const [, count = "0", unit = "s"] = /^(\d+)([smhd])$/.exec(text) ?? [];
    return `${Math.ceil(Number(count) * (SECONDS[unit] ?? 1) / 60)}s`;
  };
  return rules
    .replaceAll(/^(\s*for: )(\w+)/gm, (_, start, time) => start + shorter(time))
    .replaceAll(/\[(\d+[smhd])\]/g, (_, time) => `[${Math.max(4, parseInt(shorter(time)))}s]`);
}

async function isReady(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/-/ready`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
