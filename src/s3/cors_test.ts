import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { findRule, parseCors } from "./cors.ts";
import { isS3Error } from "./errors.ts";

function configuration(...rules: readonly string[]): string {
  const elements = rules.map((rule) => `<CORSRule>${rule}</CORSRule>`).join("");
  return `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${elements}</CORSConfiguration>`;
}

const ORIGIN = "<AllowedOrigin>*</AllowedOrigin>";
const METHOD = "<AllowedMethod>GET</AllowedMethod>";

Deno.test("parseCors() reads the rules in their order", () => {
  const text = configuration(
    `<ID>a</ID><AllowedOrigin>http://a.example</AllowedOrigin><AllowedOrigin>http://*.b.example</AllowedOrigin>` +
      `<AllowedMethod>PUT</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>` +
      `<AllowedHeader>X-Amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds>`,
    ORIGIN + METHOD,
  );
  deepStrictEqual(parseCors(text), [{
    origins: ["http://a.example", "http://*.b.example"],
    methods: ["PUT", "HEAD"],
    headers: ["x-amz-*"],
    exposed: ["ETag"],
    maxAge: 3000,
  }, { origins: ["*"], methods: ["GET"], headers: [], exposed: [], maxAge: undefined }]);
});

const INVALID: readonly (readonly [code: string, text: string])[] = [
  ["MalformedXML", ""],
  ["MalformedXML", "<CORSConfiguration/>"],
  ["MalformedXML", "<Cors><CORSRule/></Cors>"],
  ["MalformedXML", configuration(ORIGIN)],
  ["MalformedXML", configuration(METHOD)],
  ["MalformedXML", configuration(`${ORIGIN}<AllowedMethod></AllowedMethod>`)],
  ["MalformedXML", configuration(`<AllowedOrigin> </AllowedOrigin>${METHOD}`)],
  ["MalformedXML", configuration(`${ORIGIN}${METHOD}<Other>1</Other>`)],
  ["MalformedXML", configuration(`${ORIGIN}${METHOD}<MaxAgeSeconds>-1</MaxAgeSeconds>`)],
  ["MalformedXML", configuration(`${ORIGIN}${METHOD}<MaxAgeSeconds>9999999999</MaxAgeSeconds>`)],
  [
    "MalformedXML",
    configuration(
      `${ORIGIN}${METHOD}<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>2</MaxAgeSeconds>`,
    ),
  ],
  ["InvalidRequest", configuration(`${ORIGIN}<AllowedMethod>PATCH</AllowedMethod>`)],
  ["InvalidRequest", configuration(`${ORIGIN}<AllowedMethod>get</AllowedMethod>`)],
  ["InvalidRequest", configuration(`${ORIGIN}<AllowedMethod>*</AllowedMethod>`)],
  ["InvalidRequest", configuration(`<AllowedOrigin>http://*.*</AllowedOrigin>${METHOD}`)],
  ["InvalidRequest", configuration(`${ORIGIN}${METHOD}<AllowedHeader>*-*</AllowedHeader>`)],
  ["InvalidRequest", configuration(`${ORIGIN}${METHOD}<ExposeHeader>x-*</ExposeHeader>`)],
  ["InvalidRequest", configuration(`${ORIGIN}${METHOD}<ExposeHeader>a b</ExposeHeader>`)],
  ["InvalidRequest", configuration(`${ORIGIN}${METHOD}<ID>${"i".repeat(256)}</ID>`)],
  ["InvalidRequest", configuration(...Array(101).fill(ORIGIN + METHOD))],
];

Deno.test("parseCors() refuses what AWS refuses", () => {
  for (const [code, text] of INVALID) {
    throws(() => parseCors(text), (cause) => isS3Error(cause) && cause.code === code, text);
  }
  strictEqual(parseCors(configuration(...Array(100).fill(ORIGIN + METHOD))).length, 100);
});

Deno.test("the first rule with the origin, the method and all headers is found", () => {
  const rules = parseCors(configuration(
    `<AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader>`,
    `<AllowedOrigin>https://a.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader>`,
    `<AllowedOrigin>ab*ba</AllowedOrigin><AllowedMethod>GET</AllowedMethod>`,
  ));
  const found = (origin: string, method: string, ...headers: readonly string[]): number => {
    const rule = findRule(rules, { origin, method, headers });
    return rule === undefined ? -1 : rules.indexOf(rule);
  };
  strictEqual(found("https://a.example.com", "PUT"), 0);
  strictEqual(found("https://a.example.com", "PUT", "x-amz-date", "content-type"), 0);
  strictEqual(found("https://a.example.com", "PUT", "authorization"), 1);
  strictEqual(found("https://b.example.com", "PUT", "authorization"), -1);
  strictEqual(found("https://a.example.com", "GET"), -1);
  strictEqual(found("https://A.example.com", "PUT"), 0); // the star stands for any text
  strictEqual(found("https://a.EXAMPLE.com", "PUT"), -1);
  strictEqual(found("https://example.com", "PUT"), -1);
  // The two ends of a pattern do not overlap.
  strictEqual(found("aba", "GET"), -1);
  strictEqual(found("abba", "GET"), 2);
});
