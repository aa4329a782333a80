/**
 * Several aws-cli processes upload files in parts at the same time: first each to its own key, then all to one key.
 * @module
 */

import { ok, strictEqual } from "node:assert/strict";
import { ensureAwsCli } from "../../scripts/client_tools.ts";
import { run } from "./client_process.ts";
import { startGateway } from "./gateway_process.ts";
import { compareFiles, temporaryFolder, writeRandomFile } from "./real_files.ts";

/** Size of a part that aws-cli sends by default. */
const PART = 8 * 1024 * 1024;

/** The duration in seconds, and the MB/s of all clients together. */
export type UploadReport = {
  readonly up: Rate;
  readonly down: Rate;
  readonly upToOneKey: Rate;
};

/** The duration and speed of a transfer. */
export type Rate = { readonly seconds: number; readonly "MB/s": number };

/** Measures the time to move some bytes. */
export async function rateOf(bytes: number, move: () => Promise<unknown>): Promise<Rate> {
  const began = performance.now();
  await move();
  const seconds = (performance.now() - began) / 1000;
  return { seconds: Math.round(seconds * 10) / 10, "MB/s": Math.round(bytes / seconds / 1e6) };
}

/** Uploads and downloads; throws if a command fails, retries, or returns other bytes. */
export async function uploadAtOnce(
  { clients, parts }: { readonly clients: number; readonly parts: number },
): Promise<UploadReport> {
  const tool = await ensureAwsCli();
  await using gateway = await startGateway();
  await using folder = await temporaryFolder();
  const aws = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await run(tool, args, { gateway, cwd: folder.path });
    strictEqual(code, 0, `aws ${args.join(" ")}: ${stderr}`);
    strictEqual(stderr, "", `aws ${args.join(" ")} complained`);
  };
  const cp = (from: string, to: string): Promise<void> =>
    aws("s3", "cp", "--no-progress", "--only-show-errors", from, to);
  const all = (call: (file: string) => Promise<void>): Promise<unknown> =>
    Promise.all(files.map(call));

  const files = Array.from({ length: clients }, (_, i) => `file-${i}`);
  const size = (parts - 1) * PART + 1_234_567;
  for (const file of files) await writeRandomFile(`${folder.path}/${file}`, size);
  await aws("s3", "mb", "s3://at-once");

  const total = clients * size;
  const up = await rateOf(total, () => all((file) => cp(file, `s3://at-once/${file}`)));
  const down = await rateOf(total, () => all((file) => cp(`s3://at-once/${file}`, `${file}.back`)));
  for (const file of files) {
    await compareFiles(`${folder.path}/${file}`, `${folder.path}/${file}.back`);
    await Deno.remove(`${folder.path}/${file}.back`);
  }

  const upToOneKey = await rateOf(total, () => all((file) => cp(file, "s3://at-once/one")));
  await cp("s3://at-once/one", "one");
  const equal = await Promise.all(
    files.map((file) =>
      compareFiles(`${folder.path}/${file}`, `${folder.path}/one`).then(() => true, () => false)
    ),
  );
  ok(equal.includes(true), "the object is not one of the uploaded files");
  return { up, down, upToOneKey };
}
