import { strictEqual } from "node:assert/strict";
import { compareSequences } from "./sequences.ts";

Deno.test("a lower sequence after a higher one proves no single stream", () => {
  // The gateway that made the bucket anew has a clock that is behind.
  strictEqual(compareSequences(1_796_000_001_000_007, 1_796_000_000_000_009), "perhaps two");
  strictEqual(compareSequences(1_796_000_000_000_007, 1_796_000_000_000_009), "one stream");
});
