/** Over HTTP: native clients and S3 clients see what the others store, overwrite and delete. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { type ObjectStore, Objm } from "@nats-io/obj";
import { connect } from "@nats-io/transport-node";
import { sameBytes, someBytes } from "../nats/store_on_server.ts";
import { type GatewayProcess, startGateway } from "./gateway_process.ts";
import { ask, demand } from "./signed_request.ts";

type Given = AsyncDisposable & { readonly gateway: GatewayProcess; readonly objects: ObjectStore };

/** Starts a gateway and a native client on one bucket, created by S3 or natively. */
async function startBoth(
  madeBy: "s3" | "native",
  flags: readonly string[] = [],
): Promise<Given> {
  const gateway = await startGateway({ flags });
  const connection = await connect({ servers: gateway.server.url });
  const native = new Objm(connection);
  if (madeBy === "s3") await demand(gateway, 200, { method: "PUT", path: "/both" });
  return {
    gateway,
    objects: madeBy === "s3" ? await native.open("both") : await native.create("both"),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

const SIZES = [0, 1, 131_072, 131_073, 3_000_001];

Deno.test("what S3 put, a native client gets, with a valid digest", async () => {
  await using both = await startBoth("s3");
  const { gateway, objects } = both;
  for (const size of SIZES) {
    const bytes = someBytes(size);
    await demand(gateway, 200, {
      method: "PUT",
      path: `/both/s3%20${size}`,
      headers: { "content-type": "text/x-odd", "x-amz-meta-one": "1" },
      body: bytes,
    });
    // Throws when the digest is wrong.
    const blob = await objects.getBlob(`s3 ${size}`);
    ok(blob !== null && sameBytes(blob, bytes), `${size} bytes`);
    strictEqual((await objects.info(`s3 ${size}`))?.size, size);
  }
  deepStrictEqual(
    (await objects.list()).map(({ name }) => name).sort(),
    SIZES.map((size) => `s3 ${size}`).sort(),
  );
});

Deno.test("what a native client put, S3 gets, heads, ranges and lists", async () => {
  await using both = await startBoth("native");
  const { gateway, objects } = both;
  for (const size of SIZES) {
    const bytes = someBytes(size, 7);
    await objects.putBlob({ name: `native ${size}` }, bytes);
    const path = `/both/native%20${size}`;
    const got = await ask(gateway, { path });
    strictEqual(got.status, 200);
    ok(sameBytes(await got.bytes(), bytes), `${size} bytes`);
    const head = await ask(gateway, { method: "HEAD", path });
    strictEqual(head.headers.get("content-length"), String(size));
    strictEqual(head.headers.get("etag"), got.headers.get("etag"));
    if (size < 2) continue;
    for (const [start, end] of [[0, 0], [131_000, 131_071], [1_000_000, 2_500_000]] as const) {
      if (end >= size) continue;
      const part = await ask(gateway, { path, headers: { range: `bytes=${start}-${end}` } });
      strictEqual(part.status, 206);
      strictEqual(part.headers.get("content-range"), `bytes ${start}-${end}/${size}`);
      ok(sameBytes(await part.bytes(), bytes.subarray(start, end + 1)));
    }
  }
  const listed = await demand(gateway, 200, { path: "/both", query: "list-type=2" });
  const found = [...listed.matchAll(/<Key>([^<]*)<.*?<Size>(\d+)</g)].map((
    [, key, size],
  ) => [key, Number(size)]);
  deepStrictEqual(found, SIZES.map((size) => [`native ${size}`, size]));
  match(await demand(gateway, 200, {}), /<Name>both<\/Name>/);
});

Deno.test("overwrites and deletes of either side are seen by the other", async () => {
  await using both = await startBoth("s3");
  const { gateway, objects } = both;
  const path = "/both/k";
  const text = async (): Promise<string> =>
    new TextDecoder().decode(await objects.getBlob("k") ?? undefined);
  const native = (text: string) => objects.putBlob({ name: "k" }, new TextEncoder().encode(text));

  await native("native 1");
  strictEqual(await demand(gateway, 200, { path }), "native 1");
  await demand(gateway, 200, { method: "PUT", path, body: "s3 2" });
  strictEqual(await text(), "s3 2");
  await native("native 3");
  strictEqual(await demand(gateway, 200, { path }), "native 3");
  await demand(gateway, 204, { method: "DELETE", path });
  strictEqual(await objects.getBlob("k"), null);
  await demand(gateway, 200, { method: "PUT", path, body: "s3 4" });
  await objects.delete("k");
  await demand(gateway, 404, { path });
  const listed = await demand(gateway, 200, { path: "/both", query: "list-type=2" });
  match(listed, /<KeyCount>0<\/KeyCount>/);
  await demand(gateway, 204, { method: "DELETE", path: "/both" });
});

/** Uploads bytes in two parts; the second one is three bytes long. */
async function uploadInParts(
  gateway: GatewayProcess,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const created = await demand(gateway, 200, { method: "POST", path, query: "uploads=" });
  const id = /<UploadId>([^<]+)</.exec(created)?.[1] ?? "";
  const parts: string[] = [];
  for (const [i, body] of [bytes.subarray(0, -3), bytes.subarray(-3)].entries()) {
    const put = await ask(gateway, {
      method: "PUT",
      path,
      query: `partNumber=${i + 1}&uploadId=${id}`,
      body,
    });
    await put.body?.cancel();
    parts.push(
      `<Part><PartNumber>${i + 1}</PartNumber><ETag>${put.headers.get("etag")}</ETag></Part>`,
    );
  }
  await demand(gateway, 200, {
    method: "POST",
    path,
    query: `uploadId=${id}`,
    body: `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`,
  });
  ok(sameBytes(await (await ask(gateway, { path })).bytes(), bytes));
}

Deno.test("an object in parts is none to native clients: they neither hang nor get empty bytes", async () => {
  await using both = await startBoth("s3", ["--multipart.native-layout", "off"]);
  const { gateway, objects } = both;
  const path = "/both/parts";
  await uploadInParts(gateway, path, someBytes(5 * 1024 * 1024 + 3));

  let timer: ReturnType<typeof setTimeout> | undefined;
  const hangs = new Promise<string>((resolve) => timer = setTimeout(resolve, 5000, "hangs"));
  strictEqual(await Promise.race([objects.getBlob("parts"), hangs]), null);
  clearTimeout(timer);
  deepStrictEqual(await objects.list(), []);
  await objects.putBlob({ name: "parts" }, new TextEncoder().encode("native"));
  strictEqual(await demand(gateway, 200, { path }), "native");
});

Deno.test("native clients read what was uploaded in parts once it is rewritten, and its ETag stays", async () => {
  for (const flags of [[], ["--multipart.native-layout", "on-complete"]]) {
    await using both = await startBoth("s3", flags);
    const { gateway, objects } = both;
    const path = "/both/parts";
    const bytes = someBytes(5 * 1024 * 1024 + 3);
    await uploadInParts(gateway, path, bytes);
    const isAtOnce = flags.length > 0;
    let blob = await objects.getBlob("parts");
    for (let i = 0; blob === null && !isAtOnce && i < 100; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      blob = await objects.getBlob("parts");
    }
    ok(blob !== null && sameBytes(blob, bytes), flags.join(" "));
    deepStrictEqual((await objects.list()).map(({ name, size }) => [name, size]), [
      ["parts", bytes.length],
    ]);
    const got = await ask(gateway, { path });
    match(got.headers.get("etag") ?? "", /-2"$/);
    ok(sameBytes(await got.bytes(), bytes));
  }
});
