/** Compares docs/CONFORMANCE.md with the code; `deno task conformance --check` runs the claims of the document. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { formatConformance, readConformance } from "../scripts/conformance_report.ts";
import { OPERATIONS } from "../src/operations/table.ts";
import { AREAS, UNSUPPORTED_AREA } from "./conformance/areas.ts";

const DOCUMENT = await Deno.readTextFile(`${import.meta.dirname}/../docs/CONFORMANCE.md`);
const CLAIMS = readConformance(DOCUMENT);

Deno.test("docs/CONFORMANCE.md has the operations and their status as the table has them", () => {
  const expected = OPERATIONS.map(({ name, unsupported }) =>
    [name, unsupported ? "not implemented" : "supported"] as const
  );
  const byName = ([a]: readonly string[], [b]: readonly string[]): number =>
    String(a) < String(b) ? -1 : 1;
  deepStrictEqual([...CLAIMS.operations].sort(byName), expected.toSorted(byName));
});

Deno.test("docs/CONFORMANCE.md counts the checks that there are, and no failure", () => {
  const counts = Object.values(AREAS).map((checks) => Object.keys(checks).length);
  const refused = Object.keys(AREAS[UNSUPPORTED_AREA] ?? {}).length;
  const all = counts.reduce((sum, count) => sum + count, 0);
  deepStrictEqual(CLAIMS.totals, [all - refused, 0, refused]);
  ok(all - refused >= 100);
});

Deno.test("aws-cli asks for every supported operation", () => {
  const supported = OPERATIONS.filter(({ unsupported }) => !unsupported);
  deepStrictEqual(
    supported.map(({ name }) => name).filter((name) => !CLAIMS.asked.has(name)),
    [],
  );
});

Deno.test("the checks of what is not implemented name operations that are not", () => {
  const names = OPERATIONS.filter(({ unsupported }) => unsupported).map(({ name }) => name);
  const checked = Object.keys(AREAS[UNSUPPORTED_AREA] ?? {});
  deepStrictEqual(checked.filter((name) => !names.includes(name)), []);
});

Deno.test("formatConformance() tells failures, and readConformance() reads it", () => {
  const document = formatConformance({
    versions: { a: "1" },
    checks: [
      { area: "Objects", name: "of <no> kind", error: "x\ny", operations: ["GetObject"] },
      { area: UNSUPPORTED_AREA, name: "GetX", error: undefined, operations: ["GetX"] },
    ],
    suites: [{ name: "boto3", passed: 1, failed: 0 }],
    operations: [{ name: "GetObject" }, { name: "GetX", unsupported: true }, { name: "PutX" }],
  });
  ok(document.includes("- Objects: of \\<no\\> kind: x\n"), document);
  const { totals, operations, asked } = readConformance(document);
  deepStrictEqual(totals, [0, 1, 1]);
  strictEqual(operations.get("GetX"), "not implemented");
  deepStrictEqual([...asked], ["GetObject", "GetX"]);
});
