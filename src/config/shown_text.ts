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
 * strictEqual(shown("nats://ann:secret@localhost"), ' "nats://…@localhost"');
 * ```
 */
export function shown(text: string): string {
  return looksSecret(text) ? "" : ` "${withoutUser(text)}"`;
}

/**
 * Returns whether a text may be a secret: JSON, PEM, an NKey seed, a token, or several words, as a passphrase has. A path
 * with a blank is not shown either.
 */
export function looksSecret(text: string): boolean {
  return text.length > MAX_SHOWN || /[\s{}"]|-----|S[UANCOX][A-Z2-7]{20}/.test(text) ||
    /^ey[\w-]+\.[\w-]+/.test(text);
}

/** Replaces the user and the password of URLs. */
function withoutUser(text: string): string {
  return text.split(",").map((url) => {
    const scheme = url.indexOf("://");
    const at = url.lastIndexOf("@");
    return scheme === -1 || at < scheme ? url : `${url.slice(0, scheme)}://…${url.slice(at)}`;
  }).join(",");
}
