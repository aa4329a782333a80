import { deepStrictEqual, doesNotMatch, strictEqual, throws } from "node:assert/strict";
import { type ConfiguredKeys, configuredPair, parseCredentials } from "./configured_keys.ts";

function parse(...entries: readonly unknown[]): ConfiguredKeys {
  return parseCredentials(JSON.stringify({ credentials: entries }));
}

Deno.test("parseCredentials() gives an access key that is named twice two secrets", () => {
  const { keys } = parse(
    { accessKey: "a", secretKey: "old" },
    { accessKey: "b", secretKey: "other" },
    { accessKey: "a", secretKey: "new" },
  );
  deepStrictEqual(keys.map(({ accessKeyId, secrets }) => [accessKeyId, secrets]), [
    ["a", ["old", "new"]],
    ["b", ["other"]],
  ]);
});

Deno.test("parseCredentials() isolates accounts as soon as an entry says whose key it is", () => {
  const key = { accessKey: "a", secretKey: "s" };
  const other = { accessKey: "b", secretKey: "s" };
  strictEqual(parse(key, other).isIsolated, false);
  for (const said of [{ user: "u" }, { account: "111122223333" }, { admin: false }]) {
    strictEqual(parse(key, { ...other, ...said }).isIsolated, true, JSON.stringify(said));
  }
  strictEqual(configuredPair("a", "s").isIsolated, false);
});

Deno.test("parseCredentials() reads user, account and admin", () => {
  const key = { accessKey: "a", secretKey: "s", user: "ann", account: "111122223333", admin: true };
  deepStrictEqual(parse(key).keys, [{
    accessKeyId: "a",
    secrets: ["s"],
    user: "ann",
    account: "111122223333",
    isAdmin: true,
  }]);
});

Deno.test("parseCredentials() refuses malformed documents without quoting a secret", () => {
  const entry = { accessKey: "a", secretKey: "hush" };
  const cases: [text: string, message: RegExp][] = [
    ['{"credentials":[{"accessKey":"a","secretKey":"hush"]}', /not valid JSON/],
    ["", /not valid JSON/],
    ["null", /"credentials" is not a list/],
    ["[]", /"credentials" is not a list/],
    ['{"credentials":{"accessKey":"a","secretKey":"hush"}}', /"credentials" is not a list/],
    ['{"credentials":[]}', /the list is empty/],
    ['{"credentials":[{"accessKey":"a"}]}', /"secretKey" of entry 1/],
    ['{"credentials":[{"secretKey":"hush"}]}', /"accessKey" of entry 1/],
    ['{"credentials":[{"accessKey":"a","secretKey":1}]}', /"secretKey" of entry 1/],
    ['{"credentials":[{"accessKey":"","secretKey":"hush"}]}', /"accessKey" of entry 1/],
    ['{"credentials":[null]}', /"accessKey" of entry 1/],
    [JSON.stringify({ credentials: [entry, entry, entry] }), /"a" has more than 2 secrets/],
    ...[
      [{ user: 1 }, /"user" of entry 1 is not a non-empty string/],
      [{ account: "12345" }, /"account" of entry 1 is not 12 digits/],
      [{ account: 111122223333 }, /"account" of entry 1/],
      [{ admin: "true" }, /"admin" of entry 1 is not true or false/],
    ].map(([said, message]) =>
      [JSON.stringify({ credentials: [{ ...entry, ...said }] }), message] as [string, RegExp]
    ),
    [
      JSON.stringify({ credentials: [entry, { ...entry, admin: true }] }),
      /"a" has two users, accounts or values of "admin"/,
    ],
  ];
  for (const [text, message] of cases) {
    throws(() => parseCredentials(text), (error: Error) => {
      doesNotMatch(Deno.inspect(error), /hush/);
      return message.test(error.message);
    }, text);
  }
});
