import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { derivedAccount } from "../iam/derived_account.ts";
import type { Principal } from "../iam/principal.ts";
import { isS3Error } from "../s3/errors.ts";
import { configuredPair, parseCredentials } from "./configured_keys.ts";
import { ConfiguredCredentials, createCredentials, identityOf } from "./credentials.ts";

const HOME = "999900001111";
const TEAM = "111122223333";

function credentialsOf(
  entries: readonly object[],
  options: { readonly isIsolated?: boolean } = {},
): ConfiguredCredentials {
  const credentials = entries.map((entry) => ({ secretKey: "s", ...entry }));
  const keys = parseCredentials(JSON.stringify({ credentials }));
  return new ConfiguredCredentials(keys, { account: HOME, ...options });
}

function holderOf(credentials: ConfiguredCredentials, accessKeyId: string): Principal | undefined {
  return credentials.find(accessKeyId)?.principal;
}

Deno.test("createCredentials() knows one pair", () => {
  const credentials = createCredentials("a", "secret");
  deepStrictEqual(credentials.find("a")?.secrets, ["secret"]);
  strictEqual(credentials.find("A"), undefined);
  strictEqual(credentials.find("constructor"), undefined);
});

Deno.test("ConfiguredCredentials lets every key do everything if no entry says whose it is", () => {
  const credentials = credentialsOf([{ accessKey: "a" }, { accessKey: "b" }]);
  strictEqual(credentials.isIsolated, false);
  strictEqual(credentials.isSilent, true);
  for (const accessKeyId of ["a", "b"]) {
    const { account, arn, userId, isRoot, isAdmin } = holderOf(credentials, accessKeyId) ?? {};
    deepStrictEqual(
      [account, arn, userId, isRoot, isAdmin],
      [HOME, `arn:aws:iam::${HOME}:user/${accessKeyId}`, accessKeyId, true, true],
    );
  }
});

Deno.test("ConfiguredCredentials gives each user an account, and administrators all accounts", () => {
  const credentials = credentialsOf([
    { accessKey: "boss", admin: true },
    { accessKey: "team", account: TEAM },
    { accessKey: "ann-1", user: "ann" },
    { accessKey: "ann-2", user: "ann" },
    { accessKey: "bob" },
  ]);
  strictEqual(credentials.isSilent, false);
  strictEqual(credentials.hasAdministrator, true);
  const accounts = ["boss", "team", "ann-1", "ann-2", "bob"].map((accessKeyId) => {
    const { account, arn, isRoot, isAdmin } = holderOf(credentials, accessKeyId) ?? {};
    strictEqual(arn, `arn:aws:iam::${account}:root`);
    strictEqual(isRoot, true);
    return [account, isAdmin];
  });
  const [ann, bob] = [derivedAccount("ann"), derivedAccount("bob")];
  deepStrictEqual(accounts, [[HOME, true], [TEAM, false], [ann, false], [ann, false], [
    bob,
    false,
  ]]);
});

Deno.test("ConfiguredCredentials isolates silent keys where the operator says so", () => {
  const credentials = credentialsOf([{ accessKey: "a" }], { isIsolated: true });
  strictEqual(holderOf(credentials, "a")?.account, derivedAccount("a"));
  strictEqual(credentials.hasAdministrator, false);
  const pair = new ConfiguredCredentials(configuredPair("nats", "s"), {
    account: HOME,
    isIsolated: true,
  });
  strictEqual(holderOf(pair, "nats")?.isAdmin, true);
  strictEqual(holderOf(pair, "nats")?.arn, `arn:aws:iam::${HOME}:root`);
});

Deno.test("identityOf() refuses an access key that is unknown", () => {
  throws(
    () => identityOf("b", createCredentials("a", "s")),
    (error) => isS3Error(error, "InvalidAccessKeyId"),
  );
});
