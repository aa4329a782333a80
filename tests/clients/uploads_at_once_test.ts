/** The short version of `tests/soak/uploads_at_once_test.ts`. */

import { uploadAtOnce } from "./uploads_at_once.ts";

Deno.test("ten aws-cli processes upload three parts each at once, to ten keys and to one", async () => {
  await uploadAtOnce({ clients: 10, parts: 3 });
});
