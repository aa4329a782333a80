/**
 * Explains why TLS with a NATS server fails, in words that say what to do.
 *
 * The runtime's errors have no codes, and those of node:tls hold back facts, so this module matches their texts and shows
 * them beside the explanation. Only the log depends on it.
 * @module
 */

const EXPLANATIONS: readonly (readonly [sign: RegExp, explanation: string])[] = [
  [
    /UnknownIssuer|UNABLE_TO_|SELF_SIGNED/,
    "No trusted authority issued the server's certificate, or it has expired: --nats.tls-ca names authorities",
  ],
  [/Expired/, "The server's certificate has expired"],
  [
    /not valid for name|ALTNAME/,
    "The server's certificate is for other names: connect by a name or an address in it",
  ],
  [
    /server does not support 'tls'/,
    "The server has no TLS, which tls:// and the settings --nats.tls-* demand",
  ],
  [
    /InvalidContentType|WRONG_VERSION_NUMBER/,
    "The server does not begin with TLS, as --nats.tls-first demands",
  ],
  [
    /demands a client certificate|CertificateRequired/,
    "The server demands a client certificate: set --nats.tls-cert and --nats.tls-key",
  ],
  [
    /before it said anything/,
    "The server says nothing: if it has handshake_first, set --nats.tls-first",
  ],
  [
    /after TLS had begun|fatal alert|ALERT/,
    "The server refuses TLS with us: perhaps it demands another client certificate",
  ],
];

/**
 * Explains an error of a connection; returns undefined for an error that has nothing to do with TLS.
 *
 * @example Usage
 * ```ts
 * import { explainTls } from "./tls_errors.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(
 *   explainTls(new Error("invalid peer certificate: Expired")),
 *   "The server's certificate has expired (invalid peer certificate: Expired)",
 * );
 * strictEqual(explainTls(new Error("connection refused")), undefined);
 * ```
 */
export function explainTls(cause: Error & { readonly code?: unknown }): string | undefined {
  const text = `${cause.message} ${cause.code}`;
  const found = EXPLANATIONS.find(([sign]) => sign.test(text));
  return found && `${found[1]} (${cause.message.trim()})`;
}
