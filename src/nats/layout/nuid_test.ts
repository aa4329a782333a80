import { ok } from "node:assert/strict";
import type { ObjectKey } from "../../s3/names.ts";
import { isNuidOf, newNuid } from "./nuid.ts";

Deno.test("newNuid() makes ids that a command line does not take for flags", () => {
  const key = "key" as ObjectKey;
  for (let i = 0; i < 2000; i++) {
    const nuid = newNuid(key);
    ok(/^[A-Za-z0-9_][A-Za-z0-9_-]{23}$/.test(nuid) && isNuidOf(nuid, key), nuid);
  }
});
