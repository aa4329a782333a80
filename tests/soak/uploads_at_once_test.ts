/** The long version of `tests/clients/uploads_at_once_test.ts`. */

import { uploadAtOnce } from "../clients/uploads_at_once.ts";

Deno.test("ten aws-cli processes upload twenty parts each at once, to ten keys and to one", async () => {
  const report = await uploadAtOnce({ clients: 10, parts: 20 });
  // deno-lint-ignore no-console
  console.log(report);
});
