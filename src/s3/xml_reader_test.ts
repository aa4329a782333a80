import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { childrenOf, optionalTextOf, parseXml, textOf } from "./xml_reader.ts";

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
      [
        '<?xml version="1.0"?>\n<R xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><K>1</K></R>\n',
        "1",
      ],
      ['<s:R xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"><s:K>1</s:K></s:R>', "1"],
      ["\ufeff<R><K>é</K></R>", "é"],
    ]
  ) strictEqual(textOf(parseXml(xml as string, "R"), "K"), text, xml);
});

Deno.test("parseXml() rejects a text that is not a document", () => {
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

Deno.test("parseXml() rejects 8 MiB of sections that do not end", () => {
  for (
    const unit of ["<!--", "<![CDATA[", "<!-- -- ", "<![CDATA[]] ", "<!", "<![CDATA[<!--", "<!--\r"]
  ) {
    const long = unit.repeat(8 * 1024 * 1024 / unit.length);
    throws(() => parseXml(`<R>${long}</R>`, "R"), { code: "MalformedXML" }, unit);
  }
});

Deno.test("parseXml() rejects a document with more tags than its caller expects", () => {
  const document = (count: number): string =>
    `<R>${"<A><!-- <B/> --><![CDATA[<B/>]]></A>".repeat(count)}<C/></R>`;
  strictEqual(childrenOf(parseXml(document(3), "R", 9), "A").length, 3);
  throws(() => parseXml(document(3), "R", 8), { code: "MalformedXML" });
  strictEqual(childrenOf(parseXml(document(100_000), "R"), "A").length, 100_000);
});

Deno.test("childrenOf() returns an array for any number", () => {
  const root = parseXml("<R><A>1</A><B/><A>2</A></R>", "R");
  deepStrictEqual(childrenOf(root, "A").map(({ text }) => text), ["1", "2"]);
  strictEqual(childrenOf(root, "B").length, 1);
  strictEqual(childrenOf(root, "C").length, 0);
});

Deno.test("textOf() requires exactly one child", () => {
  const root = parseXml("<R><A>1</A><A>2</A><B><C/></B></R>", "R");
  throws(() => textOf(root, "A"), { code: "MalformedXML" });
  throws(() => textOf(root, "B"), { code: "MalformedXML" });
  throws(() => textOf(root, "C"), { code: "MalformedXML" });
  strictEqual(optionalTextOf(root, "C"), undefined);
});

Deno.test("parseXml() accepts AWS's namespaces, or none, and refuses others", () => {
  const ours = "http://s3.amazonaws.com/doc/2006-03-01/";
  const accepted = [
    "<R/>",
    '<R xmlns=""/>',
    `<R xmlns="${ours}"/>`,
    `<?xml version="1.0"?>\n<!-- a > b -->\n<R\n  a='>' xmlns = '${ours}' ><A xmlns="urn:other"/></R>`,
    `<s3:R xmlns="urn:other" xmlns:s3="${ours}"></s3:R>`,
    '<R xmlns="http://doc.s3.amazonaws.com/2006-03-01"/>',
    '<R xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>',
  ];
  for (const text of accepted) strictEqual(parseXml(text, "R").name, "R", text);
  const refused = [
    '<R xmlns="urn:other"/>',
    `<R xmlns="${ours.toUpperCase()}"/>`,
    `<o:R xmlns="${ours}" xmlns:o="urn:other"/>`,
    `<!--<R xmlns="${ours}">--><R a="1" xmlns='urn:other'/>`,
  ];
  for (const text of refused) {
    throws(() => parseXml(text, "R"), { code: "MalformedXML" }, text);
  }
});
