/**
 * Keys that path handling, escaping, normalisation or subject names would change.
 * @module
 */

/** Each must come back as it went in. */
export const WEIRD_KEYS: readonly string[] = [
  "a//b",
  "a/../b",
  "./x",
  "..",
  ".",
  "foo%2Fbar",
  "foo%2fbar",
  "+",
  "%",
  " ",
  " a b ",
  "\u00e9",
  "e\u0301",
  "😀",
  "\"double\" and 'single'",
  "&<>",
  "&amp;",
  "\u0001\u001f",
  "\t\r\n",
  "\u007f\u0085\u2028\ufffe\uffff",
  "x".repeat(1024),
  "é".repeat(512),
  "trailing/",
  "/leading",
  "//",
  "*",
  ">",
  "$O.x.M.>",
  "a.b.c",
  "a?b=c&d#e",
  "back\\slash",
  "007",
  "true",
  "__proto__",
  "constructor",
];
