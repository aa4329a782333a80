import { deepStrictEqual, ok as assert, strictEqual } from "node:assert/strict";
import { InFlight } from "../../src/http/in_flight.ts";
import { S3Error } from "../../src/s3/errors.ts";
import { TrustedProxies } from "../../src/s3/forwarded.ts";
import { parseXml, textOf } from "../../src/s3/xml_reader.ts";
import { StallWatch } from "../../src/streams/stall_watch.ts";
import { createLog } from "../../src/telemetry/log.ts";
import {
  ACCOUNT,
  assertError,
  contentMD5,
  createTestGateway,
  type Send,
  signedRequest,
} from "./test_gateway.ts";

Deno.test("Every response carries a request id", async () => {
  const { send } = await createTestGateway();
  for (
    const [method, target] of [["GET", "/"], ["GET", "/missing"], ["HEAD", "/missing"]] as const
  ) {
    const response = await send(method, target);
    const id = response.headers.get("x-amz-request-id") ?? "";
    assert(/^REQUEST\d+$/.test(id));
    assert(response.headers.has("x-amz-id-2"));
    const text = await response.text();
    if (text.includes("<Error>")) assert(text.includes(`<RequestId>${id}</RequestId>`));
  }
});

Deno.test("An unsigned request is denied, whatever it asks for and however it is framed", async () => {
  const { send } = await createTestGateway();
  for (const target of ["/", "/bucket", "/bucket/key", "/bucket?policy"]) {
    for (const method of ["GET", "PUT", "POST", "DELETE"]) {
      await assertError(await send(method, target, { anonymous: true }), 403, "AccessDenied");
    }
    strictEqual((await send("HEAD", target, { anonymous: true })).status, 403);
  }
  for (const target of ["/", "/bucket/key?versioning", "/bucket?acl&policy"]) {
    await assertError(await send("PATCH", target, { anonymous: true }), 403, "AccessDenied");
  }
  const headers = { "x-amz-content-sha256": "nonsense" };
  const misframed = await send("PUT", "/bucket/key", { anonymous: true, headers, body: "x" });
  await assertError(misframed, 403, "AccessDenied");
});

Deno.test("A CORS preflight is refused as AWS refuses it", async () => {
  const { send } = await createTestGateway();
  const headers = { "origin": "https://example.com", "access-control-request-method": "PUT" };
  const rows = [
    ["/bucket", "CORSResponse: CORS is not enabled for this bucket.", "us-east-1"],
    ["/bucket/key", "CORSResponse: CORS is not enabled for this bucket.", "us-east-1"],
    ["/missing", "CORSResponse: Bucket not found", null],
    ["/missing/key", "CORSResponse: Bucket not found", null],
    ["/", "CORSResponse: Bucket not found", null],
  ] as const;
  for (const [target, message, region] of rows) {
    const response = await send("OPTIONS", target, { anonymous: true, headers });
    strictEqual(response.headers.get("x-amz-bucket-region"), region);
    const error = await assertError(response, 403, "AccessForbidden");
    strictEqual(textOf(error, "Message"), message);
    strictEqual(textOf(error, "Method"), "PUT");
    // Without Origin it is not a preflight.
    await assertError(await send("OPTIONS", target, { anonymous: true }), 400, "BadRequest");
  }
});

Deno.test("A form is not implemented, signed or not", async () => {
  const { send, ok } = await createTestGateway();
  const headers = { "content-type": "multipart/form-data; boundary=x" };
  const body = "--x--";
  for (const anonymous of [true, false]) {
    const form = await send("POST", "/bucket", { anonymous, headers, body });
    await assertError(form, 501, "NotImplemented");
  }
  const nowhere = await send("POST", "/missing", { anonymous: true, headers, body });
  await assertError(nowhere, 404, "NoSuchBucket");
  const bearer = { ...headers, authorization: "Bearer token" };
  const other = await send("POST", "/bucket", { anonymous: true, headers: bearer, body });
  await assertError(other, 400, "InvalidArgument");
  // Other requests may have any type.
  const key = await send("POST", "/bucket/key", { anonymous: true, headers, body });
  await assertError(key, 403, "AccessDenied");
  const text = "<Delete><Object><Key>a</Key></Object></Delete>";
  const sent = { ...headers, "content-md5": contentMD5(text) };
  await ok("POST", "/bucket?delete", { headers: sent, body: text });
});

Deno.test("An unknown method is not allowed", async () => {
  const { send } = await createTestGateway();
  await assertError(await send("PATCH", "/bucket/key", { body: "x" }), 405, "MethodNotAllowed");
});

Deno.test("An unexpected error becomes InternalError and is logged", async () => {
  const lines: string[] = [];
  const log = createLog({
    format: "text",
    level: "error",
    write: (_level, line) => void lines.push(line),
  });
  const { send, store } = await createTestGateway({ log });
  store.listObjects = () => Promise.reject(new Error("secret detail"));
  const response = await send("GET", "/bucket");
  const error = await assertError(response, 500, "InternalError");
  assert(!JSON.stringify(error).includes("secret detail"));
  strictEqual(lines.length, 1);
  assert(lines[0]?.includes("secret detail"));
});

Deno.test("ServiceUnavailable carries Retry-After", async () => {
  const { send, store } = await createTestGateway();
  store.listObjects = () => Promise.reject(new S3Error("ServiceUnavailable"));
  const response = await send("GET", "/bucket");
  strictEqual(response.headers.get("retry-after"), "1");
  await assertError(response, 503, "ServiceUnavailable");
});

Deno.test("The gateway cancels a body that no one reads", async () => {
  const { handler } = await createTestGateway();
  let cancelled = false;
  const body = new ReadableStream({ cancel: () => void (cancelled = true) }, { highWaterMark: 0 });
  const response = await handler(
    new Request("http://localhost/bucket/key", { method: "PUT", body }),
  );
  await assertError(response, 403, "AccessDenied");
  assert(cancelled);
});

Deno.test("Access is denied if a bucket's owner is not the one that the request expects", async () => {
  const { ok, send } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "x" });
  const expecting = (owner: string): Send => ({
    headers: { "x-amz-expected-bucket-owner": owner },
  });
  const copying = (owner: string, bucket = "bucket"): Send => ({
    headers: {
      "x-amz-copy-source": `${bucket}/key`,
      "x-amz-source-expected-bucket-owner": owner,
    },
  });
  for (const owner of ["alice", ACCOUNT]) {
    await ok("GET", "/bucket", expecting(owner));
    await ok("PUT", "/bucket/copy", copying(owner));
    await assertError(await send("GET", "/missing", expecting(owner)), 404, "NoSuchBucket");
    const missing = await send("PUT", "/bucket/copy", copying(owner, "missing"));
    await assertError(missing, 404, "NoSuchBucket");
  }
  for (const owner of ["bob", "", "000000000000", `${ACCOUNT}0`]) {
    await assertError(await send("GET", "/bucket", expecting(owner)), 403, "AccessDenied");
    await assertError(await send("PUT", "/bucket/copy", copying(owner)), 403, "AccessDenied");
  }
});

Deno.test("A Host that would forge the path is refused, also behind a trusted proxy", async () => {
  const { ok, handler } = await createTestGateway({ proxies: new TrustedProxies(["10.0.0.0/8"]) });
  await ok("PUT", "/bucket/secret", { body: "secret" });
  const forged = "s3.test/bucket/secret?";
  for (
    const [url, host, forwarded] of [
      [`http://${forged}/public`, forged, undefined],
      [`http://${forged}/public`, forged, "s3.test"],
      [`http://s3.test/public`, "s3.test", forged],
      // The absolute form of a target, and an HTTP/2 request with a Host beside its authority.
      ["http://other.test/bucket/secret", "s3.test", undefined],
      ["http://other.test/bucket/secret", "s3.test", "s3.test"],
      ["http://s3.test@other.test/bucket/secret", "s3.test@other.test", "s3.test"],
      ["http://s3.test:80/bucket/secret", "s3.test", undefined],
    ] as const
  ) {
    // The signature is for the path that the URL seems to have, as a client with credentials could make it.
    const request = signedRequest("GET", "/bucket/secret", { host: forwarded ?? host });
    Object.defineProperty(request, "url", { value: url });
    request.headers.set("host", host);
    if (forwarded !== undefined) request.headers.set("x-forwarded-host", forwarded);
    const response = await handler(request, {
      completed: Promise.resolve(),
      remoteAddr: { hostname: "10.0.0.1" },
    });
    await assertError(response, 400, "InvalidRequest");
  }
});

Deno.test("A Host may differ from the URL's authority in case, and may be missing or empty", async () => {
  const { ok, handler } = await createTestGateway();
  await ok("PUT", "/bucket/key", { body: "hello" });
  for (const [authority, host] of [["S3.Test", "s3.test"], ["s3.test", undefined], ["a:1", ""]]) {
    const request = signedRequest("GET", "/bucket/key", { host: host ?? authority ?? "" });
    Object.defineProperty(request, "url", { value: `http://${authority}/bucket/key` });
    if (host !== undefined) request.headers.set("host", host);
    strictEqual(await (await handler(request)).text(), "hello", authority);
  }
});

Deno.test("Too many requests receive SlowDown before authentication", async () => {
  const inFlight = new InFlight(1);
  const { send, handler, store } = await createTestGateway({ inFlight });
  strictEqual(inFlight.count, 0);
  const listing = Promise.withResolvers<void>();
  const { listObjects } = store;
  store.listObjects = async (...args) => {
    await listing.promise;
    return await listObjects.apply(store, args);
  };
  const first = send("GET", "/bucket");
  strictEqual(inFlight.count, 1);

  let cancelled = false;
  const body = new ReadableStream({ cancel: () => void (cancelled = true) }, { highWaterMark: 0 });
  const refused = await handler(
    new Request("http://localhost/bucket/key", { method: "PUT", body }), // unsigned
  );
  strictEqual(refused.headers.get("retry-after"), "1");
  assert(/^REQUEST\d+$/.test(refused.headers.get("x-amz-request-id") ?? ""));
  await assertError(refused, 503, "SlowDown");
  assert(cancelled);

  listing.resolve();
  strictEqual((await first).status, 200);
  strictEqual(inFlight.count, 0);
});

Deno.test("A request is in flight until its response was sent or, without a server, read", async () => {
  const inFlight = new InFlight(10);
  const { ok, send, handler, store } = await createTestGateway({ inFlight });
  await ok("PUT", "/bucket/key", { body: "0123456789" });
  const { getObject } = store;
  store.getObject = async (...args) => {
    const content = await getObject.apply(store, args);
    return { ...content, body: ReadableStream.from([new Uint8Array(5), new Uint8Array(5)]) };
  };

  const taken = await send("GET", "/bucket/key");
  strictEqual(inFlight.count, 1);
  strictEqual((await taken.bytes()).length, 10);
  strictEqual(inFlight.count, 0);
  const cancelled = await send("GET", "/bucket/key");
  await cancelled.body?.cancel();
  strictEqual(inFlight.count, 0);

  const completed = Promise.withResolvers<void>();
  const response = await handler(new Request("http://localhost/"), {
    completed: completed.promise,
  });
  await response.body?.cancel();
  strictEqual(inFlight.count, 1);
  completed.reject(new Error("The client has gone"));
  await completed.promise.catch(() => {});
  strictEqual(inFlight.count, 0);
});

Deno.test("A response that no one reads is broken off", async () => {
  const inFlight = new InFlight(10);
  const { ok, send, store } = await createTestGateway({ inFlight, stalls: new StallWatch(100) });
  await ok("PUT", "/bucket/key", { body: "0123456789" });
  const { getObject } = store;
  let given = false;
  store.getObject = async (...args) => {
    const content = await getObject.apply(store, args);
    const body = new ReadableStream({ cancel: () => void (given = true) }, { highWaterMark: 0 });
    return { ...content, body };
  };
  const response = await send("GET", "/bucket/key");
  strictEqual(inFlight.count, 1);
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert(given);
  strictEqual(inFlight.count, 0);
  await response.bytes().then(() => assert(false), () => {});
});

Deno.test("A body that stalls becomes RequestTimeout", async () => {
  const { send } = await createTestGateway({ stalls: new StallWatch(100) });
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(new Uint8Array(3)),
  });
  const headers = { "content-length": "10", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
  const response = await send("PUT", "/bucket/key", { headers, body });
  await assertError(response, 400, "RequestTimeout");
  await assertError(await send("GET", "/bucket/key"), 404, "NoSuchKey");
});

Deno.test("A trusted proxy states the client, the host and the scheme", async () => {
  const clients: (string | undefined)[] = [];
  const { ok, send } = await createTestGateway({
    proxies: new TrustedProxies(["10.0.0.0/8"]),
    observe: ({ client }) => void clients.push(client),
  });
  const headers = {
    "x-forwarded-for": "203.0.113.66, 198.51.100.7",
    "x-forwarded-host": "bucket.s3.test",
    "x-forwarded-proto": "https",
  };
  const host = "bucket.s3.test";
  const via = { host: "gateway.internal:5222", peer: "10.0.0.1" };
  await ok("PUT", "/key", { host, via, headers, body: "hello" });
  strictEqual(await (await ok("GET", "/bucket/key")).text(), "hello");

  const created = await ok("POST", "/large?uploads=", { host, via, headers });
  const uploadId = textOf(
    parseXml(await created.text(), "InitiateMultipartUploadResult"),
    "UploadId",
  );
  const target = `/large?uploadId=${uploadId}`;
  const part = await ok("PUT", `${target}&partNumber=1`, { host, via, headers, body: "part" });
  const completed = await ok("POST", target, {
    host,
    via,
    headers,
    body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${
      part.headers.get("etag")
    }</ETag></Part></CompleteMultipartUpload>`,
  });
  const result = parseXml(await completed.text(), "CompleteMultipartUploadResult");
  strictEqual(textOf(result, "Location"), "https://bucket.s3.test/large");
  deepStrictEqual([...new Set(clients)], [undefined, "198.51.100.7"]);

  // A stranger that sends the same headers is not believed, so the signature is of another host.
  clients.length = 0;
  const stranger = { host: "gateway.internal:5222", peer: "192.0.2.1" };
  const refused = await send("GET", "/key", { host, via: stranger, headers });
  await assertError(refused, 403, "SignatureDoesNotMatch");
  deepStrictEqual(clients, ["192.0.2.1"]);
  // A proxy that passes on an invalid host.
  const forged = { ...headers, "x-forwarded-host": "a/b?c" };
  await assertError(await send("GET", "/key", { via, headers: forged }), 400, "InvalidRequest");
});
