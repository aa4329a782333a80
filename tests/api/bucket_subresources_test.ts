/** Every sub-resource of a bucket: what it answers when nothing was set, and what can be put and deleted. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { formatPublicRead } from "../../src/s3/policy.ts";
import { OPERATIONS } from "../../src/operations/table.ts";
import { isSubResource } from "../../src/s3/subresources.ts";
import { parseXml, type XmlElement } from "../../src/s3/xml_reader.ts";
import { type Answer, KEPT, type Kept, type Put, UNKEPT } from "./bucket_subresources.ts";
import { assertError, createTestGateway, type TestGateway } from "./test_gateway.ts";

const ROWS = [...UNKEPT, ...KEPT];

/** Reads a document whatever its root element is. */
function parseAny(text: string): XmlElement {
  const [, name = ""] = /<([A-Za-z]+)/.exec(text) ?? [];
  return parseXml(text, name);
}

async function assertAnswer(response: Response, expected: Answer, request: string): Promise<void> {
  if ("code" in expected) {
    await assertError(response, expected.status, expected.code);
    return;
  }
  const text = await response.text();
  strictEqual(response.status, expected.status, `${request}: ${text}`);
  strictEqual(response.headers.get("content-type"), "application/xml", request);
  deepStrictEqual(parseAny(text), parseAny(expected.root), `${request}: ${text}`);
  match(text, /^<\?xml[^>]*>\n<\w+ xmlns="http:\/\/s3\.amazonaws\.com\/doc\/2006-03-01\/">/);
}

async function assertPut(response: Response, { answer }: Put, request: string): Promise<void> {
  const { status, code } = answer;
  if (code !== undefined) return void await assertError(response, status, code);
  strictEqual(response.status, status, request);
  strictEqual(await response.text(), "", request);
}

Deno.test("every sub-resource of a bucket has a row", () => {
  const ofBuckets = OPERATIONS.filter(({ on }) => on === "bucket")
    .flatMap(({ query = [] }) => query.filter((name) => isSubResource(name)));
  const rows = ROWS.map(({ query }) => query.split("&")[0] ?? "");
  deepStrictEqual([...new Set(rows)].sort(), [...new Set(ofBuckets)].sort());
});

for (const { query, get, puts, delete: deletion } of UNKEPT) {
  Deno.test(`?${query} answers as when it was never set, and keeps nothing`, async () => {
    const { send } = await createTestGateway();
    const read = async (): Promise<void> =>
      await assertAnswer(await send("GET", `/bucket?${query}`), get, `GET ?${query}`);
    await read();
    for (const put of puts) {
      const { body = "", headers = {} } = put;
      const request = `PUT ?${query} ${body}`;
      await assertPut(await send("PUT", `/bucket?${query}`, { body, headers }), put, request);
      await read();
    }
    const request = `DELETE ?${query}`;
    const answer = { answer: deletion };
    await assertPut(await send("DELETE", `/bucket?${query}`), answer, request);
    await read();
    await assertMissing({ send, query, get, deletes: deletion.status !== 405 });
  });
}

/** Asserts that every method asks whether the bucket exists, and whose it is, if the gateway has the operation. */
async function assertMissing(
  { send, query, get, deletes }: Pick<TestGateway, "send"> & Pick<Kept, "query" | "get"> & {
    readonly deletes: boolean;
  },
): Promise<void> {
  const isSupported = get.status === 200 || get.status === 404;
  for (const method of isSupported ? deletes ? ["GET", "DELETE"] : ["GET"] : []) {
    await assertError(await send(method, `/missing?${query}`), 404, "NoSuchBucket");
    const headers = { "x-amz-expected-bucket-owner": "bob" };
    await assertError(await send(method, `/bucket?${query}`, { headers }), 403, "AccessDenied");
    const anonymous = await send(method, `/bucket?${query}`, { anonymous: true });
    await assertError(anonymous, 403, "AccessDenied");
  }
}

for (const row of KEPT) {
  Deno.test(`?${row.query} is kept until it is put again or reset`, async () => {
    const { query, get, valid, invalid, reset } = row;
    const { send, ok } = await createTestGateway();
    const target = `/bucket?${query}`;
    const read = async (): Promise<string> => await (await ok("GET", target)).text();
    await assertAnswer(await send("GET", target), get, target);
    await ok("PUT", target, { body: valid });
    strictEqual(await read(), valid);
    const foreign = valid.replace(/^<\w+/, '$& xmlns="urn:other"');
    const all = foreign === valid ? invalid : [...invalid, [foreign, "MalformedXML"] as const];
    for (const [body, code] of all) {
      await assertError(await send("PUT", target, { body }), 400, code);
      strictEqual(await read(), valid);
    }
    const makeReset = async (): Promise<void> => {
      if (reset === "DELETE") await ok("DELETE", target);
      else await ok("PUT", target, { body: reset.put });
    };
    await makeReset();
    const isCleared = reset === "DELETE" || reset.clears === true;
    if (isCleared) await assertAnswer(await send("GET", target), get, target);
    else strictEqual(await read(), reset.put);
    await makeReset();

    await ok("PUT", target, { body: valid });
    await ok("DELETE", "/bucket");
    await ok("PUT", "/bucket");
    await assertAnswer(await send("GET", target), get, target);
    await assertMissing({ send, query, get, deletes: reset === "DELETE" });
    // A policy names its bucket.
    const body = query === "policy" ? formatPublicRead("missing") : valid;
    const missing = await send("PUT", `/missing?${query}`, { body });
    await assertError(missing, 404, "NoSuchBucket");
  });
}

Deno.test("GetBucketEncryption tells that JetStream encrypts if the operator says so", async () => {
  const { ok, send } = await createTestGateway({ encryptionAtRest: true });
  const read = async (): Promise<void> =>
    await assertAnswer(await send("GET", "/bucket?encryption"), {
      status: 200,
      root: "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>" +
        "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>" +
        "<BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>",
    }, "GET ?encryption");
  await read();
  strictEqual((await ok("DELETE", "/bucket?encryption")).status, 204);
  await read();
});
