import { strictEqual, throws } from "node:assert/strict";
import { encodingParam, integerParam } from "./params.ts";

Deno.test("integerParam() rejects a text that is not an integer", () => {
  for (const text of ["-1", "a", "1.5", "2147483648", "1e3", " 1", "0x1"]) {
    const query = new Map([["n", text]]);
    throws(() => integerParam(query, "n", { max: 10, default: 1 }), { code: "InvalidArgument" });
  }
  throws(() => integerParam(new Map([["n", "0"]]), "n", { min: 1, max: 10, default: 1 }), {
    code: "InvalidArgument",
  });
  strictEqual(integerParam(new Map([["n", ""]]), "n", { max: 10, default: 3 }), 3);
  strictEqual(integerParam(new Map([["n", "0"]]), "n", { max: 10, default: 3 }), 0);
});

Deno.test("encodingParam() accepts only url", () => {
  strictEqual(encodingParam(new Map()).encode("a b"), "a b");
  strictEqual(encodingParam(new Map([["encoding-type", "url"]])).encode("a b\u0001"), "a%20b%01");
  throws(() => encodingParam(new Map([["encoding-type", "x"]])), { code: "InvalidArgument" });
});
