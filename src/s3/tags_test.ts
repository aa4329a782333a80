import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  BUCKET_TAGS,
  formatTagging,
  OBJECT_TAGS,
  parseTagging,
  parseTags,
  parseTagSet,
  type TagRules,
} from "./tags.ts";
import { childrenOf, parseXml } from "./xml_reader.ts";

Deno.test("parseTagging() decodes", () => {
  deepStrictEqual(parseTagging(""), {});
  deepStrictEqual(parseTagging("&&"), {});
  deepStrictEqual(parseTagging("k=&x=a%2Bb"), { k: "", x: "a+b" });
  deepStrictEqual(parseTagging("k&"), { k: "" });
  deepStrictEqual(Object.entries(parseTagging("__proto__=1&Key=2&key=3")), [
    ["__proto__", "1"],
    ["Key", "2"],
    ["key", "3"],
  ]);
});

Deno.test("parseTagging() rejects the tags that AWS rejects", () => {
  const many = Array.from({ length: 11 }, (_, i) => `k${i}=v`).join("&");
  const rows: [string, string][] = [
    [many, "BadRequest"],
    ["a=1&a=2", "InvalidArgument"],
    ["a=1&%61=2", "InvalidArgument"],
    ["a=%zz", "InvalidArgument"],
    ["=", "InvalidArgument"],
    ["=v", "InvalidArgument"],
    ["aws:x=v", "InvalidTag"],
    ["AWS:x=v", "InvalidTag"],
    [`${"k".repeat(129)}=v`, "InvalidTag"],
    [`k=${"v".repeat(257)}`, "InvalidTag"],
    ["k=%3C%3E", "InvalidTag"],
  ];
  for (const [header, code] of rows) throws(() => parseTagging(header), { code }, header);
});

const tag = (key: string, value: string): string =>
  `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
const document = (...tags: string[]): string =>
  `<Tagging><TagSet>${tags.join("")}</TagSet></Tagging>`;
const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => tag(`k${i}`, "v"));

Deno.test("parseTagSet() reads a document", () => {
  const read = (text: string): [string, string][] => [...parseTagSet(text, OBJECT_TAGS)];

  deepStrictEqual(read(document()), []);
  deepStrictEqual(read("<Tagging><TagSet/></Tagging>"), []);
  deepStrictEqual(read(document(tag(" a ", ""), tag("A", "&#x3b1; +-=._:/@1"))), [
    [" a ", ""],
    ["A", "α +-=._:/@1"],
  ]);
  deepStrictEqual(
    read(
      `<?xml version="1.0"?>\n<t:Tagging xmlns:t="http://s3.amazonaws.com/doc/2006-03-01/">\n <t:TagSet>\n  <t:Tag>\n <t:Value>1</t:Value><t:Key>b</t:Key></t:Tag></t:TagSet></t:Tagging>`,
    ),
    [["b", "1"]],
  );
  strictEqual(read(document(...numbered(10))).length, 10);
  strictEqual(parseTagSet(document(...numbered(50)), BUCKET_TAGS).size, 50);
  const longest = document(tag("k".repeat(128), "é".repeat(256)));
  strictEqual(read(longest)[0]?.[1].length, 256);
});

Deno.test("parseTagSet() rejects the documents that AWS rejects", () => {
  const rows: [string, TagRules, string, Record<string, string>?][] = [
    ["", OBJECT_TAGS, "MalformedXML"],
    ["<Tagging/>", OBJECT_TAGS, "MalformedXML"],
    ["<TagSet/>", OBJECT_TAGS, "MalformedXML"],
    [document(), BUCKET_TAGS, "none"],
    ["<Tagging><TagSet/><TagSet/></Tagging>", OBJECT_TAGS, "MalformedXML"],
    ["<Tagging><TagSet/><Other/></Tagging>", OBJECT_TAGS, "MalformedXML"],
    [document("<Other/>"), OBJECT_TAGS, "MalformedXML"],
    [document("text"), OBJECT_TAGS, "MalformedXML"],
    [document("<Tag><Key>a</Key></Tag>"), OBJECT_TAGS, "MalformedXML"],
    [document("<Tag><Value>a</Value></Tag>"), OBJECT_TAGS, "MalformedXML"],
    [
      document("<Tag><Key>a</Key><Key>b</Key><Value>a</Value></Tag>"),
      OBJECT_TAGS,
      "MalformedXML",
    ],
    [
      document("<Tag><Key>a</Key><Value>a</Value><Other/></Tag>"),
      OBJECT_TAGS,
      "MalformedXML",
    ],
    [document("<Tag><Key><a/></Key><Value>a</Value></Tag>"), OBJECT_TAGS, "MalformedXML"],
    [document(...numbered(11)), OBJECT_TAGS, "BadRequest"],
    [document(...numbered(51)), BUCKET_TAGS, "BadRequest"],
    [document(tag("a", "1"), tag("a", "2")), OBJECT_TAGS, "InvalidTag", { TagKey: "a" }],
    [document(tag("", "1")), OBJECT_TAGS, "InvalidTag", { TagKey: "" }],
    [document(tag("aws:a", "1")), BUCKET_TAGS, "InvalidTag", { TagKey: "aws:a" }],
    [document(tag("Aws:a", "1")), OBJECT_TAGS, "InvalidTag", { TagKey: "Aws:a" }],
    [document(tag("a,b", "1")), OBJECT_TAGS, "InvalidTag", { TagKey: "a,b" }],
    [document(tag("k".repeat(129), "")), BUCKET_TAGS, "InvalidTag"],
    [document(tag("k", "v".repeat(257))), BUCKET_TAGS, "InvalidTag"],
    // AWS counts UTF-16: this letter is two.
    [document(tag("k", "𐐀".repeat(129))), OBJECT_TAGS, "InvalidTag"],
    [document(tag("k", "\t")), OBJECT_TAGS, "InvalidTag", { TagKey: "k", TagValue: "\t" }],
    [document(tag("k", "😀")), OBJECT_TAGS, "InvalidTag"],
  ];
  for (const [text, rules, code, fields] of rows) {
    if (code === "none") strictEqual(parseTagSet(text, rules).size, 0);
    else throws(() => parseTagSet(text, rules), { code, ...(fields && { fields }) }, text);
  }
});

Deno.test("formatTagging() sorts tags by key, and parseTags() reads any list of them", () => {
  const tags = new Map([["b", "2"], ["10", "="], ["a", ""], ["9", "x"]]);
  const text = formatTagging(tags);
  deepStrictEqual([...parseTagSet(text, OBJECT_TAGS).keys()], ["10", "9", "a", "b"]);
  const [list] = childrenOf(parseXml(text.replaceAll("TagSet", "Tags"), "Tagging"), "Tags");
  if (list === undefined) throw new Error("There is no list");
  deepStrictEqual(parseTags(list, BUCKET_TAGS), new Map([...tags].sort()));
});
