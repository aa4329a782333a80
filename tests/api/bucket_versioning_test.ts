/** GetBucketVersioning and PutBucketVersioning. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { optionalTextOf, textOf } from "../../src/s3/xml_reader.ts";
import type { Store } from "../../src/store/store.ts";
import { assertError, createTestGateway, readXml, type TestGateway } from "./test_gateway.ts";
import { createLocked, document, put, setVersioning, versioning } from "./version_steps.ts";

const TARGET = "/bucket?versioning";

async function stateOf(
  { ok }: Pick<TestGateway, "ok">,
  target = TARGET,
): Promise<string | undefined> {
  const root = await readXml(await ok("GET", target), "VersioningConfiguration");
  return optionalTextOf(root, "Status");
}

Deno.test("a bucket has no state of versioning until one is put, and never loses it again", async () => {
  const gateway = await createTestGateway();
  strictEqual(await stateOf(gateway), undefined);
  for (const state of ["Suspended", "Enabled", "Enabled", "Suspended", "Enabled"] as const) {
    await setVersioning(gateway, state);
    strictEqual(await stateOf(gateway), state);
  }
  await assertError(await gateway.send("DELETE", TARGET), 405, "MethodNotAllowed");
});

Deno.test("PutBucketVersioning refuses what Amazon refuses, and changes nothing", async () => {
  const gateway = await createTestGateway();
  const { send } = gateway;
  const element = (content: string): string =>
    `<VersioningConfiguration>${content}</VersioningConfiguration>`;
  const rows: readonly (readonly [string, number, string, Readonly<Record<string, string>>?])[] = [
    ["", 400, "MalformedXML"],
    ["<VersioningConfiguration>", 400, "MalformedXML"],
    ["<Versioning/>", 400, "MalformedXML"],
    [element(""), 400, "IllegalVersioningConfigurationException"],
    [element("<Status/>"), 400, "IllegalVersioningConfigurationException"],
    [
      element("<MfaDelete>Disabled</MfaDelete>"),
      400,
      "IllegalVersioningConfigurationException",
    ],
    [versioning("enabled"), 400, "MalformedXML"],
    [versioning("Disabled"), 400, "MalformedXML"],
    [element("<Status>Enabled</Status><Status>Enabled</Status>"), 400, "MalformedXML"],
    [element("<Status>Enabled</Status><MfaDelete>On</MfaDelete>"), 400, "MalformedXML"],
    [element("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>"), 501, "NotImplemented"],
    [versioning("Suspended"), 501, "NotImplemented", { "x-amz-mfa": "serial 123456" }],
    [versioning("Suspended"), 400, "BadDigest", { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" }],
    ["x".repeat(64 * 1024 + 1), 400, "MaxMessageLengthExceeded"],
  ];
  for (const state of [undefined, "Enabled"] as const) {
    if (state !== undefined) await setVersioning(gateway, state);
    for (const [body, status, code, headers] of rows) {
      await assertError(await send("PUT", TARGET, document(body, headers)), status, code);
      strictEqual(await stateOf(gateway), state, body);
    }
  }
  const missing = await send("PUT", "/missing?versioning", document(versioning("Enabled")));
  await assertError(missing, 404, "NoSuchBucket");
  const disabled = element("<Status>Suspended</Status><MfaDelete>Disabled</MfaDelete>");
  await gateway.ok("PUT", TARGET, document(disabled));
  strictEqual(await stateOf(gateway), "Suspended");
});

Deno.test("versioning of a bucket with object lock cannot be suspended", async () => {
  const gateway = await createTestGateway();
  await createLocked(gateway);
  const target = "/locked?versioning";
  strictEqual(await stateOf(gateway, target), "Enabled");
  await gateway.ok("PUT", target, document(versioning("Enabled")));
  const refused = await gateway.send("PUT", target, document(versioning("Suspended")));
  const error = await assertError(refused, 409, "InvalidBucketState");
  strictEqual(
    textOf(error, "Message"),
    "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
  );
  strictEqual(await stateOf(gateway, target), "Enabled");
});

/** Returns a store that notes its calls about documents, and calls `between` before a document is written. */
function watched(
  store: Store,
  between: (kind: string) => Promise<void>,
): { readonly store: Store; readonly calls: string[] } {
  const calls: string[] = [];
  const noted = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return async (...call: readonly unknown[]) => {
        const [, kind, , options] = call;
        if (name === "prepareVersioning") calls.push(name);
        if (name === "putDocument" || name === "deleteDocument") {
          calls.push(`${name} ${kind} ${JSON.stringify(options ?? call[2])}`);
          await between(String(kind));
        }
        return await Reflect.apply(value, target, call);
      };
    },
  });
  // Known documents are asked for without waiting.
  return {
    store: new Proxy(noted, {
      get: (target, name) =>
        name === "knownDocument" || name === "knownOwner" || name === "knownLocation"
          ? Reflect.get(store, name).bind(store)
          : Reflect.get(target, name),
    }),
    calls,
  };
}

Deno.test("PutBucketVersioning prepares the bucket, waits for every gateway, and answers at once for the same state", async () => {
  const { store: inner, ok: first } = await createTestGateway();
  await first("DELETE", "/bucket");
  const { store, calls } = watched(inner, () => Promise.resolve());
  const gateway = await createTestGateway({ store });
  await setVersioning(gateway, "Enabled");
  await setVersioning(gateway, "Enabled");
  deepStrictEqual(calls, ["prepareVersioning", 'putDocument versioning {"everywhere":true}']);
});

Deno.test("of suspending versioning and enabling object lock at the same time not both succeed", async () => {
  for (const suspendsFirst of [true, false]) {
    const { store: inner, ok: first } = await createTestGateway();
    await first("DELETE", "/bucket");
    const other = inner as Store;
    let isBusy = false;
    const { store } = watched(inner, async (kind) => {
      if (isBusy) return;
      isBusy = true;
      const { name } = await inner.readBucket("bucket" as never);
      if (kind === "versioning") await other.putDocument(name, "objectLock", "{}");
      else await other.putDocument(name, "versioning", "Suspended");
    });
    const gateway = await createTestGateway({ store });
    isBusy = true;
    await setVersioning(gateway, "Enabled");
    isBusy = false;
    const lock = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>" +
      "</ObjectLockConfiguration>";
    const response = suspendsFirst
      ? await gateway.send("PUT", TARGET, document(versioning("Suspended")))
      : await gateway.send("PUT", "/bucket?object-lock", document(lock));
    await assertError(response, 409, "InvalidBucketState");
    const isLocked = (await gateway.send("GET", "/bucket?object-lock")).status === 200;
    strictEqual(await stateOf(gateway), suspendsFirst ? "Enabled" : "Suspended");
    strictEqual(isLocked, suspendsFirst);
  }
});

Deno.test("versions that were made before stay when versioning is suspended", async () => {
  const gateway = await createTestGateway();
  await gateway.ok("PUT", "/bucket/key", { body: "before" });
  await setVersioning(gateway, "Enabled");
  const id = await put(gateway, "enabled");
  await setVersioning(gateway, "Suspended");
  strictEqual(await put(gateway, "suspended"), "null");
  const read = async (query: string): Promise<string> =>
    await (await gateway.ok("GET", `/bucket/key${query}`)).text();
  strictEqual(await read(""), "suspended");
  strictEqual(await read("?versionId=null"), "suspended");
  strictEqual(await read(`?versionId=${id}`), "enabled");
});
