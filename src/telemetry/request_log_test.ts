import { deepStrictEqual, doesNotMatch, match, strictEqual } from "node:assert/strict";
import { createLog, type LogFormat } from "./log.ts";
import { createRequestLog, type RequestLog } from "./request_log.ts";
import { newRecord, type RequestRecord } from "./request_record.ts";

function ended(facts: Partial<RequestRecord>): RequestRecord {
  const record = newRecord({ id: "r1", method: "GET", path: "/photos/a.txt", client: "192.0.2.1" });
  return { ...record, status: 200, answered: 1, ended: 2.345, ...facts };
}

function linesOf(
  records: readonly RequestRecord[],
  { which = "all", format = "text" }: { readonly which?: RequestLog; readonly format?: LogFormat } =
    {},
): readonly string[] {
  const lines: string[] = [];
  const log = createLog({
    format,
    level: "info",
    write: (_level, line) => lines.push(line),
    now: () => new Date(0),
  });
  const logRequest = createRequestLog(which, log);
  for (const record of records) logRequest(record);
  return lines;
}

const GOOD = ended({
  operation: "GetObject",
  bucket: "photos",
  key: "a.txt",
  user: "ann",
  sent: 5,
});

Deno.test("createRequestLog() logs the facts of a request in one line", () => {
  deepStrictEqual(linesOf([GOOD]), [
    "time=1970-01-01T00:00:00.000Z level=info msg=Request id=r1 method=GET operation=GetObject " +
    "bucket=photos key=a.txt user=ann client=192.0.2.1 status=200 received=0 sent=5 milliseconds=2.3",
  ]);
  deepStrictEqual(JSON.parse(linesOf([GOOD], { format: "json" })[0] ?? ""), {
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    msg: "Request",
    id: "r1",
    method: "GET",
    operation: "GetObject",
    bucket: "photos",
    key: "a.txt",
    user: "ann",
    client: "192.0.2.1",
    status: 200,
    received: 0,
    sent: 5,
    milliseconds: 2.3,
  });
});

Deno.test("createRequestLog() logs all requests, failed ones, or none", () => {
  const records = [GOOD, ended({ status: 404, code: "NoSuchKey" }), { ...GOOD, broken: true }];
  strictEqual(linesOf(records).length, 3);
  strictEqual(linesOf(records, { which: "off" }).length, 0);
  const [missing, broken, ...others] = linesOf(records, { which: "errors" });
  match(missing ?? "", /status=404 code=NoSuchKey/);
  match(broken ?? "", /status=200 .*broken=true/);
  strictEqual(others.length, 0);
});

Deno.test("createRequestLog() logs no key that forges or hides a line", () => {
  const key = '\r\n2024 level=info msg=Request status=200 key="\u2028\u0085\u001b[1A\u202e';
  for (const format of ["text", "json"] as const) {
    for (const facts of [{ bucket: "photos", key }, { path: `/${key}` }, { method: key }]) {
      const [line = "", ...others] = linesOf([ended(facts)], { format });
      strictEqual(others.length, 0);
      doesNotMatch(line, /[^\x20-\x7e]/);
      if (format === "text") doesNotMatch(line, /key="[^"]*" .*key=/);
    }
  }
});

Deno.test("createRequestLog() redacts the signature in a query that is part of the path", () => {
  const signed = "a.txt%3FX-Amz-Credential=ann&X-Amz-Signature=0123456789abcdef";
  const decoded = decodeURIComponent(signed);
  for (
    const facts of [{ path: `/${signed}` }, { bucket: "photos", key: decoded }] as const
  ) {
    const [line = ""] = linesOf([ended({ ...facts, status: 403, code: "AccessDenied" })]);
    match(line, /REDACTED/);
    doesNotMatch(line, /0123456789abcdef/);
  }
  // The sender is authenticated, so its key really has that name.
  match(linesOf([ended({ bucket: "photos", key: "signature=1", user: "ann" })])[0] ?? "", /=1"/);
});

Deno.test("createRequestLog() logs a path only without a bucket, cut to the length of a key", () => {
  const [line = ""] = linesOf([ended({ path: `/${"x".repeat(10_000)}`, status: 400 })]);
  match(line, /path=\/x{1023} /);
  doesNotMatch(linesOf([GOOD])[0] ?? "", /path=/);
});
