/** Locks of versions: headers of writes, the default of the bucket, PutObjectRetention and PutObjectLegalHold. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { optionalTextOf, textOf } from "../../src/s3/xml_reader.ts";
import { completion, createUpload, uploadPart } from "./multipart_steps.ts";
import {
  assertError,
  contentMD5,
  createTestGateway,
  NOW,
  readXml,
  type Send,
  type TestGateway,
} from "./test_gateway.ts";
import {
  createLocked,
  document,
  idOf,
  mark,
  put,
  setVersioning,
  UNKNOWN,
} from "./version_steps.ts";

const KEY = "/locked/key";
const DAY = 24 * 60 * 60 * 1000;
const MODE = "x-amz-object-lock-mode";
const UNTIL = "x-amz-object-lock-retain-until-date";
const HOLD = "x-amz-object-lock-legal-hold";
const PARTS_MD5 = { "content-md5": contentMD5("parts") };
const BYPASS = { "x-amz-bypass-governance-retention": "true" };

/** Returns the time this many days after the gateway's. */
function inDays(days: number): string {
  return new Date(NOW.getTime() + days * DAY).toISOString();
}

function retention(mode: string, until: string): string {
  return `<Retention><Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`;
}

function hold(status: string): string {
  return `<LegalHold><Status>${status}</Status></LegalHold>`;
}

async function createLockedGateway(): Promise<TestGateway> {
  const gateway = await createTestGateway();
  await createLocked(gateway);
  return gateway;
}

/** Returns the locks of a version as HeadObject shows them. */
async function locksOf(
  { ok }: Pick<TestGateway, "ok">,
  target = KEY,
): Promise<readonly (string | null)[]> {
  const { headers } = await ok("HEAD", target);
  return [MODE, UNTIL, HOLD].map((name) => headers.get(name));
}

async function setDefault({ ok }: Pick<TestGateway, "ok">, content: string): Promise<void> {
  const rule = content === "" ? "" : `<Rule><DefaultRetention>${content}</DefaultRetention></Rule>`;
  await ok(
    "PUT",
    "/locked?object-lock",
    document(
      `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${rule}` +
        "</ObjectLockConfiguration>",
    ),
  );
}

Deno.test("every write may state locks, which reads show and nobody gets past", async () => {
  const gateway = await createLockedGateway();
  const { ok, send } = gateway;
  const locks = { [MODE]: "COMPLIANCE", [UNTIL]: inDays(1), [HOLD]: "ON" };
  const writes: readonly (() => Promise<string>)[] = [
    () => put(gateway, "x", locks, KEY),
    async () => {
      const headers = { ...locks, "x-amz-copy-source": "locked/key" };
      return idOf(await ok("PUT", "/locked/copy", { headers }));
    },
    async () => {
      const uploadId = await createUpload(gateway, locks, "/locked/parts");
      const etag = await uploadPart(gateway, uploadId, 1, "parts", PARTS_MD5, "/locked/parts");
      const body = completion([[1, etag]]);
      return idOf(await ok("POST", `/locked/parts?uploadId=${uploadId}`, { body }));
    },
  ];
  for (const [i, key] of ["key", "copy", "parts"].entries()) {
    const id = await writes[i]?.();
    const target = `/locked/${key}`;
    deepStrictEqual(await locksOf(gateway, target), ["COMPLIANCE", inDays(1), "ON"], key);
    await ok("PUT", target, document("newer"));
    await mark(gateway, target);
    for (const headers of [{}, BYPASS]) {
      const refused = await send("DELETE", `${target}?versionId=${id}`, { headers });
      const error = await assertError(refused, 403, "AccessDenied");
      strictEqual(
        textOf(error, "Message"),
        "Access Denied because object protected by object lock.",
      );
    }
    deepStrictEqual(await locksOf(gateway, `${target}?versionId=${id}`), [
      "COMPLIANCE",
      inDays(1),
      "ON",
    ]);
    await ok("PUT", target, document("newest"));
  }
});

Deno.test("headers that state no proper lock are refused, and nothing is written", async () => {
  const gateway = await createLockedGateway();
  const { ok, send } = gateway;
  await ok("PUT", "/bucket/source", { body: "x" });
  const both =
    "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
  const iso = "The retain until date must be provided in ISO 8601 format";
  const past = "The retain until date must be in the future!";
  const rows: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ [MODE]: "GOVERNANCE" }, both],
    [{ [UNTIL]: inDays(1) }, both],
    [{ [MODE]: "governance", [UNTIL]: inDays(1) }, "Unknown wormMode directive."],
    [{ [MODE]: "GOVERNANCE", [UNTIL]: "tomorrow" }, iso],
    [{ [MODE]: "GOVERNANCE", [UNTIL]: "Thu, 01 Jan 2032 00:00:00 GMT" }, iso],
    [{ [MODE]: "GOVERNANCE", [UNTIL]: "2032-13-01T00:00:00Z" }, iso],
    [{ [MODE]: "GOVERNANCE", [UNTIL]: inDays(-1) }, past],
    [{ [MODE]: "COMPLIANCE", [UNTIL]: NOW.toISOString() }, past],
    [{ [HOLD]: "on" }, "Legal Hold must be either of 'ON' or 'OFF'"],
  ];
  for (const [headers, message] of rows) {
    const requests: readonly (readonly [string, string, Send])[] = [
      ["PUT", KEY, document("x", headers)],
      ["PUT", KEY, { headers: { ...headers, "x-amz-copy-source": "bucket/source" } }],
      ["POST", `${KEY}?uploads`, { headers }],
    ];
    for (const [method, target, request] of requests) {
      // The date of an upload is compared when the upload becomes an object.
      if (method === "POST" && message === past) continue;
      const error = await assertError(await send(method, target, request), 400, "InvalidArgument");
      strictEqual(textOf(error, "Message"), message, JSON.stringify(headers));
    }
    strictEqual((await send("HEAD", KEY)).status, 404);
  }
});

Deno.test("locks need a bucket with object lock", async () => {
  const gateway = await createTestGateway();
  const { ok, send } = gateway;
  await setVersioning(gateway, "Enabled");
  const id = await put(gateway, "x");
  const message = "Bucket is missing Object Lock Configuration";
  const headers = { [HOLD]: "ON" };
  const requests: readonly (readonly [string, string, Send])[] = [
    ["PUT", "/bucket/new", document("x", headers)],
    ["PUT", "/bucket/new", { headers: { ...headers, "x-amz-copy-source": "bucket/key" } }],
    ["POST", "/bucket/new?uploads", { headers }],
    ["PUT", "/bucket/key?retention", document(retention("GOVERNANCE", inDays(1)))],
    ["PUT", `/bucket/key?retention&versionId=${id}`, document("<Retention/>")],
    ["PUT", "/bucket/key?legal-hold", document(hold("ON"))],
    ["GET", "/bucket/key?retention", {}],
    ["GET", "/bucket/key?legal-hold", {}],
  ];
  for (const [method, target, request] of requests) {
    const error = await assertError(await send(method, target, request), 400, "InvalidRequest");
    strictEqual(textOf(error, "Message"), message, `${method} ${target}`);
  }
  strictEqual((await send("HEAD", "/bucket/new")).status, 404);
  for (const [method, target] of [["DELETE", "/bucket/key"], ["POST", "/bucket?delete"]] as const) {
    const request = method === "DELETE"
      ? { headers: BYPASS }
      : document("<Delete><Object><Key>key</Key></Object></Delete>", BYPASS);
    const error = await assertError(await send(method, target, request), 400, "InvalidArgument");
    strictEqual(textOf(error, "ArgumentName"), "x-amz-bypass-governance-retention");
  }
  await ok("HEAD", "/bucket/key");
});

Deno.test("PutObject with a lock needs a hash, and a caller with a signature", async () => {
  const gateway = await createLockedGateway();
  const { ok, send } = gateway;
  const locks: readonly Readonly<Record<string, string>>[] = [
    { [MODE]: "GOVERNANCE", [UNTIL]: inDays(1) },
    { [HOLD]: "ON" },
    { [HOLD]: "OFF" },
  ];
  await ok("PUT", "/locked/free", { body: "x" });
  const refused = async (headers: Readonly<Record<string, string>>): Promise<void> => {
    const error = await assertError(
      await send("PUT", KEY, { body: "x", headers }),
      400,
      "InvalidRequest",
    );
    strictEqual(
      textOf(error, "Message"),
      "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    );
    strictEqual((await send("HEAD", KEY)).status, 404);
  };
  for (const headers of locks) await refused(headers);
  await setDefault(gateway, "<Mode>GOVERNANCE</Mode><Days>1</Days>");
  await refused({});
  const policy = JSON.stringify({
    Statement: {
      Effect: "Allow",
      Principal: "*",
      Action: ["s3:PutObject"],
      Resource: "arn:aws:s3:::locked/*",
    },
  });
  await ok("PUT", "/locked?policy", { body: policy });
  const anonymous = await send("PUT", KEY, { ...document("x"), anonymous: true });
  const error = await assertError(anonymous, 400, "InvalidArgument");
  strictEqual(textOf(error, "ArgumentName"), "Authorization");
  strictEqual((await send("HEAD", KEY)).status, 404);
  const checksum = { "x-amz-checksum-crc32": "jNlS9Q==" };
  const wrong = await send("PUT", KEY, { body: "x", headers: checksum });
  await assertError(wrong, 400, "BadDigest");
  await ok("PUT", KEY, { body: "x", headers: { "x-amz-checksum-crc32": "jNwWgw==" } });
});

Deno.test("the bucket's default applies to writes that state no retention", async () => {
  const gateway = await createLockedGateway();
  const { ok } = gateway;
  const before = await put(gateway, "before", {}, KEY);
  const rows: readonly (readonly [content: string, mode: string, days: number])[] = [
    ["<Mode>GOVERNANCE</Mode><Days>2</Days>", "GOVERNANCE", 2],
    ["<Mode>COMPLIANCE</Mode><Years>1</Years>", "COMPLIANCE", 365],
  ];
  for (const [content, mode, days] of rows) {
    await setDefault(gateway, content);
    await put(gateway, "x", {}, KEY);
    deepStrictEqual(await locksOf(gateway), [mode, inDays(days), null]);
    await put(gateway, "x", { [HOLD]: "ON" }, "/locked/held");
    deepStrictEqual(await locksOf(gateway, "/locked/held"), [mode, inDays(days), "ON"]);
    const stated = { [MODE]: "GOVERNANCE", [UNTIL]: inDays(1) };
    await put(gateway, "x", stated, "/locked/stated");
    deepStrictEqual(await locksOf(gateway, "/locked/stated"), ["GOVERNANCE", inDays(1), null]);
    await ok("PUT", "/locked/copy", { headers: { "x-amz-copy-source": "locked/held" } });
    deepStrictEqual(await locksOf(gateway, "/locked/copy"), [mode, inDays(days), null]);
    const uploadId = await createUpload(gateway, {}, "/locked/parts");
    const etag = await uploadPart(gateway, uploadId, 1, "parts", PARTS_MD5, "/locked/parts");
    await ok("POST", `/locked/parts?uploadId=${uploadId}`, { body: completion([[1, etag]]) });
    deepStrictEqual(await locksOf(gateway, "/locked/parts"), [mode, inDays(days), null]);
  }
  deepStrictEqual(await locksOf(gateway, `${KEY}?versionId=${before}`), [null, null, null]);
  await setDefault(gateway, "");
  await put(gateway, "x", {}, "/locked/after");
  deepStrictEqual(await locksOf(gateway, "/locked/after"), [null, null, null]);
});

/** A change of retention and its answer; `held` is what the version has before. */
type Change = readonly [
  held: readonly [mode: string, days: number],
  body: string,
  bypass: boolean,
  answer: "changed" | "refused",
];

Deno.test("retention may be extended, in mode GOVERNANCE with the bypass also be shortened and removed", async () => {
  const governance = ["GOVERNANCE", 10] as const;
  const compliance = ["COMPLIANCE", 10] as const;
  const rows: readonly Change[] = [
    [governance, retention("GOVERNANCE", inDays(11)), false, "changed"],
    [governance, retention("GOVERNANCE", inDays(9)), false, "refused"],
    [governance, retention("GOVERNANCE", inDays(9)), true, "changed"],
    [governance, retention("COMPLIANCE", inDays(9)), false, "refused"],
    [governance, retention("COMPLIANCE", inDays(11)), true, "changed"],
    [governance, "<Retention/>", false, "refused"],
    [governance, "<Retention/>", true, "changed"],
    [compliance, retention("COMPLIANCE", inDays(11)), false, "changed"],
    [compliance, retention("COMPLIANCE", inDays(9)), false, "refused"],
    [compliance, retention("COMPLIANCE", inDays(9)), true, "refused"],
    [compliance, retention("GOVERNANCE", inDays(11)), true, "refused"],
    [compliance, "<Retention/>", true, "refused"],
  ];
  for (const [[mode, days], body, bypass, answer] of rows) {
    const gateway = await createLockedGateway();
    const held = { [MODE]: mode, [UNTIL]: inDays(days) };
    const id = await put(gateway, "x", held, KEY);
    const newer = await put(gateway, "newer", {}, KEY);
    const target = `${KEY}?retention&versionId=${id}`;
    const request = document(body, bypass ? BYPASS : {});
    const response = await gateway.send("PUT", target, request);
    if (answer === "changed") {
      strictEqual(response.status, 200, `${mode} ${body} ${bypass}`);
      strictEqual(idOf(response), id);
    } else await assertError(response, 403, "AccessDenied");
    const read = await gateway.send("GET", target);
    const expected = answer === "changed" ? body : retention(mode, inDays(days));
    if (expected === "<Retention/>") strictEqual(read.status, 404);
    else match(await read.text(), new RegExp(expected.slice("<Retention>".length)));
    deepStrictEqual(await locksOf(gateway, `${KEY}?versionId=${newer}`), [null, null, null]);
  }
});

Deno.test("documents that state no proper lock are refused, and nothing changes", async () => {
  const gateway = await createLockedGateway();
  const { send } = gateway;
  await put(gateway, "x", { [MODE]: "GOVERNANCE", [UNTIL]: inDays(5) }, KEY);
  const marker = await mark(gateway, "/locked/marked");
  const before = await locksOf(gateway);
  const past = retention("GOVERNANCE", inDays(-1));
  const rows: readonly (readonly [string, string, number, string, Send?])[] = [
    ["key?retention", "", 400, "MalformedXML"],
    ["key?retention", retention("governance", inDays(6)), 400, "MalformedXML"],
    ["key?retention", retention("GOVERNANCE", "tomorrow"), 400, "MalformedXML"],
    ["key?retention", "<Retention><Mode>GOVERNANCE</Mode></Retention>", 400, "MalformedXML"],
    [
      "key?retention",
      `<Retention><RetainUntilDate>${inDays(6)}</RetainUntilDate></Retention>`,
      400,
      "MalformedXML",
    ],
    ["key?retention", past, 400, "InvalidArgument"],
    ["key?retention", past, 400, "InvalidArgument", { headers: BYPASS }],
    ["key?retention", hold("ON"), 400, "MalformedXML"],
    ["key?legal-hold", hold("on"), 400, "MalformedXML"],
    ["key?legal-hold", "<LegalHold/>", 400, "MalformedXML"],
    ["missing?legal-hold", hold("ON"), 404, "NoSuchKey"],
    ["missing?retention", retention("GOVERNANCE", inDays(6)), 404, "NoSuchKey"],
    [`key?legal-hold&versionId=${UNKNOWN}`, hold("ON"), 404, "NoSuchVersion"],
    ["key?legal-hold&versionId=x", hold("ON"), 400, "InvalidArgument"],
    [`marked?legal-hold&versionId=${marker}`, hold("ON"), 405, "MethodNotAllowed"],
    ["marked?legal-hold", hold("ON"), 404, "NoSuchKey"],
  ];
  for (const [target, body, status, code, more] of rows) {
    const request = document(body, more?.headers);
    await assertError(await send("PUT", `/locked/${target}`, request), status, code);
    deepStrictEqual(await locksOf(gateway), before, `${target} ${body}`);
  }
  for (const [query, body] of [["retention", "<Retention/>"], ["legal-hold", hold("ON")]]) {
    const request = { body: body ?? "", headers: BYPASS };
    await assertError(await send("PUT", `${KEY}?${query}`, request), 400, "InvalidRequest");
    deepStrictEqual(await locksOf(gateway), before);
  }
});

Deno.test("a version is removed by its id only when nothing locks it, or by the bypass", async () => {
  const gateway = await createLockedGateway();
  const { ok, send } = gateway;
  const id = await put(gateway, "x", { [MODE]: "GOVERNANCE", [UNTIL]: inDays(1) }, KEY);
  const target = `${KEY}?versionId=${id}`;
  const body = `<Delete><Object><Key>key</Key><VersionId>${id}</VersionId></Object></Delete>`;
  const erase = async (headers: Readonly<Record<string, string>> = {}): Promise<string> => {
    const answer = await ok("POST", "/locked?delete", document(body, headers));
    const [element] = (await readXml(answer, "DeleteResult")).children;
    return element === undefined ? "" : optionalTextOf(element, "Code") ?? element.name;
  };
  await assertError(await send("DELETE", target), 403, "AccessDenied");
  const no = { "x-amz-bypass-governance-retention": "false" };
  await assertError(await send("DELETE", target, { headers: no }), 403, "AccessDenied");
  strictEqual(await erase(), "AccessDenied");

  strictEqual(idOf(await ok("PUT", `${KEY}?legal-hold`, document(hold("ON")))), id);
  await assertError(await send("DELETE", target, { headers: BYPASS }), 403, "AccessDenied");
  strictEqual(await erase(BYPASS), "AccessDenied");
  await ok("PUT", `${KEY}?legal-hold`, document(hold("OFF")));
  const off = await readXml(await ok("GET", `${KEY}?legal-hold`), "LegalHold");
  strictEqual(textOf(off, "Status"), "OFF");
  for (const method of ["GET", "HEAD"] as const) {
    strictEqual((await ok(method, KEY)).headers.get(HOLD), "OFF");
  }

  const root = await readXml(await ok("GET", `${KEY}?retention`), "Retention");
  deepStrictEqual([textOf(root, "Mode"), textOf(root, "RetainUntilDate")], [
    "GOVERNANCE",
    inDays(1),
  ]);
  strictEqual(await erase(BYPASS), "Deleted");
  strictEqual((await send("HEAD", KEY)).status, 404);
  const second = await put(gateway, "x", { [MODE]: "GOVERNANCE", [UNTIL]: inDays(1) }, KEY);
  await ok("DELETE", `${KEY}?versionId=${second}`, { headers: BYPASS });
  strictEqual((await send("HEAD", KEY)).status, 404);
});

Deno.test("an object without a lock in a bucket with object lock has no configuration", async () => {
  const gateway = await createLockedGateway();
  await put(gateway, "x", {}, KEY);
  for (const query of ["retention", "legal-hold"]) {
    const response = await gateway.send("GET", `${KEY}?${query}`);
    await assertError(response, 404, "NoSuchObjectLockConfiguration");
  }
});
