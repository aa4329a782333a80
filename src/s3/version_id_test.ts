import { strictEqual, throws } from "node:assert/strict";
import type { ObjectKey } from "./names.ts";
import { parseOrdinal, parseVersionId } from "./version_id.ts";

Deno.test("parseVersionId() tells the id of another version from a text that is none", () => {
  const id = "0000000001abcdefghijklmnopqrstuv";
  const key = "key" as ObjectKey;
  strictEqual(parseVersionId(undefined), undefined);
  for (const text of ["null", id]) strictEqual(parseVersionId(text), text);
  throws(() => parseVersionId(`${id}x`, key), {
    code: "NoSuchVersion",
    fields: { Key: key, VersionId: `${id}x` },
  });
  throws(() => parseVersionId("3HL4kqtJvjVBH40N_jfkd-HL4kqtJvj.", key), { code: "NoSuchVersion" });
  const argument = { ArgumentName: "versionId" };
  throws(() => parseVersionId("", key), {
    code: "InvalidArgument",
    fields: { ...argument, ArgumentValue: "" },
    message: "Version id cannot be the empty string",
  });
  for (const text of ["x", "NULL", `${id} `, `${id.slice(1)}\u00e9`]) {
    throws(() => parseVersionId(text, key), {
      code: "InvalidArgument",
      fields: { ...argument, ArgumentValue: text },
      message: "Invalid version id specified",
    });
  }
});

Deno.test("parseOrdinal() refuses what a number cannot hold", () => {
  strictEqual(parseOrdinal("0000000011"), 63);
  strictEqual(parseOrdinal("zzzzzzzzzz"), undefined);
  strictEqual(parseOrdinal("000000001"), undefined);
  strictEqual(parseOrdinal("00000-0001"), undefined);
});
