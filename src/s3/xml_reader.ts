/**
 * Reads XML. The only user of fast-xml-parser.
 * See https://www.w3.org/TR/xml/
 *
 * Reading is strict: a document is well-formed and has no DOCTYPE, or it is `MalformedXML`. Values stay text and
 * untrimmed: `007`, `true` and ` a ` are keys. The root element is in no namespace or in one of AWS's.
 *
 * As on AWS, numeric references may stand for characters that XML 1.0 cannot contain. See `xml.ts`, which writes them.
 * @module
 */

import { XMLParser, XMLValidator } from "fast-xml-parser";
import { S3Error } from "./errors.ts";
import { rootNamespace } from "./xml_namespace.ts";

/** An element of a document. */
export type XmlElement = {
  /** Without its namespace's prefix. */
  readonly name: string;
  /** Its own text, with decoded references. */
  readonly text: string;
  readonly children: readonly XmlElement[];
};

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  // We decode references: CDATA contains none, and the parser does not know the numeric ones.
  processEntities: false,
  cdataPropName: "#cdata",
});

/** The namespaces of S3's documents, today's and the one of old clients, and that of S3 Control's. */
const NAMESPACES: ReadonlySet<string> = new Set([
  "http://s3.amazonaws.com/doc/2006-03-01/",
  "http://s3.amazonaws.com/doc/2006-03-01",
  "http://doc.s3.amazonaws.com/2006-03-01/",
  "http://doc.s3.amazonaws.com/2006-03-01",
  "http://awss3control.amazonaws.com/doc/2018-08-20/",
]);

/** Characters that a document may contain only as references. */
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/**
 * Parses a document whose root element has this name.
 *
 * @param maxTags Maximum number of tags. They are counted before the rest, which takes seconds for a million tags.
 * @throws S3Error `MalformedXML`
 *
 * @example Usage
 * ```ts
 * import { childrenOf, parseXml, textOf } from "./xml_reader.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const root = parseXml("<Delete><Object><Key> a&#13; </Key></Object></Delete>", "Delete");
 * deepStrictEqual(childrenOf(root, "Object").map((object) => textOf(object, "Key")), [" a\r "]);
 * ```
 */
export function parseXml(text: string, root: string, maxTags: number = Infinity): XmlElement {
  const document = text.replace(/^\ufeff/, "");
  const markup = withoutSections(document);
  // A remaining `<!` declares a document type or is broken. Check the end, because the parser drops text after the root.
  const broken = markup.includes("<!") || !markup.trimEnd().endsWith(">");
  if (
    broken || hasMoreTags(markup, maxTags) || FORBIDDEN.test(document) ||
    XMLValidator.validate(document) !== true
  ) {
    throw new S3Error("MalformedXML");
  }
  const namespace = rootNamespace(markup);
  if (namespace && !NAMESPACES.has(namespace)) throw new S3Error("MalformedXML");
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

/** The beginnings and ends of comments and CDATA sections. */
const SECTIONS = [["<!--", "-->"], ["<![CDATA[", "]]>"]] as const;

/**
 * Returns the document without comments and CDATA sections. It stops at a `<!` that begins neither, or that never ends.
 *
 * It is one scan, because a regular expression would search for the end of each section again: 160 KB of `<!--` took
 * six seconds.
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

/** A node in the parser's own shape: an object whose only key is the element's name. */
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

/** References by name, with their delimiters. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&quot;", '"'],
  ["&apos;", "'"],
]);
/** A reference, or the beginning of something else. It captures nothing: a document may hold a million. */
const REFERENCE = /&(?:amp|lt|gt|quot|apos|#x[0-9a-fA-F]{1,8}|#[0-9]{1,8});|&/g;

function decodeReferences(text: string): string {
  return text.replace(REFERENCE, (reference) => NAMED.get(reference) ?? decodeNumber(reference));
}

/** Decodes `&#65;` or `&#x41;`. */
function decodeNumber(reference: string): string {
  const [start, radix] = reference.startsWith("&#x") ? [3, 16] : [2, 10];
  const point = parseInt(reference.slice(start, -1), radix);
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  if (Number.isNaN(point) || point > 0x10ffff || surrogate) throw new S3Error("MalformedXML");
  return String.fromCodePoint(point);
}

/** Returns the child elements with a name, in order. */
export function childrenOf(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/**
 * Returns the text of the only child with a name, or undefined if there is none.
 *
 * @throws S3Error `MalformedXML` for several such children, or for one that contains elements
 */
export function optionalTextOf(element: XmlElement, name: string): string | undefined {
  const [child, ...others] = childrenOf(element, name);
  if (others.length > 0 || (child?.children.length ?? 0) > 0) throw new S3Error("MalformedXML");
  return child?.text;
}

/**
 * Returns the text of the only child with a name.
 *
 * @throws S3Error `MalformedXML` unless there is exactly one such child
 */
export function textOf(element: XmlElement, name: string): string {
  const text = optionalTextOf(element, name);
  if (text === undefined) throw new S3Error("MalformedXML");
  return text;
}
