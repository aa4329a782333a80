/**
 * The downloads of a first start: the packages of the gateway and of `deno task dev`, and no test-only package.
 * @module
 */

import { deepStrictEqual, ok } from "node:assert/strict";

const ROOT = `${import.meta.dirname}/../..`;

type Lock = { readonly npm: Readonly<Record<string, { readonly integrity: string }>> };

async function readLock(path: string): Promise<Lock["npm"]> {
  const { npm }: Lock = JSON.parse(await Deno.readTextFile(`${ROOT}/${path}`));
  return npm;
}

Deno.test("deno.lock holds the packages that main.ts and scripts/dev.ts import, and no others", async () => {
  const info = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "scripts/dev.ts"], // it imports main.ts
    cwd: ROOT,
  }).output();
  const { modules, npmPackages } = JSON.parse(new TextDecoder().decode(info.stdout));
  ok(modules.some(({ specifier }: { specifier: string }) => specifier.endsWith("/main.ts")));
  const used = new Set<string>(
    modules.flatMap(({ npmPackage }: { npmPackage?: string }) => npmPackage ?? []),
  );
  // A loop over a set also visits members that are added during the loop.
  for (const id of used) for (const other of npmPackages[id].dependencies) used.add(other);
  deepStrictEqual(
    Object.keys(await readLock("deno.lock")).sort(),
    [...used].sort(),
    "deno.json freezes the file; to change it on purpose: deno install --frozen=false --entrypoint scripts/dev.ts",
  );
});

Deno.test("deno.lock and tests/deno.lock agree on every package that both hold", async () => {
  const locked = await readLock("deno.lock");
  const inTests = await readLock("tests/deno.lock");
  for (const [id, { integrity }] of Object.entries(locked)) {
    deepStrictEqual(inTests[id]?.integrity, integrity, id);
  }
});

/** An empty package registry that records the requested packages. */
function emptyRegistry(): AsyncDisposable & { readonly url: string; readonly asked: Set<string> } {
  const asked = new Set<string>();
  let last = performance.now();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async ({ url }) => {
      const [, name = url] =
        /^http:\/\/[^/]+\/(@[^/]+\/[^/]+|[^/]+)/.exec(decodeURIComponent(url)) ?? [];
      asked.add(name);
      last = performance.now();
      // Deno gives up at the first error, so wait until all its concurrent requests have arrived.
      while (performance.now() - last < 300) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return new Response(null, { status: 404 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("deno task dev asks the registry for no test-only package on its first start", async () => {
  await using registry = emptyRegistry();
  const cache = await Deno.makeTempDir();
  try {
    await new Deno.Command(Deno.execPath(), {
      args: ["task", "dev", "--help"],
      cwd: ROOT,
      env: { DENO_DIR: cache, NPM_CONFIG_REGISTRY: registry.url, DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
    }).output();
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
  const locked = Object.keys(await readLock("deno.lock"));
  const names = new Set(locked.map((id) => id.slice(0, id.lastIndexOf("@"))));
  ok(registry.asked.size > 0, "no package was requested");
  deepStrictEqual([...registry.asked.difference(names)], []);
});
