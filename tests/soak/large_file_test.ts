/**
 * A file of 5 GiB by aws-cli; the short version is in `tests/clients/aws_cli_test.ts`. It needs up to 25 GiB in the
 * folder for temporary files: for two copies of the file, and for JetStream while the gateway rewrites the object for
 * native clients. `NATS_S3_SOAK_GIB` sets another size.
 */

import { match, strictEqual } from "node:assert/strict";
import { ensureAwsCli } from "../../scripts/client_tools.ts";
import { run } from "../clients/client_process.ts";
import { startGateway } from "../clients/gateway_process.ts";
import { compareFiles, temporaryFolder, writeRandomFile } from "../clients/real_files.ts";
import { rateOf } from "../clients/uploads_at_once.ts";

const GIB = 1024 ** 3;

Deno.test("aws s3 cp of 5 GiB up and down keeps every byte", async () => {
  const size = Number(Deno.env.get("NATS_S3_SOAK_GIB") ?? 5) * GIB + 17;
  const tool = await ensureAwsCli();
  await using gateway = await startGateway();
  await using folder = await temporaryFolder();
  const aws = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(tool, args, { gateway, cwd: folder.path });
    strictEqual(code, 0, `aws ${args.join(" ")}: ${stderr}`);
    strictEqual(stderr, "", `aws ${args.join(" ")} complained`);
    return stdout;
  };
  await writeRandomFile(`${folder.path}/large`, size);
  await aws("s3", "mb", "s3://soak");
  const cp = ["s3", "cp", "--no-progress"];
  const up = await rateOf(size, () => aws(...cp, "large", "s3://soak/large"));
  match(await aws("s3", "ls", "s3://soak/large"), new RegExp(` ${size} large\n$`));
  const down = await rateOf(size, () => aws(...cp, "s3://soak/large", "back"));
  await compareFiles(`${folder.path}/large`, `${folder.path}/back`);
  // deno-lint-ignore no-console
  console.log({ up, down, "MiB at most": await peak(gateway.pid) });
});

/** Returns the peak memory of a process in MiB, if the system reports it. */
async function peak(pid: number): Promise<number | undefined> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Math.round(Number(kib) / 1024);
}
