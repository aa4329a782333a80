import { strictEqual, throws } from "node:assert/strict";
import { replaceBetween, TABLES, writeTables } from "../scripts/docs.ts";

/** Undoes the padding of columns and the wrapping of lines by the formatter. */
function unformatted(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/-{2,}/g, "---");
}

for (const document of Object.keys(TABLES)) {
  Deno.test(`${document} holds the tables that \`deno task docs\` writes`, async () => {
    const text = await Deno.readTextFile(`${import.meta.dirname}/../${document}`);
    strictEqual(unformatted(text), unformatted(writeTables(document, text)));
  });
}

Deno.test("replaceBetween() refuses a text without its markers", () => {
  throws(() => replaceBetween("<!-- begin x -->", "x", ""), /lacks/);
  throws(() => replaceBetween("<!-- end x --><!-- begin x -->", "x", ""), /lacks/);
});
