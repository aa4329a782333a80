import { strictEqual, throws } from "node:assert/strict";
import { replaceBetween, writeTables } from "../scripts/docs.ts";

/** The formatter pads columns and wraps lines. */
function unformatted(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/-{3,}/g, "---");
}

Deno.test("README.md holds the tables that `deno task docs` writes", async () => {
  const readme = await Deno.readTextFile(`${import.meta.dirname}/../README.md`);
  strictEqual(unformatted(readme), unformatted(writeTables(readme)));
});

Deno.test("replaceBetween() refuses a text without its markers", () => {
  throws(() => replaceBetween("<!-- begin x -->", "x", ""), /lacks/);
  throws(() => replaceBetween("<!-- end x --><!-- begin x -->", "x", ""), /lacks/);
});
