/** The known faults can be put back: each patch fits the present source. */

import { doesNotThrow, ok, throws } from "node:assert/strict";
import { parsePatch, patched } from "./apply_patch.ts";

const FAULTS = new URL("faults/", import.meta.url);

Deno.test("each patch of a known fault fits the source", () => {
  for (const { name } of Deno.readDirSync(FAULTS)) {
    const files = parsePatch(Deno.readTextFileSync(new URL(name, FAULTS)));
    ok(files.length > 0, `${name} changes no file`);
    for (const file of files) {
      const text = Deno.readTextFileSync(new URL(`../../${file.path}`, import.meta.url));
      doesNotThrow(() => patched(text, file), name);
    }
  }
});

Deno.test("a patch that does not fit is refused", () => {
  const [file] = parsePatch("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
  ok(file !== undefined);
  ok(patched("0\na\nb\n", file) === "0\na\nc\n");
  throws(() => patched("a\nc\n", file), /0 places/);
  throws(() => patched("a\nb\na\nb\n", file), /2 places/);
});
