/**
 * `deno task coverage`: runs tests and says how much of `src/` they reached; less than the floors in `deno.json` fails.
 *
 * Tests that measure time are left to `deno task test`: what counts lines is slower. Processes that tests start are counted
 * too. The data stays in `cov/`, for `coverage:report` and `coverage:html`.
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
