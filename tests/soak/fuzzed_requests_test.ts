/**
 * The long version of `tests/http/fuzzed_requests_test.ts`. It writes its report to `docs/soak.md`.
 *
 * To repeat a failure, set `NATS_S3_FUZZED_SEED` as in its message, and `NATS_S3_FUZZED_COUNT=1`. A run of another length
 * writes no report.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { formatTable } from "../../scripts/bench_report.ts";
import { replaceBetween } from "../../scripts/docs.ts";
import { findNatsServer } from "../../scripts/nats_server.ts";
import { fuzzedRequest } from "../http/fuzzed_requests.ts";
import { type Outcomes, sendMalformed } from "../http/malformed_run.ts";

const DOCUMENT = new URL("../../docs/soak.md", import.meta.url);
const COUNT = 100_000;
const CONNECTIONS = 16;

Deno.test("100,000 requests, half of them correctly signed, do no harm and are cheap", async () => {
  const count = Number(Deno.env.get("NATS_S3_FUZZED_COUNT") ?? COUNT);
  const seed = Number(Deno.env.get("NATS_S3_FUZZED_SEED") ?? 2_000_000);
  const load = Deno.loadavg()[0]?.toFixed(1) ?? "unknown";
  const outcomes = await sendMalformed({
    count,
    seed,
    connections: CONNECTIONS,
    requestOf: fuzzedRequest,
  });
  // deno-lint-ignore no-console
  console.log(outcomes);
  strictEqual(Object.values(outcomes.times).reduce((sum, times) => sum + times, 0), count);
  if (count !== COUNT) return;
  const name = `fuzzed-requests-${seed}`;
  const text = await Deno.readTextFile(DOCUMENT);
  const section = text.includes(`<!-- begin ${name} -->`)
    ? text
    : `${text.trimEnd()}\n\n<!-- begin ${name} -->\n<!-- end ${name} -->\n`;
  const { version } = await findNatsServer();
  await Deno.writeTextFile(
    DOCUMENT,
    replaceBetween(section, name, format(seed, outcomes, { natsServer: version, load })),
  );
});

function format(
  seed: number,
  outcomes: Outcomes,
  { natsServer, load }: { readonly natsServer: string; readonly load: string },
): string {
  const { times, memory, signed, milliseconds, repeated, seconds } = outcomes;
  const [p50, p99, slowest] = milliseconds.map((time) => Math.round(time));
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);
  return [
    `## Fuzzed requests, seed ${seed}`,
    "",
    `${COUNT} requests in ${seconds.toFixed(0)} s, finished on ${
      new Date().toISOString().slice(0, 10)
    }, with nats-server ${natsServer}, Deno ${Deno.version.deno}, one gateway, ${CONNECTIONS} connections, on ` +
    `${navigator.hardwareConcurrency} processors that they shared with the clients.`,
    "",
    `${signed} requests were correctly signed, for all operations and in all ways, with odd keys, parameters, headers, ` +
    "documents and checksums; the others were malformed in any way, down to single bytes of HTTP/1.1. No response was a " +
    "5xx other than 501, the log had no error, no request stayed in flight, and no chunk was left without an object.",
    "",
    `Half of the correctly signed requests took at most ${p50} ms on the clock, 99 % at most ${p99} ms, the slowest one ` +
    `${slowest} ms; the load of the machine was ${load} before and ${
      Deno.loadavg()[0]?.toFixed(1)
    } after the run. The ` +
    `${repeated.count} slowest were sent again alone: none took more than ${repeated.processor} ms of the gateway's ` +
    "processor time.",
    "",
    `The gateway's resident memory after each tenth of the requests, and at the end: ${
      memory.map(({ resident }) => mib(resident)).join(", ")
    } MiB. Its JavaScript heap: ${memory.map(({ heap }) => mib(heap)).join(", ")} MiB.`,
    "",
    formatTable(
      ["Status", "Times"],
      Object.entries(times).sort(([a], [b]) => a < b ? -1 : 1).map(([status, count]) => [
        status,
        String(count),
      ]),
    ),
    "",
    "`closed` are connections that ended without a response, because the request was cut short or not HTTP; `left` are " +
    "clients that disconnected before the response.",
  ].join("\n");
}
