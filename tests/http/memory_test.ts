import { ok } from "node:assert/strict";
import { measureMemory } from "./memory_load.ts";

const MIB = 1024 * 1024;

Deno.test("Three uploads and three downloads of 48 MiB take less than 96 MiB", async () => {
  const { idle, peak } = await measureMemory({ puts: 3, gets: 3, size: 48 * MIB });
  ok(peak - idle < 96 * MIB, `${(peak - idle) / MIB} MiB over ${idle / MIB} MiB`);
});
