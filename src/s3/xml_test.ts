import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { formatXml, XmlElements } from "./xml.ts";
import { childrenOf, parseXml } from "./xml_reader.ts";

Deno.test("formatXml() writes dates, lists and characters that XML cannot contain", () => {
  strictEqual(
    formatXml(
      "R",
      { At: new Date(999), K: ["a\r\n", "\u0001", "\uffff", " "], None: [], No: false },
      "",
    ),
    '<?xml version="1.0" encoding="UTF-8"?>\n<R><At>1970-01-01T00:00:00.000Z</At>' +
      "<K>a&#xD;\n</K><K>&#x1;</K><K>&#xFFFF;</K><K> </K><No>false</No></R>",
  );
});

Deno.test("formatXml() writes elements of several names in their order", () => {
  const elements = new XmlElements([["A", 1], ["B", { C: "&" }], ["A", [2, 3]], ["D", undefined]]);
  const expected = "<A>1</A><B><C>&amp;</C></B><A>2</A><A>3</A>";
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  const text = formatXml("R", { First: "", Elements: elements, Last: "" }, "");
  strictEqual(text, `${declaration}<R><First></First>${expected}<Last></Last></R>`);
  strictEqual(formatXml("R", elements, ""), `${declaration}<R>${expected}</R>`);
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
