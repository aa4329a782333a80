/**
 * What a message may repeat of a setting. People put a secret where a path or an address belongs, and messages end up in
 * the logs of platforms.
 * @module
 */

/** Longest text that is shown, in characters. */
const MAX_SHOWN = 255;

/**
 * Returns a text as a message may show it: in quotes, with a blank before; "" if it looks like a secret.
 *
 * @example Usage
 * ```ts
 * import { shown } from "./shown_text.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(shown("/etc/nats-s3/key.pem"), ' "/etc/nats-s3/key.pem"');
 * strictEqual(shown('{"credentials":[]}'), "");
 * strictEqual(shown("nats://ann:secret@localhost"), "");
 * ```
 */
export function shown(text: string): string {
  return looksSecret(text) ? "" : ` "${text}"`;
}

/**
 * Returns whether a text may be a secret: JSON, PEM, an NKey seed, a token, several words, as a passphrase has, or an address
 * with a user. A path with a blank is not shown either.
 */
export function looksSecret(text: string): boolean {
  return text.length > MAX_SHOWN || /[\s{}"@]|-----|S[UANCOX][A-Z2-7]{20}/.test(text) ||
    /^ey[\w-]+\.[\w-]+/.test(text);
}

/** Returns whether a text begins like a path, or ends like the name of a file, and is no secret for sure. */
export function looksLikePath(text: string): boolean {
  return !looksSecret(text) &&
    (/^(?:\.{0,2}|~|[A-Za-z]:)[/\\]/.test(text) || /\.[a-z]{2,6}$/.test(text));
}
