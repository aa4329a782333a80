/**
 * Writes XML. `xml_reader.ts` reads it.
 * See https://www.w3.org/TR/xml/
 *
 * As on AWS, characters that XML 1.0 cannot contain are written as numeric references. Such a document is not well-formed,
 * but the only alternative is `encoding-type=url`.
 * @module
 */

import { Buffer } from "node:buffer";

/** The namespace of S3. */
const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/**
 * The content of an element. An undefined value is omitted, an array repeats the element, and {@linkcode XmlElements} stand in
 * its place. A Date becomes ISO 8601 in whole seconds, as on AWS: HTTP headers show no more, and clients compare the two.
 */
export type XmlValue =
  | string
  | number
  | boolean
  | Date
  | undefined
  | XmlElements
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

/** Elements with names of their own, in their order. The name under which they stand is not written. */
export class XmlElements {
  /** Names and contents. */
  readonly list: readonly (readonly [name: string, content: XmlValue])[];

  constructor(list: XmlElements["list"]) {
    this.list = list;
  }
}

/** Returns an XML response, by default in the namespace of S3. */
export function xmlResponse(
  root: string,
  value: XmlValue,
  init: ResponseInit = {},
  namespace: string = NAMESPACE,
): Response {
  const headers = new Headers(init.headers);
  const text = formatXml(root, value, namespace);
  headers.set("content-type", "application/xml");
  headers.set("content-length", String(Buffer.byteLength(text)));
  return new Response(text, { ...init, headers });
}

/**
 * Formats a document.
 *
 * @param namespace "" for none, as in errors.
 *
 * @example Usage
 * ```ts
 * import { formatXml } from "./xml.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(
 *   formatXml("Result", { Key: "a&b", Size: 1, Next: undefined, Part: [{ N: 1 }, { N: 2 }] }, ""),
 *   '<?xml version="1.0" encoding="UTF-8"?>\n' +
 *     "<Result><Key>a&amp;b</Key><Size>1</Size><Part><N>1</N></Part><Part><N>2</N></Part></Result>",
 * );
 * ```
 */
export function formatXml(root: string, value: XmlValue, namespace: string = NAMESPACE): string {
  const attribute = namespace === "" ? "" : ` xmlns="${namespace}"`;
  return `${XML_DECLARATION}<${root}${attribute}>${formatContent(value)}</${root}>`;
}

/** The beginning of a document. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

function formatElement(name: string, value: XmlValue): string {
  if (value === undefined) return "";
  if (isList(value)) return value.map((item) => formatElement(name, item)).join("");
  if (value instanceof XmlElements) {
    return value.list.map(([own, content]) => formatElement(own, content)).join("");
  }
  return `<${name}>${formatContent(value)}</${name}>`;
}

function formatContent(value: XmlValue): string {
  if (value === undefined) return "";
  if (value instanceof Date) return `${value.toISOString().slice(0, -5)}.000Z`;
  if (isList(value)) throw new TypeError("Cannot write a list without the name of its elements");
  if (value instanceof XmlElements) return formatElement("", value);
  if (typeof value === "object") {
    return Object.entries(value).map(([name, child]) => formatElement(name, child)).join("");
  }
  return escapeXml(String(value));
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}

const NAMED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Characters to escape. They include `\r`, because a reader would turn a bare one into `\n`. */
// deno-lint-ignore no-control-regex
const TO_ESCAPE = /[&<>"\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\ufffe\uffff]/g;

function escapeXml(text: string): string {
  return text.toWellFormed().replace(
    TO_ESCAPE,
    (char) => NAMED[char] ?? `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`,
  );
}
