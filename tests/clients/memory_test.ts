/** Objects of any size pass through the gateway in constant memory. */

import { ok, strictEqual } from "node:assert/strict";
import { createHash, randomFillSync } from "node:crypto";
import { type GatewayProcess, startGateway } from "./gateway_process.ts";
import { RawConnection } from "./raw_http.ts";
import { ask, demand, requestText } from "./signed_request.ts";

const MIB = 1024 * 1024;
const SIZE = 256 * MIB;
const LIMIT = 96 * MIB;
/** Milliseconds between two measurements. */
const PERIOD = 50;

/** Resident set of a process, in bytes. */
async function residentSet(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Measures a process repeatedly until stopped, and keeps the largest resident set. */
function watchPeak(pid: number): { readonly stop: () => Promise<number> } {
  let peak = 0;
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      peak = Math.max(peak, await residentSet(pid));
      await new Promise((resolve) => setTimeout(resolve, PERIOD));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await watching;
      return peak;
    },
  };
}

/** Returns the resident set once it no longer changes much. */
async function idle(gateway: GatewayProcess): Promise<number> {
  let before = 0;
  for (let now = await residentSet(gateway.pid); Math.abs(now - before) > MIB;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    before = now;
    now = await residentSet(gateway.pid);
  }
  return before;
}

/** Puts 256 MiB without holding them in memory; returns their hash. */
async function put(gateway: GatewayProcess, path: string): Promise<string> {
  using client = await RawConnection.open(gateway.port);
  await client.send(
    requestText(gateway, { method: "PUT", path, headers: { "content-length": String(SIZE) } }),
  );
  const hash = createHash("sha256");
  const block = new Uint8Array(MIB);
  for (let sent = 0; sent < SIZE; sent += block.length) {
    hash.update(randomFillSync(block));
    await client.send(block);
  }
  strictEqual((await client.receive()).status, 200);
  return hash.digest("hex");
}

async function get(gateway: GatewayProcess, path: string): Promise<string> {
  const response = await ask(gateway, { path });
  strictEqual(response.status, 200);
  const hash = createHash("sha256");
  for await (const piece of response.body ?? []) hash.update(piece);
  return hash.digest("hex");
}

Deno.test({
  name: "a PUT and a GET of 256 MiB raise the resident set by no more than 96 MiB over idle",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using gateway = await startGateway();
    await demand(gateway, 200, { method: "PUT", path: "/memory" });
    const before = await idle(gateway);
    const watch = watchPeak(gateway.pid);
    const sent = await put(gateway, "/memory/big");
    const received = await get(gateway, "/memory/big");
    const rise = await watch.stop() - before;
    strictEqual(received, sent);
    ok(rise <= LIMIT, `from ${before / MIB} MiB it rose by ${rise / MIB} MiB`);
    // A rise of zero would mean that nothing was measured.
    ok(rise > 0);
  },
});

Deno.test({
  name: "a client that reads slowly does not fill the gateway's memory",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using gateway = await startGateway();
    await demand(gateway, 200, { method: "PUT", path: "/memory" });
    await put(gateway, "/memory/big");
    const before = await idle(gateway);
    const watch = watchPeak(gateway.pid);
    {
      using client = await RawConnection.open(gateway.port);
      await client.send(requestText(gateway, { path: "/memory/big" }));
      for (let i = 0; i < 20; i++) {
        await client.skip(100_000);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const rise = await watch.stop() - before;
    ok(rise <= LIMIT, `from ${before / MIB} MiB it rose by ${rise / MIB} MiB`);
  },
});
