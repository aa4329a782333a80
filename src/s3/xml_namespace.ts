/**
 * The namespace of a document's root element.
 * See https://www.w3.org/TR/xml-names/
 * @module
 */

const BLANK = /\s/;

/**
 * Returns the namespace that the root element of a well-formed document is in; undefined if it declares none.
 *
 * @param markup The document without comments, whose attributes have no references that matter.
 */
export function rootNamespace(markup: string): string | undefined {
  let at = markup.indexOf("<");
  // The XML declaration and processing instructions.
  while (markup[at + 1] === "?") at = markup.indexOf("<", markup.indexOf("?>", at));
  const tag = nameAt(markup, at + 1);
  const colon = tag.indexOf(":");
  const wanted = colon < 0 ? "xmlns" : `xmlns:${tag.slice(0, colon)}`;
  at = skipBlanks(markup, at + 1 + tag.length);
  while (at < markup.length && markup[at] !== ">" && markup[at] !== "/") {
    const name = nameAt(markup, at);
    const open = skipBlanks(markup, skipBlanks(markup, at + name.length) + 1);
    const close = markup.indexOf(markup[open] ?? "", open + 1);
    if (close <= open) return undefined;
    if (name === wanted) return markup.slice(open + 1, close);
    at = skipBlanks(markup, close + 1);
  }
  return undefined;
}

function nameAt(markup: string, from: number): string {
  let end = from;
  while (end < markup.length && !isEndOfName(markup[end] as string)) end++;
  return markup.slice(from, end);
}

function isEndOfName(character: string): boolean {
  return character === "=" || character === ">" || character === "/" || BLANK.test(character);
}

function skipBlanks(markup: string, from: number): number {
  let at = from;
  while (at < markup.length && BLANK.test(markup[at] as string)) at++;
  return at;
}
