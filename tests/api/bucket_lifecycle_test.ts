/** The lifecycle configuration of a bucket, and the headers that say what expires. */

import { deepStrictEqual, ok as assert, strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import {
  assertError,
  createTestGateway,
  NOW,
  readXml,
  type Send,
  type TestGateway,
} from "./test_gateway.ts";
import { document, put, setVersioning } from "./version_steps.ts";

const TARGET = "/bucket?lifecycle";
const SIZE = "x-amz-transition-default-minimum-object-size";
const EXPIRATION = "x-amz-expiration";

function rule(id: string, filter: string, action: string, status = "Enabled"): string {
  return `<Rule><ID>${id}</ID><Filter>${filter}</Filter><Status>${status}</Status>${action}</Rule>`;
}

const DAYS = (days: number): string => `<Expiration><Days>${days}</Days></Expiration>`;
const ABORT =
  "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>";

async function putRules(
  { ok }: Pick<TestGateway, "ok">,
  rules: readonly string[],
  headers: Send["headers"] = {},
): Promise<Response> {
  const body = `<LifecycleConfiguration>${rules.join("")}</LifecycleConfiguration>`;
  return await ok("PUT", TARGET, document(body, headers));
}

function expiration({ headers }: Response): string | null {
  return headers.get(EXPIRATION);
}

/** Returns the header that a rule of some days gives to an object that was written at the time of the tests. */
function expected(id: string, days: number): string {
  const at = new Date(`${NOW.toISOString().slice(0, 10)}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days + 1);
  return `expiry-date="${at.toUTCString()}", rule-id="${id}"`;
}

Deno.test("a configuration is returned as it was put, with its header, until it is deleted", async () => {
  const gateway = await createTestGateway();
  const { send, ok } = gateway;
  await assertError(await send("GET", TARGET), 404, "NoSuchLifecycleConfiguration");
  const rules = [
    rule("a", "<Prefix>logs/</Prefix>", DAYS(30)),
    rule("b", "", ABORT, "Disabled"),
    `<Rule><ID>c</ID><Prefix>old/</Prefix><Status>Enabled</Status>${DAYS(1)}</Rule>`,
  ];
  for (
    const [stated, size] of [
      [{}, "all_storage_classes_128K"],
      [{ [SIZE]: "varies_by_storage_class" }, "varies_by_storage_class"],
    ] as const
  ) {
    strictEqual((await putRules(gateway, rules, stated)).headers.get(SIZE), size);
    const response = await ok("GET", TARGET);
    strictEqual(response.headers.get(SIZE), size);
    const text = await response.text();
    strictEqual(
      text.slice(text.indexOf("<Rule>")),
      `${rules.join("")}</LifecycleConfiguration>`,
    );
    assert(text.includes("<LifecycleConfiguration xmlns="), text);
  }
  strictEqual((await ok("DELETE", TARGET)).status, 204);
  strictEqual((await ok("DELETE", TARGET)).status, 204);
  await assertError(await send("GET", TARGET), 404, "NoSuchLifecycleConfiguration");
});

Deno.test("a rule without an id keeps the one that it gets", async () => {
  const gateway = await createTestGateway();
  await putRules(gateway, [rule("", "", DAYS(1))]);
  const ids = [];
  for (let i = 0; i < 2; i++) {
    const root = await readXml(await gateway.ok("GET", TARGET), "LifecycleConfiguration");
    const [element] = root.children;
    assert(element !== undefined);
    ids.push(textOf(element, "ID"));
  }
  assert(ids[0] !== "");
  strictEqual(ids[0], ids[1]);
});

Deno.test("an invalid configuration changes nothing", async () => {
  const gateway = await createTestGateway();
  const { send, ok } = gateway;
  await putRules(gateway, [rule("kept", "", DAYS(1))]);
  const before = await (await ok("GET", TARGET)).text();
  const rows: readonly (readonly [
    rules: string,
    status: number,
    code: string,
    headers?: Readonly<Record<string, string>>,
  ])[] = [
    ["", 400, "MalformedXML"],
    [rule("a", "", ""), 400, "InvalidRequest"],
    [rule("a", "", DAYS(0)), 400, "InvalidArgument"],
    [rule("a", "", DAYS(1)) + rule("a", "", DAYS(2)), 400, "InvalidArgument"],
    [
      rule("a", "", "<Expiration><Date>2030-01-01T10:00:00Z</Date></Expiration>"),
      400,
      "InvalidArgument",
    ],
    [rule("a", "", `${DAYS(3)}<Transition/>`), 501, "NotImplemented"],
    [rule("a", "", DAYS(1)), 400, "InvalidRequest", { [SIZE]: "none" }],
    [rule("a", "", DAYS(1)), 400, "BadDigest", { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" }],
    [
      Array.from(
        { length: 900 },
        (_, n) => rule(`${n}`, `<Prefix>${"p".repeat(600)}</Prefix>`, DAYS(1)),
      ).join(""),
      400,
      "MaxMessageLengthExceeded",
    ],
  ];
  for (const [rules, status, code, headers] of rows) {
    const body = `<LifecycleConfiguration>${rules}</LifecycleConfiguration>`;
    await assertError(await send("PUT", TARGET, document(body, headers)), status, code);
    strictEqual(await (await ok("GET", TARGET)).text(), before, code);
  }
});

Deno.test("a thousand rules of ordinary length are kept", async () => {
  const gateway = await createTestGateway();
  const rules = Array.from({ length: 1000 }, (_, n) =>
    rule(
      `expire reports of customer ${n}`,
      `<Prefix>reports/customer-${n}/</Prefix>`,
      `${DAYS(30)}${ABORT}`,
    ));
  await putRules(gateway, rules);
  const root = await readXml(await gateway.ok("GET", TARGET), "LifecycleConfiguration");
  strictEqual(root.children.length, 1000);
});

Deno.test("answers about the current version say when it expires, and by which rule", async () => {
  const gateway = await createTestGateway();
  const { ok } = gateway;
  await putRules(gateway, [
    rule("slow", "", DAYS(10)),
    rule("tagged", "<Tag><Key>a</Key><Value>1</Value></Tag>", DAYS(3)),
    rule("big", "<ObjectSizeGreaterThan>9</ObjectSizeGreaterThan>", DAYS(2)),
    rule("off", "", DAYS(1), "Disabled"),
  ]);
  const rows = [
    ["small", "1", {}, "slow", 10],
    ["tagged", "1", { "x-amz-tagging": "a=1" }, "tagged", 3],
    ["big", "0123456789", { "x-amz-tagging": "a=1" }, "big", 2],
  ] as const;
  for (const [key, body, headers, id, days] of rows) {
    const target = `/bucket/${key}`;
    const written = await ok("PUT", target, { body, headers });
    const value = expected(id, days);
    deepStrictEqual([key, expiration(written)], [key, value]);
    strictEqual(expiration(await ok("GET", target)), value);
    strictEqual(expiration(await ok("HEAD", target)), value);
    strictEqual(expiration(await ok("GET", target, { headers: { range: "bytes=0-0" } })), value);
    const copy = `/bucket/copy-${key}`;
    const copied = await ok("PUT", copy, { headers: { "x-amz-copy-source": target } });
    strictEqual(expiration(copied), value);
  }
  await ok("DELETE", TARGET);
  for (const method of ["GET", "HEAD", "PUT"]) {
    strictEqual(expiration(await ok(method, "/bucket/small")), null, method);
  }
});

Deno.test("a version that a request names has no header, because it may not be current", async () => {
  const gateway = await createTestGateway();
  await setVersioning(gateway, "Enabled");
  await putRules(gateway, [rule("a", "", DAYS(1))]);
  const id = await put(gateway, "1");
  assert(expiration(await gateway.ok("GET", "/bucket/key")) !== null);
  strictEqual(expiration(await gateway.ok("GET", `/bucket/key?versionId=${id}`)), null);
  strictEqual(expiration(await gateway.ok("HEAD", `/bucket/key?versionId=${id}`)), null);
});

Deno.test("answers about an upload say when it is aborted, and that about its end when the object expires", async () => {
  const gateway = await createTestGateway();
  const { ok } = gateway;
  await putRules(gateway, [
    rule("abort me", "<Prefix>up/</Prefix>", ABORT),
    rule("expire", "", DAYS(4)),
  ]);
  const facts = ({ headers }: Response): readonly (string | null)[] =>
    ["x-amz-abort-date", "x-amz-abort-rule-id"].map((name) => headers.get(name));
  const begin = async (key: string): Promise<readonly [Response, string]> => {
    const response = await ok("POST", `/bucket/${key}?uploads`);
    const root = await readXml(response.clone(), "InitiateMultipartUploadResult");
    return [response, textOf(root, "UploadId")];
  };
  const [begun, id] = await begin("up/key");
  const [date, ruleId] = facts(begun);
  strictEqual(ruleId, "abort%20me");
  strictEqual(date, "Thu, 09 May 2024 00:00:00 GMT");
  deepStrictEqual(facts(await ok("GET", `/bucket/up/key?uploadId=${id}`)), [date, ruleId]);
  const [other, otherId] = await begin("other");
  deepStrictEqual(facts(other), [null, null]);
  deepStrictEqual(facts(await ok("GET", `/bucket/other?uploadId=${otherId}`)), [null, null]);

  const part = await ok("PUT", `/bucket/up/key?partNumber=1&uploadId=${id}`, { body: "1" });
  const body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" +
    `<ETag>${part.headers.get("etag")}</ETag></Part></CompleteMultipartUpload>`;
  const completed = await ok("POST", `/bucket/up/key?uploadId=${id}`, { body });
  strictEqual(expiration(completed), expected("expire", 4));
});

Deno.test("a configuration that nobody can read takes no answer away", async () => {
  const gateway = await createTestGateway();
  const { ok, send, store } = gateway;
  await store.putDocument("bucket" as never, "lifecycle", "not XML");
  await ok("PUT", "/bucket/key", { body: "1" });
  strictEqual(expiration(await ok("GET", "/bucket/key")), null);
  await ok("POST", "/bucket/key?uploads");
  await assertError(await send("GET", TARGET), 500, "InternalError");
  await putRules(gateway, [rule("a", "", DAYS(1))]);
  assert(expiration(await ok("GET", "/bucket/key")) !== null);
});
