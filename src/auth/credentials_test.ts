import { deepStrictEqual, doesNotMatch, throws } from "node:assert/strict";
import { createCredentials, parseCredentials } from "./credentials.ts";

Deno.test("createCredentials() knows one pair", () => {
  const credentials = createCredentials("a", "secret");
  deepStrictEqual(credentials.secretsOf("a"), ["secret"]);
  deepStrictEqual(credentials.secretsOf("A"), []);
  deepStrictEqual(credentials.secretsOf("constructor"), []);
});

Deno.test("parseCredentials() gives an access key that is named twice two secrets", () => {
  const credentials = parseCredentials(JSON.stringify({
    credentials: [
      { accessKey: "a", secretKey: "old" },
      { accessKey: "b", secretKey: "other" },
      { accessKey: "a", secretKey: "new" },
    ],
  }));
  deepStrictEqual(credentials.secretsOf("a"), ["old", "new"]);
  deepStrictEqual(credentials.secretsOf("b"), ["other"]);
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
  ];
  for (const [text, message] of cases) {
    throws(() => parseCredentials(text), (error: Error) => {
      doesNotMatch(Deno.inspect(error), /hush/);
      return message.test(error.message);
    }, text);
  }
});
