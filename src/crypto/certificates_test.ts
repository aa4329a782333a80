import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { checkCertificates, checkPrivateKey, isPair, validityOf } from "./certificates.ts";

function pem(name: string): string {
  return Deno.readTextFileSync(`${import.meta.dirname}/../../tests/fixtures/tls/${name}.pem`);
}

Deno.test("checkCertificates() accepts one or several and names the broken one", () => {
  checkCertificates(pem("server"));
  checkCertificates(pem("server").replaceAll("\n", "\r\n"));
  checkCertificates(`A chain:\n${pem("server")}\n${pem("ca")}`);
  const broken = pem("ca").replace(/\n[A-Za-z0-9+/]{10}/, "\nAAAAAAAAAA");
  for (
    const [text, message] of [
      ["", /no certificate/],
      [pem("server-key"), /no certificate/],
      ["-----BEGIN CERTIFICATE-----\nAA==", /no certificate/],
      [broken, /certificate 1 of 1 in it cannot be read/],
      [pem("server") + broken, /certificate 2 of 2 in it cannot be read/],
    ] as const
  ) throws(() => checkCertificates(text), { name: "RangeError", message });
});

Deno.test("checkPrivateKey() distinguishes an encrypted, a missing and a broken key", () => {
  checkPrivateKey(pem("server-key"));
  for (
    const [text, message] of [
      ["", /no private key/],
      [pem("server"), /no private key/],
      [pem("encrypted-key"), /the key is encrypted: decrypt it, for example with `openssl pkey/],
      [
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n-----END EC PRIVATE KEY-----",
        /the key is encrypted/,
      ],
      [pem("server-key").replace(/\n[A-Za-z0-9+/]{10}/, "\nAAAAAAAAAA"), /cannot be read/],
    ] as const
  ) throws(() => checkPrivateKey(text), { name: "RangeError", message });
});

Deno.test("isPair() recognizes the key of a certificate", () => {
  strictEqual(isPair(pem("server"), pem("server-key")), true);
  strictEqual(isPair(pem("server"), pem("client-key")), false);
  strictEqual(isPair(pem("server") + pem("client"), pem("server-key")), true);
});

Deno.test("validityOf() reads the dates of the first certificate", () => {
  deepStrictEqual(validityOf(pem("expired") + pem("ca")), {
    from: new Date("2020-01-01T00:00:00Z"),
    to: new Date("2021-01-01T00:00:00Z"),
  });
});
