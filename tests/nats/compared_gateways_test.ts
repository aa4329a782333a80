/** Two gateways on one nats-server answer requests about versions as a gateway on a memory store. The soak test is longer. */

import { ok, rejects } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { compareGateways } from "./compared_gateways.ts";
import { Random } from "../simulation/random.ts";
import { modelGateway, sendWith } from "./model_gateway.ts";
import { startGateway } from "./users_gateway.ts";

const STEPS = 120;

Deno.test("two gateways answer 120 random requests about versions as the model does", async () => {
  await using server = await startNatsServer();
  await using one = await startGateway(server);
  await using other = await startGateway(server);
  let turn = 0;
  const { answers } = await compareGateways({
    model: await modelGateway(),
    real: (...asked) => sendWith(turn++ % 2 === 0 ? one.gateway : other.gateway)(...asked),
    seed: 1,
    steps: STEPS,
    onlyLocked: true,
  });
  const expected = ["put 200", "put 412", "copy 200", "complete 200", "delete 204", "remove 204"];
  const missing = [...expected, "remove 403", "hold 200"].filter((kind) => !answers.has(kind));
  ok(missing.length === 0, `never happened: ${missing.join(", ")}`);
});

Deno.test("compareGateways() finds a fault of a gateway", async () => {
  const real = await modelGateway((store) => ({
    async listVersions(name, query) {
      const page = await store.listVersions(name, query);
      const isCut = page.next !== undefined && page.versions.length > 1;
      return isCut ? { ...page, versions: page.versions.slice(0, -1) } : page;
    },
  }));
  const comparison = { model: await modelGateway(), real, seed: 1, steps: STEPS, onlyLocked: true };
  await rejects(compareGateways(comparison), /^Error: seed 1/);
});

Deno.test("compareGateways() finds out what became of a request without a response", async () => {
  const [model, kept] = [await modelGateway(), await modelGateway()];
  const random = new Random(1);
  const { lost } = await compareGateways({
    model,
    // Of one write in ten either the request or its response is lost.
    async real(method, target, send) {
      const isLost = method !== "GET" && random.chance(0.1);
      if (isLost && random.chance(0.5)) throw new TypeError("lost");
      const response = await kept(method, target, send);
      if (isLost) throw new TypeError("lost");
      return response;
    },
    kill: () => Promise.resolve("nothing"),
    seed: 1,
    steps: 100,
    onlyLocked: true,
    settled: 0,
  });
  ok(lost.done > 0 && lost.undone > 0);
});
