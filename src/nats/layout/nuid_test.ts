import { ok, strictEqual } from "node:assert/strict";
import type { ObjectKey } from "../../s3/names.ts";
import { isNuidOf, newNuid, type Nuid } from "./nuid.ts";

Deno.test("newNuid() makes ids that a command line does not take for flags", () => {
  const key = "key" as ObjectKey;
  for (let i = 0; i < 2000; i++) {
    const nuid = newNuid(key);
    ok(/^[A-Za-z0-9_][A-Za-z0-9_-]{23}$/.test(nuid) && isNuidOf(nuid, key), nuid);
  }
});

Deno.test("isNuidOf() recognises the nuids that are stored", () => {
  const stored = {
    "a/b.txt": "no9Y63ctnZxDqey-GV9whs0c",
    "日本/é.txt": "XF82SE5rcQK0OyoAr8qX9Kzx",
  };
  for (const [key, nuid] of Object.entries(stored)) {
    strictEqual(isNuidOf(nuid as Nuid, key as ObjectKey), true, key);
    strictEqual(isNuidOf(nuid as Nuid, `${key}x` as ObjectKey), false, key);
  }
});
