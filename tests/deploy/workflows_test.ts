/** Checks the workflows with actionlint, and against the rules of this project. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { parse } from "yaml";
import manifest from "../../deno.json" with { type: "json" };
import { call, findTool } from "../../scripts/deploy_tools.ts";

const WORKFLOWS = ["ci", "release", "simulate"];
const ROOT = new URL("../..", import.meta.url).pathname;

// deno-lint-ignore no-console
const actionlint = await findTool("actionlint", console.log);

Deno.test({
  name: "actionlint accepts the workflows",
  ignore: actionlint === undefined,
  async fn() {
    if (actionlint === undefined) return;
    const workflows = WORKFLOWS.map((name) => `.github/workflows/${name}.yml`);
    const { code, stdout, stderr } = await call(actionlint, ["-no-color", ...workflows], ROOT);
    strictEqual(code, 0, stdout + stderr);
  },
});

Deno.test("workflows run tasks that exist, may little, and use actions of a version", async () => {
  for (const name of WORKFLOWS) {
    const text = await Deno.readTextFile(`${ROOT}/.github/workflows/${name}.yml`);
    const tasks = [...text.matchAll(/\btask ([\w:]+)/g)].map(([, task = ""]) => task);
    deepStrictEqual(tasks.filter((task) => !Object.hasOwn(manifest.tasks, task)), [], name);
    const { permissions, jobs } = parse(text);
    ok(Object.values(permissions).every((access) => access === "read"), name);
    for (const [, use = ""] of text.matchAll(/uses: (\S+)/g)) {
      match(use, /^(\.\/|[\w-]+\/[\w-]+@(v\d+|[0-9a-f]{40})$)/);
    }
    // deno-lint-ignore no-explicit-any
    for (const [job, { permissions = {}, uses, ...rest }] of Object.entries<any>(jobs)) {
      ok(uses !== undefined || rest["timeout-minutes"] > 0, `${name}: ${job} may take six hours`);
      if (name !== "release") deepStrictEqual(permissions, {}, job);
    }
  }
});
