import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { createLog, type LogFormat, type LogLevel } from "./log.ts";

function collect(format: LogFormat, level: LogLevel = "debug"): {
  log: ReturnType<typeof createLog>;
  lines: string[];
} {
  const lines: string[] = [];
  const log = createLog({
    format,
    level,
    write: (_level, line) => lines.push(line),
    now: () => new Date(0),
  });
  return { log, lines };
}

Deno.test("createLog() writes one JSON object a line", () => {
  const { log, lines } = collect("json");
  log.with({ requestId: "r1" }).warn("Slow", { milliseconds: 12, key: undefined });
  deepStrictEqual(JSON.parse(lines[0] ?? ""), {
    time: "1970-01-01T00:00:00.000Z",
    level: "warn",
    msg: "Slow",
    requestId: "r1",
    milliseconds: 12,
  });
});

Deno.test("createLog() keeps every value on its line", () => {
  for (const format of ["text", "json"] as const) {
    const { log, lines } = collect(format);
    log.info("a\nlevel=error", { key: "b\r\nlevel=error", cause: new Error("c\nlevel=error") });
    strictEqual(lines.length, 1);
    strictEqual(/[\r\n]/.test(lines[0] ?? ""), false, lines[0]);
  }
});

Deno.test("createLog() drops lines below its level", () => {
  const { log, lines } = collect("text", "warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  strictEqual(lines.length, 2);
});

Deno.test("createLog() logs the causes of an error", () => {
  const { log, lines } = collect("text");
  log.error("Failed", { cause: new Error("outer", { cause: new Error("inner") }) });
  match(lines[0] ?? "", /outer.*Caused by: Error: inner/);
});

Deno.test("createLog() escapes characters that terminals and viewers would hide", () => {
  for (const format of ["text", "json"] as const) {
    const { log, lines } = collect(format);
    const key = "a\u2028level=error\u0085b\u202etxt.exe\x1b[2K\x7f\ufeff";
    log.info("Request", { key, plain: "\u009b2K" });
    strictEqual(/[^\x20-\x7e]/.test(lines[0] ?? ""), false, lines[0]);
    if (format === "json") strictEqual(JSON.parse(lines[0] ?? "").key, key);
  }
});

Deno.test("createLog() drops frequent lines below its level like others", () => {
  const { log, lines } = collect("text", "warn");
  log.frequent("Request");
  strictEqual(lines.length, 0);
  const { log: lower, lines: kept } = collect("text", "info");
  lower.with({ id: "r1" }).frequent("Request", { status: 200 });
  match(kept[0] ?? "", /level=info msg=Request id=r1 status=200$/);
});
