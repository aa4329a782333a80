/**
 * Faults that the store once had, or that its rules exist to prevent: each is put back into a copy of the source, and the
 * simulation has to find it: `known_faults.ts [--steps 12000000] [--seed 1] [names]`. Twelve million steps are ten minutes.
 * @module
 */

// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";

/** A change of the source that puts a fault back. */
type KnownFault = {
  readonly name: string;
  /** Below `src/nats/`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
};

const FAULTS: readonly KnownFault[] = [
  {
    name: "believes a mirror's metadata",
    file: "objects/commit.ts",
    from:
      "if (message === undefined ? believesMissing : message.stream === stream) return message;",
    to: "return message;",
  },
  {
    name: "reads metadata from any replica",
    file: "objects/commit.ts",
    from: "if (single) {\n    try {",
    to: "if (single || stream !== undefined) {\n    try {",
  },
  {
    name: "commits without an expectation",
    file: "objects/commit.ts",
    from: "const options = { expect, rollup: true,",
    to: "const options = { rollup: true,",
  },
  {
    name: "takes a conflict after silence for a refusal",
    file: "objects/commit.ts",
    from: 'if (doubt === undefined) return { kind: "refused" };',
    to: 'return { kind: "refused" };',
  },
  {
    name: "keeps a list across a lost tail",
    file: "buckets/history.ts",
    from: "return message?.subject === mark.subject && message.stamp === mark.stamp;",
    to: "return true;",
  },
  {
    name: "takes another gateway's fence down",
    file: "buckets/delete_bucket.ts",
    from: "if (await lock.renew()) await streams.setFence(bucket, store, false);",
    to: "await streams.setFence(bucket, store, false);",
  },
  {
    name: "deletes a bucket without a fence",
    file: "buckets/delete_bucket.ts",
    from: "await streams.setFence(bucket, store, true);",
    to: "",
  },
  {
    name: "does not look again behind the fence",
    file: "buckets/delete_bucket.ts",
    from: "if (!await isEmptyWhile(lock, isEmpty, bucket)) {",
    to: "if (await isEmptyWhile(lock, isEmpty, bucket) === undefined) {",
  },
  {
    name: "accepts a put into a bucket that was made anew",
    file: "objects/put.ts",
    from: "if (!await isInOneStream(needs, stream, [...sequences, sequence], isLong)) {",
    to: "if (!await isInOneStream(needs, stream, [...sequences, sequence], isLong) && false) {",
  },
  {
    name: "frees at once what an overtaken write replaced",
    file: "objects/replace.ts",
    from: "await trashDoubtful(needs, stream, key, before.nuid);",
    to: "await freeReplaced(needs, stream, key, before);",
  },
  {
    name: "discards its own chunks though the commit is in doubt",
    file: "objects/replace.ts",
    from: "if (newGroup !== undefined && !(isSent && cause instanceof Unanswered)) {",
    to: "if (newGroup !== undefined) {",
  },
  {
    name: "purges large groups at once",
    file: "objects/trash.ts",
    from: "if (isReadAtOnce) await",
    to: 'if (isReadAtOnce || bytes?.kind === "group") await',
  },
  {
    name: "empties the trash under readers",
    file: "cleanup/empty_trash.ts",
    from: "if (leased.has(item.nuid)) tally.waiting++;\n      else items.push(item);",
    to: "items.push(item);",
  },
  {
    name: "empties trash that was recorded anew",
    file: "cleanup/empty_trash.ts",
    from: "} else if (!await isLastOfSubject(context, stream, item)) {",
    to: "} else if (!await isLastOfSubject(context, stream, item) && false) {",
  },
  {
    name: "frees a completed upload that was just replaced",
    file: "cleanup/empty_trash.ts",
    from: "} else if (!isReplaced && time.getTime() + context.grace > stream.at.getTime()) {",
    to: "} else if (!isReplaced && false) {",
  },
  {
    name: "judges a renamed group by its old key",
    file: "cleanup/empty_trash.ts",
    from: "!(hasRenamed && await isRenamed(requests, store, nuid));",
    to: "(hasRenamed || true);",
  },
  {
    name: "purges the parts of a current object",
    file: "cleanup/empty_trash.ts",
    from: "if (used.has(subject)) continue;",
    to: "",
  },
  {
    name: "sweeps parts of open uploads",
    file: "cleanup/references.ts",
    from: "upload: readOpenUploads,",
    to: "upload: undefined,",
  },
  {
    name: "sweeps without reading names",
    file: "cleanup/sweep.ts",
    from: "candidates.named(hashOf(found.name), found.parts);",
    to: "",
  },
  {
    name: "an abort that does not end the upload first",
    file: "uploads/abort.ts",
    from: "if (!await endUpload(needs, stream, id, found)) continue;",
    to: "await endUpload(needs, stream, id, found);",
  },
  {
    name: "completes without looking at the upload's record",
    file: "uploads/complete.ts",
    from: "        expect: sequence,\n",
    to: "",
  },
  {
    name: "a rename that does not check its source",
    file: "objects/rename.ts",
    from: "        expect: sequence,\n        ttl: TOMBSTONE_TTL,",
    to: "        ttl: TOMBSTONE_TTL,",
  },
];

const { values, positionals } = parseArgs({
  options: {
    steps: { type: "string", default: "12000000" },
    seed: { type: "string", default: "1" },
  },
  allowPositionals: true,
});
const root = `${import.meta.dirname}/../..`;
const copy = await Deno.makeTempDir({ prefix: "known-faults-" });
try {
  for (const name of ["src", "tests", "scripts", "deno.json", "deno.lock", "main.ts"]) {
    await run("cp", ["-r", `${root}/${name}`, copy]);
  }
  for (const fault of FAULTS) {
    if (positionals.length > 0 && !positionals.some((text) => fault.name.includes(text))) continue;
    const path = `${copy}/src/nats/${fault.file}`;
    const source = await Deno.readTextFile(path);
    if (!source.includes(fault.from)) {
      throw new TypeError(`${fault.file} has changed: ${fault.name}`);
    }
    await Deno.writeTextFile(path, source.replace(fault.from, fault.to));
    const simulate = `${copy}/tests/simulation/simulate.ts`;
    const found = await run("deno", [
      ...["run", "-A", "--no-check", `--lock=${copy}/tests/deno.lock`, simulate],
      ...["--seed", values.seed, "--steps", values.steps, "--brief"],
    ]);
    console.log(`${fault.name} | ${found.trim().split("\n").slice(-2).join(" | ")}`);
    await Deno.writeTextFile(path, source);
  }
} finally {
  await Deno.remove(copy, { recursive: true });
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}
