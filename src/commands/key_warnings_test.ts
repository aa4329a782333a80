import { strictEqual } from "node:assert/strict";
import { configuredPair, parseCredentials } from "../auth/configured_keys.ts";
import { ConfiguredCredentials } from "../auth/credentials.ts";
import { warnOfKeys } from "./key_warnings.ts";

const ACCOUNT = "000000000000";

Deno.test("warnOfKeys() warns of a document in which no entry says whose key it is", () => {
  const document = (said: object): ReturnType<typeof parseCredentials> =>
    parseCredentials(
      JSON.stringify({ credentials: [{ accessKey: "a", secretKey: "s", ...said }] }),
    );
  for (
    const [keys, isIsolated, warnings] of [
      [document({}), false, 1],
      [document({ admin: true }), false, 0],
      [document({}), true, 0],
      [configuredPair("a", "s"), false, 0],
    ] as const
  ) {
    let found = 0;
    const credentials = new ConfiguredCredentials(keys, { account: ACCOUNT, isIsolated });
    warnOfKeys({ credentials }, { warn: () => found++ });
    strictEqual(found, warnings);
  }
});
