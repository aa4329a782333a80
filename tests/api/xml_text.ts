/**
 * Builds the XML documents of requests.
 * @module
 */

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** Returns a document of S3; its content is text or elements. */
export function xml(name: string, ...content: readonly string[]): string {
  return `<${name} xmlns="${NAMESPACE}">${content.join("")}</${name}>`;
}

/** Returns an element; its content is text or elements. */
export function element(name: string, ...content: readonly string[]): string {
  return `<${name}>${content.join("")}</${name}>`;
}
