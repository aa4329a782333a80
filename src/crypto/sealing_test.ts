import { Buffer } from "node:buffer";
import {
  deepStrictEqual,
  doesNotMatch,
  match,
  notStrictEqual,
  strictEqual,
  throws,
} from "node:assert/strict";
import { keyIdOf, parseSealingKeys, Sealing } from "./sealing.ts";

const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");

Deno.test("parseSealingKeys() reads keys with and without an id, newest first", () => {
  const keys = parseSealingKeys(` new:${key(1)} , ${key(2)}\n`);
  deepStrictEqual(keys.map(({ id }) => id), ["new", "75877bb4"]);
  deepStrictEqual(keys.map(({ bytes }) => [...bytes].at(0)), [1, 2]);
});

Deno.test("parseSealingKeys() refuses what is not a list of keys, and does not repeat it", () => {
  for (
    const [text, message] of [
      ["", /key 1 is not/],
      [`${key(1)},`, /key 2 is not/],
      [Buffer.alloc(31, 1).toString("base64"), /key 1 is not/],
      [Buffer.alloc(33, 1).toString("base64"), /key 1 is not/],
      [`${key(1).slice(0, -2)}%=`, /key 1 is not/],
      [`a b:${key(1)}`, /the id of key 1/],
      [`:${key(1)}`, /the id of key 1/],
      [`a:${key(1)},a:${key(2)}`, /two of its keys/],
      [`${key(1)},${key(1)}`, /two of its keys/],
    ] as const
  ) {
    throws(() => parseSealingKeys(text), (error: Error) => {
      doesNotMatch(error.message, /AQEB/);
      return message.test(error.message);
    });
  }
});

Deno.test("Sealing opens what it sealed, and nothing else", () => {
  const sealing = new Sealing(parseSealingKeys(key(1)));
  const sealed = sealing.seal("secret é", "AKIA1");
  match(sealed, /^72cd6e84:[A-Za-z0-9_-]+$/);
  doesNotMatch(Buffer.from(sealed.slice(9), "base64url").toString("latin1"), /secret/);
  strictEqual(sealing.open(sealed, "AKIA1"), "secret é");
  notStrictEqual(sealing.seal("secret é", "AKIA1"), sealed, "the nonce is random");

  strictEqual(sealing.open(sealed, "AKIA2"), undefined, "of another access key");
  strictEqual(new Sealing(parseSealingKeys(`72cd6e84:${key(2)}`)).open(sealed, "AKIA1"), undefined);
  strictEqual(new Sealing(parseSealingKeys(key(2))).open(sealed, "AKIA1"), undefined);
  const bytes = Buffer.from(sealed.slice(9), "base64url");
  for (const [i] of bytes.entries()) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] ?? 0) ^ 1;
    const text = `72cd6e84:${changed.toString("base64url")}`;
    strictEqual(sealing.open(text, "AKIA1"), undefined, `byte ${i}`);
  }
  for (const text of ["", ":", "72cd6e84:", "72cd6e84:AAAA", "constructor:AAAA", sealed.slice(9)]) {
    strictEqual(sealing.open(text, "AKIA1"), undefined, text);
  }
});

Deno.test("Sealing seals under the newest key and opens what older ones sealed", () => {
  const [old, rotated] = [`old:${key(1)}`, `new:${key(2)},old:${key(1)}`].map((text) =>
    new Sealing(parseSealingKeys(text))
  );
  const sealed = old?.seal("s", "a") ?? "";
  strictEqual(rotated?.open(sealed, "a"), "s");
  strictEqual(rotated?.isNewest(sealed), false);
  strictEqual(keyIdOf(rotated?.seal("s", "a") ?? ""), "new");
});
