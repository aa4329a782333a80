import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { defaultPaths, forbiddenSkips, LONGEST } from "./test.ts";

const SCRIPT = `${import.meta.dirname}/test.ts`;

async function run(
  source: string,
  env: Record<string, string> = {},
): Promise<{ code: number; lines: string[] }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a_test.ts`, source);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", SCRIPT, "--no-check", "--no-config", `${folder}/a_test.ts`],
      env: { TEST_REQUIRE: "", ...env },
      stderr: "null",
    }).output();
    return { code, lines: new TextDecoder().decode(stdout).trimEnd().split("\n") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// The ignored tests below are only texts for the script to run and count.

Deno.test("scripts/test.ts ends with the counts alone on a line", async () => {
  const { code, lines } = await run(`
    Deno.test("a", () => {});
    Deno.test("b", () => { throw new Error("b"); });
    Deno.test.ignore("c", () => {});
  `);
  strictEqual(lines.at(-1), "1 passed, 1 failed, 1 skipped");
  strictEqual(code, 1);
});

Deno.test("scripts/test.ts exits with 0 when nothing failed", async () => {
  const { code, lines } = await run(
    'Deno.test("a", () => {}); Deno.test.ignore("b", () => {});',
  );
  strictEqual(lines.at(-1), "1 passed, 0 failed, 1 skipped");
  strictEqual(code, 0);
});

Deno.test("scripts/test.ts counts a file that does not load as a failure", async () => {
  const { code, lines } = await run('throw new Error("at the top");');
  match(lines.at(-1) ?? "", /, 1 failed, 0 skipped$/);
  strictEqual(code, 1);
});

Deno.test("scripts/test.ts refuses skips when all tests are required", async () => {
  const { code, lines } = await run('Deno.test.ignore("b", () => {});', {
    TEST_REQUIRE: "all",
  });
  strictEqual(lines.at(-2), "skipped, but required: b");
  strictEqual(lines.at(-1), "0 passed, 1 failed, 0 skipped");
  strictEqual(code, 1);
});

Deno.test("scripts/test.ts hides NATS_URL from tests", async () => {
  const { lines } = await run(
    'Deno.test("a", () => { if (Deno.env.has("NATS_URL")) throw new Error("It is there"); });',
    { NATS_URL: "nats://127.0.0.1:4222" },
  );
  strictEqual(lines.at(-1), "1 passed, 0 failed, 0 skipped");
});

Deno.test("forbiddenSkips() accepts the listed tests", () => {
  const skipped = ["aws-cli v2 walks", "other"];
  deepStrictEqual(forbiddenSkips({ passed: 0, failed: 0, skipped }), ["other"]);
});

Deno.test("defaultPaths() leaves out tests with their own task", async () => {
  const paths = await defaultPaths();
  ok(paths.includes("src") && paths.includes("tests/contract"), paths.join(" "));
  strictEqual(paths.includes("tests"), false);
  strictEqual(paths.includes("tests/clients"), false);
});

Deno.test("the files that begin first are there, each once, and are among those tested by default", async () => {
  const paths = await defaultPaths();
  strictEqual(new Set(LONGEST).size, LONGEST.length);
  for (const file of LONGEST) {
    ok((await Deno.stat(file)).isFile, file);
    ok(paths.some((path) => file.startsWith(`${path}/`)), file);
  }
});
