/**
 * Runs the checks of aws-cli, a few at a time, on their own gateway.
 * @module
 */

import { strictEqual } from "node:assert/strict";
import { CREDENTIALS, type GatewayProcess, REGION } from "../clients/gateway_process.ts";
import { temporaryFolder, writeRandomFile } from "../clients/real_files.ts";
import { demand } from "../clients/signed_request.ts";
import { AREAS } from "./areas.ts";
import type { AwsCli, Outcome } from "./aws_cli.ts";
import { type Check, type Given, type Output, type Run, textOf } from "./check.ts";

/** The result of a check. */
export type CheckResult = {
  readonly area: string;
  readonly name: string;
  /** Reason of the failure. */
  readonly error: string | undefined;
  /** The operations that the check requested, as far as aws-cli reports them. */
  readonly operations: readonly string[];
};

/** Files that commands find in their folder, and their sizes in MiB. */
const LARGE = { "five-mib": 5, "twelve-mib": 12 } as const;

/**
 * Runs all checks, or those of one area.
 *
 * @param clients Runs as many checks at a time as there are clients.
 * @returns The results in the order of the table.
 */
export async function runChecks(
  gateway: GatewayProcess,
  clients: readonly AwsCli[],
  only?: RegExp,
): Promise<CheckResult[]> {
  await using shared = await temporaryFolder();
  for (const [name, mib] of Object.entries(LARGE)) {
    await writeRandomFile(`${shared.path}/${name}`, mib * 1024 * 1024);
  }
  const waiting = Object.entries(AREAS).flatMap(([area, checks]) =>
    Object.entries(checks).map(([name, check]) => ({ area, name, check }))
  ).filter(({ area, name }) => only?.test(`${area}: ${name}`) ?? true);
  const results: CheckResult[] = [];
  let next = 0;
  await Promise.all(clients.map(async (client) => {
    for (let i = next++; i < waiting.length; i = next++) {
      const { area, name, check } = waiting[i] as typeof waiting[number];
      const { error, operations } = await runCheck(check, {
        gateway,
        client,
        large: shared.path,
        bucket: `check-${String(i).padStart(3, "0")}`,
      });
      results[i] = { area, name, error, operations };
    }
  }));
  return results;
}

type Surroundings = {
  readonly gateway: GatewayProcess;
  readonly client: AwsCli;
  /** The folder that holds the files of {@linkcode LARGE}. */
  readonly large: string;
  readonly bucket: string;
};

async function runCheck(
  check: Check,
  { gateway, client, large, bucket }: Surroundings,
): Promise<Pick<CheckResult, "error" | "operations">> {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/hello`, "hello");
  await Deno.writeTextFile(`${folder.path}/digits`, "0123456789");
  for (const name of Object.keys(LARGE)) {
    await Deno.symlink(`${large}/${name}`, `${folder.path}/${name}`);
  }
  const operations = new Set<string>();
  const run = async (args: readonly string[], stdin?: string): Promise<Outcome> => {
    const outcome = await client.run({
      args,
      cwd: folder.path,
      env: environment(gateway, folder.path),
      stdin: stdin === undefined ? undefined : `${folder.path}/${stdin}`,
    });
    for (const [operation] of outcome.calls ?? []) operations.add(operation);
    return outcome;
  };
  try {
    await demand(gateway, 200, { method: "PUT", path: `/${bucket}` });
    await check(createGiven(run, bucket, folder.path));
    return { error: undefined, operations: [...operations] };
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : String(cause);
    return { error, operations: [...operations] };
  }
}

function environment(gateway: GatewayProcess, folder: string): Record<string, string> {
  return {
    HOME: folder,
    AWS_ENDPOINT_URL: gateway.url,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_DEFAULT_REGION: REGION,
    AWS_REGION: REGION,
    AWS_CONFIG_FILE: `${folder}/config`,
    AWS_SHARED_CREDENTIALS_FILE: `${folder}/credentials`,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
    // A retry would hide the failure of the first request.
    AWS_MAX_ATTEMPTS: "1",
    NO_PROXY: "127.0.0.1",
  };
}

type RunWords = (args: readonly string[], stdin?: string) => Promise<Outcome>;

function createGiven(run: RunWords, bucket: string, folder: string): Given {
  const succeeding = (stdin?: string): Run => async (words, ...values) => {
    const args = wordsOf(words, values, bucket);
    const { code, stdout, stderr } = await run(args, stdin);
    strictEqual(code, 0, `aws ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
    strictEqual(stderr, "", `aws ${args.join(" ")} complained: ${stderr}`);
    return outputOf(stdout);
  };
  const aws = succeeding();
  const write = async (file: string, text: string): Promise<void> => {
    const path = `${folder}/${file}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  };
  return {
    bucket,
    folder,
    aws,
    awsFrom: succeeding,
    refused: (code, status) => async (words, ...values) => {
      const args = wordsOf(words, values, bucket);
      const { code: exit, stdout, stderr, calls } = await run(args);
      const said = /An error occurred \(([^)]*)\)/.exec(stderr)?.[1] ?? `nothing: ${stderr}`;
      const got = { code: exit === 0 ? "nothing" : said, status: calls?.at(-1)?.[1] ?? status };
      const expected = `${code} (${status})`;
      strictEqual(
        `${got.code} (${got.status})`,
        expected,
        [
          `aws ${args.join(" ")} was refused with ${got.code} (${got.status}), not ${expected}`,
          stdout,
          stderr,
        ].join("\n"),
      );
      return outputOf(stdout);
    },
    put: async (key, file = "hello") =>
      await aws`s3api put-object --bucket BUCKET --key ${key} --body ${file}`,
    async tree(...paths) {
      for (const path of paths) await write(`tree/${path}`, "hello");
      await aws`s3 cp --no-progress --recursive tree s3://BUCKET`;
    },
    read: async (file) => await Deno.readTextFile(`${folder}/${file}`),
    write,
    async begin(key) {
      const output = await aws`s3api create-multipart-upload --bucket BUCKET --key ${key}`;
      return textOf(output, "UploadId");
    },
    async part(key, id, number, file) {
      const output = await aws`s3api upload-part --bucket BUCKET --key ${key} --upload-id=${id}
        --part-number ${number} --body ${file}`;
      return textOf(output, "ETag");
    },
  };
}

function outputOf(text: string): Output {
  return {
    text,
    get json(): unknown {
      return text.trim() === "" ? null : JSON.parse(text);
    },
  };
}

/** Splits a template into words; inserted values are not split. */
function wordsOf(
  { raw }: TemplateStringsArray,
  values: readonly (string | number | readonly string[])[],
  bucket: string,
): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const end = (): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (const [i, literal] of raw.entries()) {
    const pieces = literal.replaceAll("BUCKET", bucket).split(/\s+/);
    for (const [j, piece] of pieces.entries()) {
      if (j > 0) end();
      if (piece !== "") word = (word ?? "") + piece;
    }
    const value = values[i];
    if (Array.isArray(value)) words.push(...value);
    else if (value !== undefined) word = (word ?? "") + value;
  }
  end();
  return words;
}
