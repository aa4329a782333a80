import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { childrenOf, formatXml, optionalTextOf, parseXml, textOf } from "./xml.ts";

Deno.test("parseXml() keeps values as text, untrimmed", () => {
  for (
    const [xml, text] of [
      ["<R><K>007</K></R>", "007"],
      ["<R><K>true</K></R>", "true"],
      ["<R><K> a </K></R>", " a "],
      ["<R><K></K></R>", ""],
      ["<R><K/></R>", ""],
      ["<R><K>&amp;lt;</K></R>", "&lt;"],
      ["<R><K>&#x41;&#66;&#13;&#x1;</K></R>", "AB\r\u0001"],
      ["<R><K>&#128512;</K></R>", "😀"],
      ["<R><K><![CDATA[<&amp;>]]>x</K></R>", "<&amp;>x"],
      ["<R><K>a<!-- no -->b</K></R>", "ab"],
      ["<R><K>a<!-- <![CDATA[ --><![CDATA[<!-- ]]>b</K></R>", "a<!-- b"],
      ["<R><K>1</K></R><!-- end -->", "1"],
      [`<R><K>${"<!---->".repeat(10_000)}1</K></R>`, "1"],
      ['<?xml version="1.0"?>\n<R xmlns="urn:x"><K>1</K></R>\n', "1"],
      ['<s:R xmlns:s="urn:x"><s:K>1</s:K></s:R>', "1"],
      ["\ufeff<R><K>é</K></R>", "é"],
    ]
  ) strictEqual(textOf(parseXml(xml as string, "R"), "K"), text, xml);
});

Deno.test("parseXml() refuses what is not a document", () => {
  for (
    const xml of [
      "",
      "text",
      "<R>",
      "<R><K></R></K>",
      "<R/>text",
      "<R/><R/>",
      "<Other/>",
      "<!DOCTYPE R><R/>",
      '<!DOCTYPE R [<!ENTITY a "b">]><R>&a;</R>',
      "<R><K>&a;</K></R>",
      "<R><K>a & b</K></R>",
      "<R><K>&#xD800;</K></R>",
      "<R><K>&#99999999;</K></R>",
      "<R><K>\u0001</K></R>",
      "{}",
      "<R><K>1</K><!-- </R>",
      "<R><K><![CDATA[1</K></R>",
      "<R><K>1</K></R><!-->",
      "<R><<!-- -->!DOCTYPE></R>",
    ]
  ) throws(() => parseXml(xml, "R"), { code: "MalformedXML" }, xml);
});

Deno.test("parseXml() refuses 8 MiB of sections that do not end", () => {
  for (
    const unit of ["<!--", "<![CDATA[", "<!-- -- ", "<![CDATA[]] ", "<!", "<![CDATA[<!--", "<!--\r"]
  ) {
    const long = unit.repeat(8 * 1024 * 1024 / unit.length);
    throws(() => parseXml(`<R>${long}</R>`, "R"), { code: "MalformedXML" }, unit);
  }
});

Deno.test("parseXml() refuses a document of more tags than its caller expects", () => {
  const document = (count: number): string =>
    `<R>${"<A><!-- <B/> --><![CDATA[<B/>]]></A>".repeat(count)}<C/></R>`;
  strictEqual(childrenOf(parseXml(document(3), "R", 9), "A").length, 3);
  throws(() => parseXml(document(3), "R", 8), { code: "MalformedXML" });
  strictEqual(childrenOf(parseXml(document(100_000), "R"), "A").length, 100_000);
});

Deno.test("childrenOf() gives an array for any number", () => {
  const root = parseXml("<R><A>1</A><B/><A>2</A></R>", "R");
  deepStrictEqual(childrenOf(root, "A").map(({ text }) => text), ["1", "2"]);
  strictEqual(childrenOf(root, "B").length, 1);
  strictEqual(childrenOf(root, "C").length, 0);
});

Deno.test("textOf() wants exactly one", () => {
  const root = parseXml("<R><A>1</A><A>2</A><B><C/></B></R>", "R");
  throws(() => textOf(root, "A"), { code: "MalformedXML" });
  throws(() => textOf(root, "B"), { code: "MalformedXML" });
  throws(() => textOf(root, "C"), { code: "MalformedXML" });
  strictEqual(optionalTextOf(root, "C"), undefined);
});

Deno.test("formatXml() writes dates, lists and what XML cannot hold", () => {
  strictEqual(
    formatXml(
      "R",
      { At: new Date(0), K: ["a\r\n", "\u0001", "\uffff", " "], None: [], No: false },
      "",
    ),
    '<?xml version="1.0" encoding="UTF-8"?>\n<R><At>1970-01-01T00:00:00.000Z</At>' +
      "<K>a&#xD;\n</K><K>&#x1;</K><K>&#xFFFF;</K><K> </K><No>false</No></R>",
  );
});

Deno.test("formatXml() and parseXml() round-trip any text", () => {
  const texts = [
    "",
    " ",
    "\r\n\t",
    "&<>\"'",
    "\u0001\u001f\u007f\u0085\u2028\ufffe\uffff",
    "😀",
    "&#13;",
    "]]>",
  ];
  const root = parseXml(formatXml("R", { K: texts }), "R");
  deepStrictEqual(childrenOf(root, "K").map(({ text }) => text), texts);
});
