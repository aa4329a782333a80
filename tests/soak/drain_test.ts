/**
 * The long versions of the load tests in `tests/process/drain_test.ts`.
 * @module
 */

// deno-lint-ignore-file no-console

import { restartUnderLoad, rollUnderSdk } from "../process/drain_load.ts";

Deno.test("SIGTERM under 200 clients loses no acknowledged write, and cuts no request that had arrived", async () => {
  for (let run = 0; run < 5; run++) {
    console.log(await restartUnderLoad({ clients: 200, seconds: 3 }));
  }
});

Deno.test({
  name: "ten rolling restarts of two gateways are unnoticed by an SDK with its default retries",
  ignore: Deno.build.os !== "linux", // no other system spreads connections over the processes that share a port
  async fn() {
    console.log(await rollUnderSdk({ clients: 20, rounds: 10 }));
  },
});
