import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { isS3Error } from "./errors.ts";
import { findRoute, parseWebsite, redirectedPath } from "./website.ts";

const INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>";

function configuration(...elements: readonly string[]): string {
  return `<WebsiteConfiguration>${elements.join("")}</WebsiteConfiguration>`;
}

function rules(...all: readonly string[]): string {
  const elements = all.map((rule) => `<RoutingRule>${rule}</RoutingRule>`).join("");
  return configuration(INDEX, `<RoutingRules>${elements}</RoutingRules>`);
}

const TO_HOST = "<Redirect><HostName>b.example</HostName></Redirect>";

Deno.test("parseWebsite() reads documents, redirects and rules", () => {
  deepStrictEqual(
    parseWebsite(configuration(
      "<RedirectAllRequestsTo><HostName>b.example</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>",
    )),
    { kind: "redirect", host: "b.example", protocol: "https" },
  );
  deepStrictEqual(
    parseWebsite(configuration(
      INDEX,
      "<ErrorDocument><Key>errors/all.html</Key></ErrorDocument>",
      "<RoutingRules><RoutingRule><Condition><KeyPrefixEquals>docs/</KeyPrefixEquals></Condition>",
      "<Redirect><ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith></Redirect></RoutingRule>",
      "<RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>",
      "<Redirect><HostName>b.example</HostName><Protocol>http</Protocol><HttpRedirectCode>302</HttpRedirectCode>",
      "<ReplaceKeyWith>gone.html</ReplaceKeyWith></Redirect></RoutingRule></RoutingRules>",
    )),
    {
      kind: "documents",
      index: "index.html",
      error: "errors/all.html",
      rules: [{
        prefix: "docs/",
        status: undefined,
        redirect: {
          protocol: undefined,
          host: undefined,
          status: 301,
          key: { kind: "prefix", by: "documents/" },
        },
      }, {
        prefix: undefined,
        status: 404,
        redirect: {
          protocol: "http",
          host: "b.example",
          status: 302,
          key: { kind: "replaced", by: "gone.html" },
        },
      }],
    },
  );
});

const INVALID: readonly (readonly [code: string, text: string])[] = [
  ["MalformedXML", "<Website/>"],
  ["InvalidArgument", configuration()],
  ["InvalidArgument", configuration("<ErrorDocument><Key>e</Key></ErrorDocument>")],
  ["InvalidArgument", configuration("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>")],
  ["InvalidArgument", configuration("<IndexDocument><Suffix></Suffix></IndexDocument>")],
  ["MalformedXML", configuration("<IndexDocument/>")],
  ["MalformedXML", configuration(INDEX, INDEX)],
  ["MalformedXML", configuration(INDEX, "<Other/>")],
  ["InvalidArgument", configuration(INDEX, "<ErrorDocument><Key></Key></ErrorDocument>")],
  [
    "InvalidRequest",
    configuration(
      INDEX,
      "<RedirectAllRequestsTo><HostName>b.example</HostName></RedirectAllRequestsTo>",
    ),
  ],
  [
    "MalformedXML",
    configuration("<RedirectAllRequestsTo><Protocol>http</Protocol></RedirectAllRequestsTo>"),
  ],
  [
    "InvalidRequest",
    configuration(
      "<RedirectAllRequestsTo><HostName>b</HostName><Protocol>ftp</Protocol></RedirectAllRequestsTo>",
    ),
  ],
  ["MalformedXML", rules()],
  ["MalformedXML", rules("<Redirect/>")],
  ["MalformedXML", rules("<Condition><KeyPrefixEquals>a</KeyPrefixEquals></Condition>")],
  ["InvalidRequest", rules(`<Condition></Condition>${TO_HOST}`)],
  [
    "InvalidRequest",
    rules(
      `<Condition><HttpErrorCodeReturnedEquals>302</HttpErrorCodeReturnedEquals></Condition>${TO_HOST}`,
    ),
  ],
  ["InvalidRequest", rules("<Redirect><HttpRedirectCode>300</HttpRedirectCode></Redirect>")],
  ["InvalidRequest", rules("<Redirect><HttpRedirectCode>314</HttpRedirectCode></Redirect>")],
  [
    "InvalidRequest",
    rules(
      "<Redirect><ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>b</ReplaceKeyPrefixWith></Redirect>",
    ),
  ],
  ["InvalidRequest", rules(...Array(51).fill(TO_HOST))],
];

Deno.test("parseWebsite() refuses what AWS refuses", () => {
  for (const [code, text] of INVALID) {
    throws(() => parseWebsite(text), (cause) => isS3Error(cause) && cause.code === code, text);
  }
});

Deno.test("the first rule for the key and the error decides, and makes the new key", () => {
  const website = parseWebsite(rules(
    `<Condition><KeyPrefixEquals>a/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>b/</ReplaceKeyPrefixWith></Redirect>`,
    `<Condition><KeyPrefixEquals>a/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition><Redirect><ReplaceKeyWith>c</ReplaceKeyWith></Redirect>`,
    `<Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>${TO_HOST}`,
  ));
  if (website.kind !== "documents") throw new TypeError(website.kind);
  const key = (from: string, status?: number): string | undefined => {
    const rule = findRoute(website.rules, from, status);
    return rule && redirectedPath(rule, from);
  };
  strictEqual(key("a/x"), "/b/x");
  strictEqual(key("x"), undefined);
  strictEqual(key("a/x", 404), "/c");
  strictEqual(key("x", 404), "/x");
  strictEqual(key("x", 403), undefined);
});

Deno.test("a rule's text keeps its query and its fragment, and a key is encoded", () => {
  const path = (element: string, from: string): string => {
    const website = parseWebsite(rules(
      `<Condition><KeyPrefixEquals>a/</KeyPrefixEquals></Condition><Redirect>${element}</Redirect>`,
    ));
    if (website.kind !== "documents") throw new TypeError(website.kind);
    const rule = findRoute(website.rules, from, undefined);
    return rule === undefined ? "" : redirectedPath(rule, from);
  };
  const prefix = (by: string): string => `<ReplaceKeyPrefixWith>${by}</ReplaceKeyPrefixWith>`;
  strictEqual(path(prefix("resize?key="), "a/b c/d?#"), "/resize?key=b%20c/d%3F%23");
  strictEqual(path(prefix("#!/"), "a/b"), "/#!/b");
  strictEqual(path(prefix(""), "a//b.test"), "//b.test");
  const replaced = "<ReplaceKeyWith>not found?é&#13;&#10;set-cookie: a</ReplaceKeyWith>";
  strictEqual(path(replaced, "a/b"), "/not%20found?%C3%A9%0D%0Aset-cookie:%20a");
  strictEqual(path("<HostName>b.test</HostName>", "a/é%"), "/a/%C3%A9%25");
});
