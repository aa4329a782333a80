/** The systemd unit and its environment. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { findProgram } from "../../scripts/client_tools.ts";
import { call } from "../../scripts/deploy_tools.ts";
import { configOf, longestEnd } from "./settings_of.ts";

const FOLDER = new URL("../../deploy/systemd", import.meta.url).pathname;
const UNIT = `${FOLDER}/nats-s3.service`;

const analyze = await findProgram("systemd-analyze");
// deno-lint-ignore no-console
if (analyze === undefined) console.log("systemd-analyze was not found: install systemd");

Deno.test({
  name: "systemd-analyze accepts the unit, and finds little that it may",
  ignore: analyze === undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/nats-s3.service`;
    const text = await Deno.readTextFile(UNIT);
    // systemd-analyze looks for the program, which is not installed here.
    await Deno.writeTextFile(
      path,
      text.replace("ExecStart=/usr/local/bin/nats-s3", "ExecStart=/bin/true"),
    );
    const tool = { path: analyze ?? "", env: {} };
    const verified = await call(tool, ["verify", "--man=no", path]);
    deepStrictEqual([verified.code, verified.stderr], [0, ""]);
    const assessed = await call(tool, [
      "security",
      "--offline=true",
      "--threshold=20",
      "--no-pager",
      path,
    ]);
    strictEqual(assessed.code, 0, assessed.stdout.split("\n").slice(-3).join("\n"));
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("the unit's environment makes a gateway, which may take its time to end", async () => {
  const file = await Deno.readTextFile(`${FOLDER}/nats-s3.env`);
  const env = Object.fromEntries(
    [...file.matchAll(/^(\w+)=(?:'(.*)'|(.*))$/gm)].map(([, name, quoted, plain]) => [
      name,
      quoted ?? plain ?? "",
    ]),
  );
  const config = configOf(env);
  const unit = await Deno.readTextFile(UNIT);
  const allowed = Number(/^TimeoutStopSec=(\d+)s$/m.exec(unit)?.[1]);
  ok(allowed * 1000 > longestEnd(config), `${allowed} s`);
  match(unit, /^EnvironmentFile=\/etc\/nats-s3\/nats-s3\.env$/m);
  match(unit, /^ExecStart=\/usr\/local\/bin\/nats-s3 serve$/m);
  // V8 compiles code at run time.
  ok(!/^MemoryDenyWriteExecute=/m.test(unit));
});
