/** All files name the same version of Deno, and the same version of the gateway. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { readDockerfile } from "./dockerfile.ts";

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
}

Deno.test("there is one version of Deno, and one of the gateway, in all files", async () => {
  const { text } = await readDockerfile();
  const deno = /^ARG DENO_VERSION=(.+)$/m.exec(text)?.[1];
  for (
    const path of [
      "README.md",
      ".ci/run",
      ".github/workflows/ci.yml",
      ".github/workflows/release.yml",
      ".github/workflows/simulate.yml",
    ]
  ) {
    const found = [...(await read(path)).matchAll(/(?:npx --yes deno@|deno-version: )([\d.]+)/g)];
    ok(found.length > 0, `${path} names no version of Deno`);
    deepStrictEqual(new Set(found.map(([, version]) => version)), new Set([deno]), path);
  }
  const chart = await read("deploy/helm/nats-s3/Chart.yaml");
  strictEqual(/^version: (.+)$/m.exec(chart)?.[1], manifest.version);
  strictEqual(/^appVersion: "(.+)"$/m.exec(chart)?.[1], manifest.version);
  const compose = await read("deploy/compose/compose.yaml");
  strictEqual(/nats-s3\/gateway:(\S+)/.exec(compose)?.[1], manifest.version);
});
