/**
 * The long version of `tests/http/memory_test.ts`.
 * @module
 */

import { ok } from "node:assert/strict";
import { measureMemory } from "../http/memory_load.ts";

const MIB = 1024 * 1024;

Deno.test("Ten uploads and ten downloads of 256 MiB take less than 192 MiB", async () => {
  const { idle, peak } = await measureMemory({ puts: 10, gets: 10, size: 256 * MIB });
  const text = `${Math.round((peak - idle) / MIB)} MiB over ${Math.round(idle / MIB)} MiB`;
  // deno-lint-ignore no-console
  console.log(text);
  ok(peak - idle < 192 * MIB, text);
});
