/** CreateBucket with object lock, GetObjectLockConfiguration and PutObjectLockConfiguration. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { optionalTextOf, textOf } from "../../src/s3/xml_reader.ts";
import {
  assertError,
  contentMD5,
  createTestGateway,
  readXml,
  type TestGateway,
  textsAt,
} from "./test_gateway.ts";
import { createLocked, document, setVersioning } from "./version_steps.ts";

const TARGET = "/bucket?object-lock";
const ENABLED = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>";

function configuration(content: string): string {
  return `<ObjectLockConfiguration>${content}</ObjectLockConfiguration>`;
}

function withDefault(content: string): string {
  return configuration(
    `${ENABLED}<Rule><DefaultRetention>${content}</DefaultRetention></Rule>`,
  );
}

const ONE_DAY = withDefault("<Mode>GOVERNANCE</Mode><Days>1</Days>");

/** Returns the mode, the days and the years of the default retention; undefined without object lock. */
async function stateOf(
  { send }: Pick<TestGateway, "send">,
  target = TARGET,
): Promise<readonly string[] | undefined> {
  const response = await send("GET", target);
  if (response.status !== 200) {
    await assertError(response, 404, "ObjectLockConfigurationNotFoundError");
    return undefined;
  }
  const root = await readXml(response, "ObjectLockConfiguration");
  strictEqual(textOf(root, "ObjectLockEnabled"), "Enabled");
  return ["Mode", "Days", "Years"].map((name) =>
    textsAt(root, "Rule", "DefaultRetention", name).join()
  );
}

Deno.test("CreateBucket with object lock enables versioning, and the lock without a default", async () => {
  const gateway = await createTestGateway();
  const { ok, send } = gateway;
  await createLocked(gateway);
  deepStrictEqual(await stateOf(gateway, "/locked?object-lock"), ["", "", ""]);
  const root = await readXml(await ok("GET", "/locked?versioning"), "VersioningConfiguration");
  strictEqual(optionalTextOf(root, "Status"), "Enabled");
  for (const value of ["yes", "", "1"]) {
    const headers = { "x-amz-bucket-object-lock-enabled": value };
    await assertError(await send("PUT", "/other", { headers }), 400, "InvalidArgument");
    await assertError(await send("GET", "/other?versioning"), 404, "NoSuchBucket");
  }
});

Deno.test("CreateBucket of your own bucket with object lock succeeds only if the bucket has it", async () => {
  const gateway = await createTestGateway();
  await createLocked(gateway);
  await createLocked(gateway);
  const headers = { "x-amz-bucket-object-lock-enabled": "true" };
  const refused = await gateway.send("PUT", "/bucket", { headers });
  await assertError(refused, 409, "BucketAlreadyOwnedByYou");
  strictEqual(await stateOf(gateway), undefined);
  await gateway.ok("PUT", "/bucket");
});

Deno.test("PutObjectLockConfiguration needs versioning, and then keeps what was put", async () => {
  const gateway = await createTestGateway();
  const { ok, send } = gateway;
  const refused = async (): Promise<void> => {
    const error = await assertError(
      await send("PUT", TARGET, document(ONE_DAY)),
      409,
      "InvalidBucketState",
    );
    strictEqual(
      textOf(error, "Message"),
      "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
    );
    strictEqual(await stateOf(gateway), undefined);
  };
  await refused();
  await setVersioning(gateway, "Suspended");
  await refused();
  await setVersioning(gateway, "Enabled");
  const rows: readonly (readonly [string, readonly string[]])[] = [
    [configuration(ENABLED), ["", "", ""]],
    [ONE_DAY, ["GOVERNANCE", "1", ""]],
    [withDefault("<Mode>COMPLIANCE</Mode><Years>100</Years>"), ["COMPLIANCE", "", "100"]],
    [withDefault("<Mode>COMPLIANCE</Mode><Days>36500</Days>"), ["COMPLIANCE", "36500", ""]],
    [configuration(ENABLED), ["", "", ""]],
  ];
  for (const [body, expected] of rows) {
    await ok("PUT", TARGET, document(body));
    deepStrictEqual(await stateOf(gateway), expected);
  }
  await assertError(await send("DELETE", TARGET), 405, "MethodNotAllowed");
  await assertError(
    await send("PUT", "/missing?object-lock", document(ONE_DAY)),
    404,
    "NoSuchBucket",
  );
  await assertError(await send("GET", "/missing?object-lock"), 404, "NoSuchBucket");
});

Deno.test("PutObjectLockConfiguration refuses what Amazon refuses, and changes nothing", async () => {
  const gateway = await createTestGateway();
  const { send } = gateway;
  const mode = "<Mode>GOVERNANCE</Mode>";
  const positive = "Default retention period must be a positive integer value.";
  const large = "Default retention period too large.";
  const rows: readonly (readonly [body: string, code: string, message?: string])[] = [
    ["", "MalformedXML"],
    [configuration(""), "MalformedXML"],
    [configuration("<ObjectLockEnabled>Disabled</ObjectLockEnabled>"), "MalformedXML"],
    [configuration(`${ENABLED}<Rule/>`), "MalformedXML"],
    [configuration(`${ENABLED}<Rule><DefaultRetention/></Rule>`), "MalformedXML"],
    [ONE_DAY.replace("</Rule>", "</Rule><Rule/>"), "MalformedXML"],
    [ONE_DAY.replace(ENABLED, ""), "MalformedXML"],
    [withDefault(mode), "MalformedXML"],
    [withDefault("<Days>1</Days>"), "MalformedXML"],
    [withDefault("<Mode>governance</Mode><Days>1</Days>"), "MalformedXML"],
    [withDefault(`${mode}<Days>1</Days><Years>1</Years>`), "MalformedXML"],
    [withDefault(`${mode}<Days>1</Days><Days>1</Days>`), "MalformedXML"],
    [withDefault(`${mode}<Days>one</Days>`), "MalformedXML"],
    [withDefault(`${mode}<Days>1.5</Days>`), "MalformedXML"],
    [withDefault(`${mode}<Days></Days>`), "MalformedXML"],
    [withDefault(`${mode}<Days>0</Days>`), "InvalidArgument", positive],
    [withDefault(`${mode}<Days>-1</Days>`), "InvalidArgument", positive],
    [withDefault(`${mode}<Years>0</Years>`), "InvalidArgument", positive],
    [withDefault(`${mode}<Days>36501</Days>`), "InvalidArgument", large],
    [withDefault(`${mode}<Years>101</Years>`), "InvalidArgument", large],
  ];
  await setVersioning(gateway, "Enabled");
  for (const isLocked of [false, true]) {
    if (isLocked) await gateway.ok("PUT", TARGET, document(ONE_DAY));
    const before = await stateOf(gateway);
    for (const [body, code, message] of rows) {
      const error = await assertError(await send("PUT", TARGET, document(body)), 400, code);
      if (message !== undefined) strictEqual(textOf(error, "Message"), message);
      deepStrictEqual(await stateOf(gateway), before, body);
    }
    const other = configuration(ENABLED);
    const bare = await assertError(
      await send("PUT", TARGET, { body: other }),
      400,
      "InvalidRequest",
    );
    strictEqual(
      textOf(bare, "Message"),
      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    );
    const wrong = { body: other, headers: { "content-md5": contentMD5("x") } };
    await assertError(await send("PUT", TARGET, wrong), 400, "BadDigest");
    deepStrictEqual(await stateOf(gateway), before);
  }
});

Deno.test("a configuration that nobody can read lets nobody write", async () => {
  const gateway = await createTestGateway();
  await createLocked(gateway);
  const texts = [
    "",
    "null",
    "[]",
    '{"default":1}',
    '{"default":{"mode":"GOVERNANCE"}}',
    '{"default":{"mode":"WORM","days":1}}',
    '{"default":{"mode":"GOVERNANCE","days":0}}',
    '{"default":{"mode":"GOVERNANCE","days":1,"years":1}}',
  ];
  for (const text of texts) {
    await gateway.store.putDocument("locked" as never, "objectLock", text);
    for (const [method, target] of [["GET", "/locked?object-lock"], ["PUT", "/locked/key"]]) {
      const response = await gateway.send(
        method ?? "",
        target ?? "",
        method === "PUT" ? { body: "x" } : {},
      );
      await assertError(response, 500, "InternalError");
    }
  }
});
