/** Runs programs of the Java SDK 1: what it asks before it uses a bucket, tags, versions and transfers in parts. */

import { match, strictEqual } from "node:assert/strict";
import { findJavaSdk } from "../../scripts/java_sdk.ts";
import { run } from "./client_process.ts";
import { startGateway } from "./gateway_process.ts";

const CHECKS = `${import.meta.dirname}/java/Checks.java`;

const reasons: string[] = [];
const java = await findJavaSdk((text) => reasons.push(text));
// deno-lint-ignore no-console
if (java === undefined) console.log(`Skipping the Java SDK 1: ${reasons.join("; ")}`);

Deno.test({
  name: "Java SDK 1 finds buckets, ACLs, tags and versions as on Amazon",
  ignore: java === undefined,
  async fn() {
    if (java === undefined) return;
    await using gateway = await startGateway();
    const { code, stdout, stderr } = await run(java, [CHECKS], { gateway });
    strictEqual(code, 0, stderr);
    match(stdout, /^ok$/m);
  },
});
