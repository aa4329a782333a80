/**
 * Checks the claims of documents: links, files, tasks, permissions. `tests/clients/docs_test.ts` runs their commands;
 * `tests/settings_in_files_test.ts` checks their flags and variables.
 * @module
 */

import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { posix } from "node:path";
import manifest from "../deno.json" with { type: "json" };
import { startNatsServer } from "../scripts/nats_server.ts";
import { blocksOf, readDocuments, ROOT } from "./documents.ts";
import { signedFetch, startGateway } from "./process/running_command.ts";

const documents = await readDocuments();
/** Returns the links to files, except those in code. */
function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(/^( *)```[^]*?^\1```$/gm, "").replaceAll(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Returns the anchors of a document's headings, as GitHub generates them. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(" ", "-")
  );
}

function targetOf(path: string, link: string): { readonly file: string; readonly anchor: string } {
  const [file = "", anchor = ""] = link.split("#");
  return { file: file === "" ? path : posix.join(posix.dirname(path), file), anchor };
}

Deno.test("documents link to files and headings that are there", async () => {
  const broken: string[] = [];
  for (const { path, text } of documents) {
    for (const link of linksOf(text)) {
      const { file, anchor } = targetOf(path, link);
      const exists = await Deno.stat(`${ROOT}/${file}`).then(() => true, () => false);
      const target = documents.find(({ path }) => path === file)?.text;
      const isThere = anchor === "" || target === undefined || anchorsOf(target).includes(anchor);
      if (!exists || !isThere) broken.push(`${path}: ${link}`);
    }
  }
  deepStrictEqual(broken, []);
});

Deno.test("every document of docs/ is reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const path of reached) {
    const text = documents.find((document) => document.path === path)?.text ?? "";
    for (const link of linksOf(text)) reached.add(targetOf(path, link).file);
  }
  const wanted = documents.map(({ path }) => path).filter((path) => path.startsWith("docs/"));
  deepStrictEqual(wanted.filter((path) => !reached.has(path)), []);
});

Deno.test("commands in documents are fenced as `sh`, or as `sh not-run`", () => {
  const wrong = documents.flatMap(({ path, text }) =>
    blocksOf(text).filter(({ language, remark }) =>
      ["bash", "shell", "console", "zsh"].includes(language) ||
      (language === "sh" && !/^(not-run(: .+)?)?$/.test(remark))
    ).map(({ line }) => `${path}:${line}`)
  );
  deepStrictEqual(wrong, []);
});

Deno.test("commands that a test of their own runs are named in one", async () => {
  const tests = await Array.fromAsync(Deno.readDir(`${ROOT}/tests/clients`));
  const texts = await Promise.all(
    tests.filter(({ name }) => name.endsWith("_test.ts"))
      .map(({ name }) => Deno.readTextFile(`${ROOT}/tests/clients/${name}`)),
  );
  const unknown = documents.flatMap(({ path, text }) =>
    blocksOf(text).filter(({ name }) =>
      name !== undefined && !texts.some((text) => text.includes(path) && text.includes(`"${name}"`))
    ).map(({ name }) => `${path}: ${name}`)
  );
  deepStrictEqual(unknown, []);
});

/** Returns whether a program is on the PATH and runs. */
async function runs(command: string, ...args: readonly string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: [...args], stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "Terraform reads and formats every block of `hcl` as it is",
  // Terraform is not in any package registry.
  ignore: !await runs("terraform", "version"),
  async fn() {
    const blocks = documents.flatMap(({ path, text }) =>
      blocksOf(text).filter(({ language }) => language === "hcl").map((block) => ({ path, block }))
    );
    ok(blocks.length > 1);
    for (const { path, block: { line, code } } of blocks) {
      const child = new Deno.Command("terraform", {
        args: ["fmt", "-no-color", "-check", "-diff", "-"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(code));
      await writer.close();
      const { code: exit, stdout, stderr } = await child.output();
      const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
      strictEqual(exit, 0, `${path}:${line}\n${text}`);
    }
  },
});

Deno.test("tasks in documents are in deno.json", () => {
  const unknown = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/deno(?:@[\d.]+)? task ([a-z][a-z:-]*)/g)].map(([, task = ""]) => task)
      .filter((task) => !Object.hasOwn(manifest.tasks, task)).map((task) => `${path}: ${task}`)
  );
  deepStrictEqual(unknown, []);
});

Deno.test("files that documents name in code are there", async () => {
  const missing: string[] = [];
  for (const { path, text } of documents) {
    for (const [, file = ""] of text.matchAll(/`((?:src|scripts|tests|docs|deploy)\/[\w./-]+)`/g)) {
      if (!await Deno.stat(`${ROOT}/${file}`).then(() => true, () => false)) {
        missing.push(`${path}: ${file}`);
      }
    }
  }
  deepStrictEqual(missing, []);
});

Deno.test("the permissions that docs/configuration.md lists are enough", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/configuration.md`);
  const section = text.slice(text.indexOf("## Permissions of the NATS user"));
  const publish = section.split("\n").filter((line) => line.startsWith("| `")).flatMap((line) =>
    [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, subject = ""]) => subject)
  );
  ok(publish.length > 10, "the table was not found");
  match(section, /`_INBOX\.>`/);
  match(section, /`\$SRV\.>` with `allow_responses`/);
  await using server = await startNatsServer({
    config: `authorization { users: [{ user: ann, password: secret, permissions: {
      publish: ${JSON.stringify(publish)}, subscribe: ["_INBOX.>", "$SRV.>"], allow_responses: true
    } }] }`,
  });
  const pair = { accessKeyId: "ann", secretAccessKey: "secret" };
  const login = ["--natsServers", server.url, "--natsUser", "ann", "--natsPassword", "secret"];
  await using gateway = await startGateway([
    ...login,
    "--trash.grace",
    "1s",
    "--multipart.native-layout",
    "on-complete",
  ]);
  const ask = async (method: string, path: string, body?: string): Promise<string> => {
    const response = await signedFetch(`${gateway.url}/${path}`, pair, {
      method,
      ...(body !== undefined && { body }),
    });
    const answer = await response.text();
    ok(response.ok, `${method} ${path}: ${response.status} ${answer}\n${gateway.output}`);
    return answer;
  };
  const large = "x".repeat(600_000);
  await ask("PUT", "demo");
  await ask("PUT", "demo/small", "1");
  await ask("PUT", "demo/small", "2");
  await ask("PUT", "demo/large", large);
  await ask("PUT", "demo/large", large);
  strictEqual(await ask("GET", "demo/large"), large);
  match(await ask("GET", "demo?list-type=2"), /<KeyCount>2</);
  const [, id] = /<UploadId>([^<]+)/.exec(await ask("POST", "demo/parts?uploads")) ?? [];
  await ask("PUT", `demo/parts?partNumber=1&uploadId=${id}`, large);
  const [, etag] = /<ETag>([^<]+)/.exec(await ask("GET", `demo/parts?uploadId=${id}`)) ?? [];
  await ask(
    "POST",
    `demo/parts?uploadId=${id}`,
    `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`,
  );
  strictEqual(await ask("GET", "demo/parts"), large);
  // Leave time for emptying the trash.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  for (const key of ["small", "large", "parts"]) await ask("DELETE", `demo/${key}`);
  match(await ask("GET", ""), /<Name>demo</);
  await ask("DELETE", "demo");
  strictEqual((await gateway.stop()).code, 0, gateway.output);
  doesNotMatch(gateway.output, /ermission/);
  doesNotMatch(await server.readLog(), /Violation/);
});
