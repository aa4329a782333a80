/** GetBucketRequestPayment, PutBucketRequestPayment, GetBucketAccelerateConfiguration, PutBucketAccelerateConfiguration. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { assertError, createTestGateway, readXml, textsAt } from "./test_gateway.ts";

const XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const payment = (payer: string): string =>
  `<?xml version="1.0"?>\n<RequestPaymentConfiguration ${XMLNS}><Payer>${payer}</Payer></RequestPaymentConfiguration>`;
const accelerate = (status: string): string =>
  `<AccelerateConfiguration ${XMLNS}><Status>${status}</Status></AccelerateConfiguration>`;

Deno.test("the bucket owner pays, and the configuration that says so is kept", async () => {
  const { ok } = await createTestGateway();
  const never = await readXml(
    await ok("GET", "/bucket?requestPayment"),
    "RequestPaymentConfiguration",
  );
  deepStrictEqual(textsAt(never, "Payer"), ["BucketOwner"]);
  const document = payment("BucketOwner");
  strictEqual((await ok("PUT", "/bucket?requestPayment", { body: document })).status, 200);
  strictEqual(await (await ok("GET", "/bucket?requestPayment")).text(), document);
  await ok("DELETE", "/bucket");
  await ok("PUT", "/bucket");
  await readXml(await ok("GET", "/bucket?requestPayment"), "RequestPaymentConfiguration");
});

Deno.test("nobody else pays", async () => {
  const { send } = await createTestGateway();
  for (
    const [body, status, code] of [
      [payment("Requester"), 501, "NotImplemented"],
      [payment("Nobody"), 400, "MalformedXML"],
      [payment("BucketOwner").replaceAll("Payer>", "Payee>"), 400, "MalformedXML"],
      [payment("BucketOwner</Payer><Payer>Requester"), 400, "MalformedXML"],
      [payment("BucketOwner</Payer><Else>1</Else><Payer>"), 400, "MalformedXML"],
      [payment("BucketOwner").replaceAll("Configuration", ""), 400, "MalformedXML"],
      ["", 400, "MalformedXML"],
    ] as const
  ) await assertError(await send("PUT", "/bucket?requestPayment", { body }), status, code);
  const body = payment("BucketOwner");
  await assertError(await send("GET", "/missing?requestPayment"), 404, "NoSuchBucket");
  await assertError(await send("PUT", "/missing?requestPayment", { body }), 404, "NoSuchBucket");
});

Deno.test("a request that would pay is served like any other", async () => {
  const { ok } = await createTestGateway();
  const headers = { "x-amz-request-payer": "requester" };
  await ok("PUT", "/bucket/key", { body: "bytes", headers });
  const response = await ok("GET", "/bucket/key", { headers });
  strictEqual(await response.text(), "bytes");
  strictEqual(response.headers.get("x-amz-request-charged"), null);
  await ok("PUT", "/bucket/copy", {
    headers: { ...headers, "x-amz-copy-source": "bucket/key" },
  });
  await ok("GET", "/bucket?list-type=2", { headers });
  await ok("DELETE", "/bucket/key", { headers });
});

Deno.test("acceleration can be suspended", async () => {
  const { send, ok } = await createTestGateway();
  const never = await readXml(await ok("GET", "/bucket?accelerate"), "AccelerateConfiguration");
  strictEqual(never.children.length, 0);
  const document = accelerate("Suspended");
  strictEqual((await ok("PUT", "/bucket?accelerate", { body: document })).status, 200);
  for (
    const [body, status, code] of [
      [accelerate("Enabled"), 501, "NotImplemented"],
      [accelerate("Disabled"), 400, "MalformedXML"],
      [`<AccelerateConfiguration ${XMLNS}/>`, 400, "MalformedXML"],
      [accelerate("Suspended").replaceAll("Configuration", ""), 400, "MalformedXML"],
    ] as const
  ) await assertError(await send("PUT", "/bucket?accelerate", { body }), status, code);
  strictEqual(await (await ok("GET", "/bucket?accelerate")).text(), document);
  await assertError(await send("GET", "/missing?accelerate"), 404, "NoSuchBucket");
});

Deno.test("a bucket whose name has periods cannot be accelerated", async () => {
  const { send, ok } = await createTestGateway();
  await ok("PUT", "/with.dots");
  for (const status of ["Enabled", "Suspended"]) {
    const body = accelerate(status);
    await assertError(await send("PUT", "/with.dots?accelerate", { body }), 400, "InvalidRequest");
  }
});
