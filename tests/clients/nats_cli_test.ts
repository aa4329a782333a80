/** The `nats` command finds gateways as a microservice. */

import { match, strictEqual } from "node:assert/strict";
import { findNatsCli } from "../../scripts/nats_cli.ts";
import { demand } from "./signed_request.ts";
import { startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";

const NATS = await findNatsCli();

Deno.test({
  name: "nats micro ls, info and stats show a gateway",
  ignore: NATS === undefined,
  async fn() {
    await using gateway = await startGateway();
    await using folder = await temporaryFolder();
    await demand(gateway, 200);
    const nats = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await new Deno.Command(NATS ?? "", {
        args: ["--server", gateway.server.url, "micro", ...args],
        env: { HOME: folder.path },
      }).output();
      strictEqual(code, 0, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    match(await nats("ls"), /nats-s3 .* An S3 server on NATS JetStream/);
    match(await nats("info", "nats-s3"), new RegExp(`listen: ${gateway.host}`));
    match(await nats("stats", "nats-s3"), /s3 +│ 1 /);
  },
});
