/**
 * `deno task coverage`: runs tests and reports how much of `src/` they reached. It fails below the thresholds in
 * `deno.json`.
 *
 * It leaves out tests that measure time, because measuring coverage slows them down. Processes that tests start are
 * included. The data stays in `cov/` for `coverage:report` and `coverage:html`.
 * @module
 */

import { defaultPaths } from "./test.ts";

const MEASURE_TIME = ["tests/http"];

async function run(...args: readonly string[]): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" })
    .spawn().status;
  return code;
}

if (import.meta.main) {
  await Deno.remove("cov", { recursive: true }).catch(() => {});
  const paths = (await defaultPaths()).filter((path) => !MEASURE_TIME.includes(path));
  const collect = ["--coverage=cov", "--coverage-raw-data-only"];
  const failed = await run("run", "-A", "scripts/test.ts", ...collect, ...paths);
  Deno.exit(failed || await run("task", "coverage:report"));
}
