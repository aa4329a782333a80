/**
 * XML in and out. The only user of fast-xml-parser.
 * See https://www.w3.org/TR/xml/
 *
 * Reading is strict: a document is well-formed and has no DOCTYPE, or it is `MalformedXML`. Values stay text and
 * untrimmed: `007`, `true` and ` a ` are keys. Namespaces are not looked at, as AWS does not.
 *
 * Characters that XML 1.0 cannot hold are written as numeric references and read from them, as AWS does: such a
 * document is not well-formed, and the only alternative is `encoding-type=url`.
 * @module
 */

import { Buffer } from "node:buffer";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { S3Error } from "./errors.ts";

/** AWS's namespace. */
const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** What becomes an element: undefined is left out, an array is repeated, a Date is ISO 8601. */
export type XmlValue =
  | string
  | number
  | boolean
  | Date
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

/** An element that was read. */
export type XmlElement = {
  /** Without its namespace's prefix. */
  readonly name: string;
  /** Its own text, references decoded. */
  readonly text: string;
  readonly children: readonly XmlElement[];
};

/** An answer in XML, in AWS's namespace. */
export function xmlResponse(root: string, value: XmlValue, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  const text = formatXml(root, value);
  headers.set("content-type", "application/xml");
  headers.set("content-length", String(Buffer.byteLength(text)));
  return new Response(text, { ...init, headers });
}

/**
 * Writes a document.
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

/** What a document begins with. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

function formatElement(name: string, value: XmlValue): string {
  if (value === undefined) return "";
  if (isList(value)) return value.map((item) => formatElement(name, item)).join("");
  return `<${name}>${formatContent(value)}</${name}>`;
}

function formatContent(value: XmlValue): string {
  if (value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (isList(value)) throw new TypeError("Cannot write a list without the name of its elements");
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

/** A bare `\r` would be read as `\n`. */
// deno-lint-ignore no-control-regex
const TO_ESCAPE = /[&<>"\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\ufffe\uffff]/g;

function escapeXml(text: string): string {
  return text.toWellFormed().replace(
    TO_ESCAPE,
    (char) => NAMED[char] ?? `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`,
  );
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  // References are decoded here: CDATA has none, and the parser does not know the numeric ones.
  processEntities: false,
  cdataPropName: "#cdata",
});

/** Characters that only a reference can bring in. */
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/**
 * Reads a document whose root element has this name.
 *
 * @param maxTags Most tags, which are counted before anything is parsed: the rest takes seconds for a million.
 * @throws S3Error `MalformedXML`
 *
 * @example Usage
 * ```ts
 * import { childrenOf, parseXml, textOf } from "./xml.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const root = parseXml("<Delete><Object><Key> a&#13; </Key></Object></Delete>", "Delete");
 * deepStrictEqual(childrenOf(root, "Object").map((object) => textOf(object, "Key")), [" a\r "]);
 * ```
 */
export function parseXml(text: string, root: string, maxTags: number = Infinity): XmlElement {
  const document = text.replace(/^\ufeff/, "");
  const markup = withoutSections(document);
  // What is left of `<!` declares a document type, or is broken; the parser drops text after the root.
  const broken = markup.includes("<!") || !markup.trimEnd().endsWith(">");
  if (
    broken || hasMoreTags(markup, maxTags) || FORBIDDEN.test(document) ||
    XMLValidator.validate(document) !== true
  ) {
    throw new S3Error("MalformedXML");
  }
  const nodes = toNodes(parseOrdered(document));
  const [element, ...others] = nodes.filter((node) => typeof node !== "string");
  const outside = nodes.filter((node) => typeof node === "string").join("");
  if (element?.name !== root || others.length > 0 || outside.trim() !== "") {
    throw new S3Error("MalformedXML");
  }
  return element;
}

function hasMoreTags(markup: string, max: number): boolean {
  let count = 0;
  for (let start = markup.indexOf("<"); start >= 0; start = markup.indexOf("<", start + 1)) {
    if (++count > max) return true;
  }
  return false;
}

/** Comments and CDATA sections: how they begin and end. */
const SECTIONS = [["<!--", "-->"], ["<![CDATA[", "]]>"]] as const;

/**
 * Returns the document without comments and CDATA sections; it stops at a `<!` that begins neither, or never ends.
 *
 * One scan, because an expression looks for the end of each section anew: 160 KB of `<!--` took six seconds.
 */
function withoutSections(document: string): string {
  let markup = "";
  let from = 0;
  for (;;) {
    const start = document.indexOf("<!", from);
    if (start < 0) return markup + document.slice(from);
    const [begin, end] = SECTIONS.find(([begin]) => document.startsWith(begin, start)) ?? [];
    const close = begin === undefined ? -1 : document.indexOf(end, start + begin.length);
    if (begin === undefined || close < 0) return markup + document.slice(from);
    markup += document.slice(from, start);
    from = close + end.length;
  }
}

/** The parser's own shape: each node an object whose one key is the element's name. */
type OrderedNode = Readonly<Record<string, unknown>>;

function parseOrdered(document: string): readonly OrderedNode[] {
  try {
    return parser.parse(document);
  } catch (cause) {
    throw new S3Error("MalformedXML", {}, { cause });
  }
}

function toNodes(nodes: readonly OrderedNode[]): (XmlElement | string)[] {
  return nodes.map((node) => {
    const [name = "", content] = Object.entries(node)[0] ?? [];
    if (name === "#text") return decodeReferences(String(content));
    if (name === "#cdata") {
      return (content as readonly OrderedNode[]).map((node) => String(node["#text"] ?? "")).join(
        "",
      );
    }
    const inside = toNodes(content as readonly OrderedNode[]);
    return {
      name,
      text: inside.filter((node) => typeof node === "string").join(""),
      children: inside.filter((node) => typeof node !== "string"),
    };
  });
}

const REFERENCES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function decodeReferences(text: string): string {
  return text.replace(/&([^;]*;?)/g, (_, reference: string) => {
    const name = /^(\w+);$/.exec(reference)?.[1];
    if (name !== undefined && Object.hasOwn(REFERENCES, name)) return REFERENCES[name] ?? "";
    const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,8})|(\d{1,8}));$/.exec(reference) ?? [];
    const point = hex !== undefined ? parseInt(hex, 16) : Number(decimal ?? NaN);
    const surrogate = point >= 0xd800 && point <= 0xdfff;
    if (Number.isNaN(point) || point > 0x10ffff || surrogate) throw new S3Error("MalformedXML");
    return String.fromCodePoint(point);
  });
}

/** The child elements of a name, in order; none is an empty array. */
export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/**
 * Text of the only child of a name, or undefined.
 *
 * @throws S3Error `MalformedXML` when there are several, or it holds elements
 */
export function optionalTextOf(element: XmlElement, name: string): string | undefined {
  const [child, ...others] = childrenOf(element, name);
  if (others.length > 0 || (child?.children.length ?? 0) > 0) throw new S3Error("MalformedXML");
  return child?.text;
}

/**
 * Text of the only child of a name.
 *
 * @throws S3Error `MalformedXML` when there is not exactly one
 */
export function textOf(element: XmlElement, name: string): string {
  const text = optionalTextOf(element, name);
  if (text === undefined) throw new S3Error("MalformedXML");
  return text;
}
