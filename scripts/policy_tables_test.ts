import { deepStrictEqual } from "node:assert/strict";
import { CONTEXT_KEYS } from "../src/access/request_context.ts";
import { CONDITION_KEYS } from "../src/iam/condition_keys.ts";
import { S3_ACTIONS } from "../src/iam/s3_actions.ts";
import { CONTROL_OPERATIONS, SUPPORTED } from "../src/operations/table.ts";
import { formatConditionKeys, formatPolicyActions } from "./policy_tables.ts";

/** Returns the first column of a table, without the heading. */
function names(table: string): readonly string[] {
  return table.split("\n").slice(2).map((row) => row.split("`", 2)[1] ?? "");
}

Deno.test("the tables of policies have a row for each action and each condition key", () => {
  const rows = names(formatConditionKeys()).map((name) => name.replace("…", "").toLowerCase());
  const isHeader = (key: string): boolean => key.startsWith("s3:x-amz-");
  const keys = new Set([...CONTEXT_KEYS, ...CONDITION_KEYS.filter((key) => !isHeader(key))]);
  deepStrictEqual(rows.toSorted(), [...keys].toSorted());
  const operations = [...SUPPORTED, ...CONTROL_OPERATIONS].map(({ action }) => action);
  const actions = new Set<string>([...S3_ACTIONS.keys(), ...operations]);
  deepStrictEqual(names(formatPolicyActions()), [...actions].toSorted());
});
