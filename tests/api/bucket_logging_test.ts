/** GetBucketLogging and PutBucketLogging. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createBucketAccounts } from "../../src/access/bucket_accounts.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { textOf } from "../../src/s3/xml_reader.ts";
import { assertError, createTestGateway, readXml, type TestGateway } from "./test_gateway.ts";

const ENABLED = "<TargetBucket>logs</TargetBucket><TargetPrefix>a/</TargetPrefix>";

function logging(inside: string): string {
  return '<?xml version="1.0"?>\n<BucketLoggingStatus xmlns="http://doc.s3.amazonaws.com/2006-03-01">' +
    `<LoggingEnabled>${inside}</LoggingEnabled></BucketLoggingStatus>`;
}

function format(inside: string): string {
  return logging(`${ENABLED}<TargetObjectKeyFormat>${inside}</TargetObjectKeyFormat>`);
}

async function withLogs(): Promise<TestGateway> {
  const gateway = await createTestGateway();
  await gateway.ok("PUT", "/logs");
  return gateway;
}

Deno.test("a logging configuration is returned as it was put, and an empty one ends logging", async () => {
  const { ok } = await withLogs();
  const get = () => ok("GET", "/bucket?logging");
  strictEqual((await readXml(await get(), "BucketLoggingStatus")).children.length, 0);
  const documents = [
    logging(ENABLED),
    logging(ENABLED.replace("a/", "")),
    logging(`${ENABLED}<TargetGrants/>`),
    logging("<TargetBucket>bucket</TargetBucket><TargetPrefix>itself/</TargetPrefix>"),
    format("<SimplePrefix/>"),
    format("<PartitionedPrefix/>"),
    format(
      "<PartitionedPrefix><PartitionDateSource>EventTime</PartitionDateSource></PartitionedPrefix>",
    ),
    format(
      "<PartitionedPrefix><PartitionDateSource>DeliveryTime</PartitionDateSource></PartitionedPrefix>",
    ),
  ];
  for (const body of documents) {
    strictEqual((await ok("PUT", "/bucket?logging", { body })).status, 200);
    strictEqual(await (await get()).text(), body);
  }
  await ok("PUT", "/bucket?logging", { body: "<BucketLoggingStatus/>" });
  strictEqual((await readXml(await get(), "BucketLoggingStatus")).children.length, 0);
  await ok("PUT", "/bucket?logging", { body: logging(ENABLED) });
  await ok("DELETE", "/bucket");
  await ok("PUT", "/bucket");
  strictEqual((await readXml(await get(), "BucketLoggingStatus")).children.length, 0);
});

Deno.test("a logging configuration that AWS refuses changes nothing", async () => {
  const { ok, send } = await withLogs();
  const kept = logging(ENABLED);
  await ok("PUT", "/bucket?logging", { body: kept });
  const grants = "<TargetGrants><Grant><Grantee><ID>b</ID></Grantee>" +
    "<Permission>READ</Permission></Grant></TargetGrants>";
  const source = "<PartitionDateSource>Now</PartitionDateSource>";
  for (
    const [body, code] of [
      ["", "MalformedXML"],
      ["<LoggingStatus/>", "MalformedXML"],
      ["<BucketLoggingStatus><Else/></BucketLoggingStatus>", "MalformedXML"],
      [logging(""), "MalformedXML"],
      [logging("<TargetBucket>logs</TargetBucket>"), "MalformedXML"],
      [logging("<TargetPrefix>a/</TargetPrefix>"), "MalformedXML"],
      [logging(`${ENABLED}<Else/>`), "MalformedXML"],
      [logging(`${ENABLED}<TargetPrefix>b/</TargetPrefix>`), "MalformedXML"],
      [format(""), "MalformedXML"],
      [format("<SimplePrefix/><PartitionedPrefix/>"), "MalformedXML"],
      [format("<OtherPrefix/>"), "MalformedXML"],
      [format(`<PartitionedPrefix>${source}</PartitionedPrefix>`), "MalformedXML"],
      [format("<PartitionedPrefix><Else/></PartitionedPrefix>"), "MalformedXML"],
      [logging(ENABLED + grants), "AccessControlListNotSupported"],
      [logging(ENABLED.replace("logs", "missing")), "InvalidTargetBucketForLogging"],
      [logging(ENABLED.replace("logs", "arn:aws:s3:::logs")), "InvalidTargetBucketForLogging"],
      [logging(ENABLED.replace("a/", "a".repeat(1000))), "KeyTooLongError"],
    ] as const
  ) await assertError(await send("PUT", "/bucket?logging", { body }), 400, code);
  strictEqual(await (await ok("GET", "/bucket?logging")).text(), kept);
  await assertError(await send("GET", "/missing?logging"), 404, "NoSuchBucket");
  await assertError(await send("PUT", "/missing?logging", { body: kept }), 404, "NoSuchBucket");
});

Deno.test("the target bucket has the same owner, and errors name it", async () => {
  const { store, send } = await createTestGateway();
  await store.createBucket("logs" as BucketName, "somebody");
  const put = async (body: string): Promise<readonly string[]> => {
    const response = await send("PUT", "/bucket?logging", { body });
    const error = await assertError(response, 400, "InvalidTargetBucketForLogging");
    return [textOf(error, "Message"), textOf(error, "TargetBucket")];
  };
  deepStrictEqual(await put(logging(ENABLED)), [
    "The owner for the bucket to be logged and the target bucket must be the same.",
    "logs",
  ]);
  deepStrictEqual(await put(logging(ENABLED.replace("logs", "missing"))), [
    "The target bucket for logging does not exist",
    "missing",
  ]);
});

Deno.test("where accounts are isolated, source and target belong to one account, whoever made them", async () => {
  const accounts = createBucketAccounts({
    store: { knownOwner: () => undefined, readOwner: () => Promise.resolve(undefined) },
    home: "111122223333",
    isIsolated: () => true,
    accountOfKey: () => undefined,
  });
  const { store, send, ok } = await createTestGateway({ ownerOf: accounts.ownerOf });
  await store.deleteBucket("bucket" as BucketName);
  // Buckets of the time before accounts were isolated have one access key, and were given away since.
  const made = [
    ["bucket", "one-key", "111122223333"],
    ["theirs", "one-key", "444455556666"],
    ["ours", "another-key", "111122223333"],
  ] as const;
  for (const [name, key, account] of made) {
    await store.createBucket(name as BucketName, key, { account });
  }
  const put = { body: logging(ENABLED.replace("logs", "theirs")) };
  const response = await send("PUT", "/bucket?logging", put);
  await assertError(response, 400, "InvalidTargetBucketForLogging");
  await ok("PUT", "/bucket?logging", { body: logging(ENABLED.replace("logs", "ours")) });
});
