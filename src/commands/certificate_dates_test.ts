import { deepStrictEqual, throws } from "node:assert/strict";
import { createLog } from "../telemetry/log.ts";
import { checkDates } from "./certificate_dates.ts";

/** Valid from 2020 until 2021. */
const CERT = Deno.readTextFileSync(
  `${import.meta.dirname}/../../tests/fixtures/tls/expired.pem`,
);
const PAIR = { cert: CERT, key: "" };
const END = Date.parse("2021-01-01T00:00:00Z");
const DAY = 24 * 3_600_000;

function warnings(config: Parameters<typeof checkDates>[0], now: number): string[] {
  const lines: string[] = [];
  const log = createLog({
    format: "json",
    level: "debug",
    write: (_level, line) => {
      const { level, setting, reason } = JSON.parse(line);
      lines.push(`${level} ${setting} ${reason}`);
    },
  });
  checkDates(config, log, new Date(now));
  return lines;
}

Deno.test("checkDates() warns about a certificate that expires within 14 days", () => {
  const config = { tls: PAIR, nats: { tls: PAIR } };
  deepStrictEqual(warnings(config, END - 14 * DAY - 1), []);
  const reason = "it expires at 2021-01-01T00:00:00.000Z: renew it and restart";
  for (const now of [END - 14 * DAY, END]) {
    deepStrictEqual(warnings(config, now), [
      `warn --tls.cert ${reason}`,
      `warn --nats.tls-cert ${reason}`,
    ]);
  }
  deepStrictEqual(warnings({ tls: undefined, nats: { tls: { ca: CERT } } }, END), []);
});

Deno.test("checkDates() rejects a certificate that clients reject, and leaves the client certificate to NATS", () => {
  const serving = { tls: PAIR, nats: { tls: undefined } };
  throws(() => warnings(serving, END + 1), {
    message: "Cannot use --tls.cert: it expired at 2021-01-01T00:00:00.000Z: renew it",
  });
  throws(() => warnings(serving, Date.parse("2019-12-31T00:00:00Z")), {
    message: /it is not valid before 2020-01-01T00:00:00.000Z: is the clock right \(2019-12-31/,
  });
  deepStrictEqual(warnings({ tls: undefined, nats: { tls: PAIR } }, END + 1), [
    "warn --nats.tls-cert it expired at 2021-01-01T00:00:00.000Z: renew it",
  ]);
});
