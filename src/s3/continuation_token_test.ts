import { strictEqual, throws } from "node:assert/strict";
import { formatContinuationToken, parseContinuationToken } from "./continuation_token.ts";

Deno.test("parseContinuationToken() rejects a modified token", () => {
  const token = formatContinuationToken("photos/2024/");
  strictEqual(parseContinuationToken(token), "photos/2024/");
  for (const wrong of ["", "x", token.slice(1), `${token}A`, token.slice(0, -2), `${token}=`]) {
    throws(() => parseContinuationToken(wrong), { code: "InvalidArgument" }, wrong);
  }
});
