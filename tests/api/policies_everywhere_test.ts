/**
 * The ways around a plain request, which are checked as strictly: web sites, presigned URLs, parts that are copied,
 * addresses behind proxies, and what a decision costs.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { TrustedProxies } from "../../src/s3/forwarded.ts";
import { presign } from "../http/wire_request.ts";
import { createUpload } from "./multipart_steps.ts";
import { allow, createPolicyScene, deny, outcomeOf, policyOf, to } from "./policy_scene.ts";
import { NOW } from "./test_gateway.ts";
import { createTestSite, ERROR_DOCUMENT, INDEX } from "./test_site.ts";

const DENIED = "403 AccessDenied";

Deno.test("a site serves the keys that everybody may read, and no others", async () => {
  const site = await createTestSite(INDEX + ERROR_DOCUMENT, { isPublic: false });
  const { ok: send, visit, redirectOf } = site;
  const statusOf = async (path: string): Promise<number> => {
    const response = await visit(path);
    await response.body?.cancel();
    return response.status;
  };
  const body = policyOf(
    allow("GetObject", "/a/* /a", to("everybody")),
    deny("GetObject", "/a/secret.html", to("everybody")),
  );
  await send("PUT", "/bucket/a/secret.html", { body: "secret" });
  await send("PUT", "/bucket/c/index.html", { body: "closed" });
  deepStrictEqual(await Promise.all(["/a/", "/b", "/"].map(statusOf)), [403, 403, 403]);
  await send("PUT", "/bucket?policy", { body });
  strictEqual(await (await visit("/a/")).text(), "folder a");
  deepStrictEqual(
    await Promise.all(["/a/secret.html", "/b", "/", "/c", "/c/"].map(statusOf)),
    [403, 403, 403, 403, 403],
  );
  strictEqual(await statusOf("/a/none"), 404);
  deepStrictEqual(await redirectOf("/a"), [302, "/a/"]);
  // The error document is an object like any other: only with it readable does a page show it.
  ok(!(await (await visit("/b")).text()).includes("custom error"));
  await send("PUT", "/bucket?policy", {
    body: policyOf(allow("GetObject", "/a/* /errors/*", to("everybody"))),
  });
  strictEqual(await (await visit("/b")).text(), "custom error");
});

Deno.test("a site does not tell of an index that nobody may read", async () => {
  const site = await createTestSite(INDEX, { isPublic: false });
  await site.ok("PUT", "/bucket?policy", {
    body: policyOf(
      allow("GetObject", "/*", to("everybody")),
      deny("GetObject", "/a/*", to("everybody")),
    ),
  });
  strictEqual((await site.redirectOf("/a"))[0], 404);
});

Deno.test("a site shows an object by its tags", async () => {
  const site = await createTestSite(INDEX, { isPublic: false });
  const open = { Condition: { StringEquals: { "s3:ExistingObjectTag/open": "yes" } } };
  await site.ok("PUT", "/bucket?policy", {
    body: policyOf(allow("GetObject", "/*", { ...open, ...to("everybody") })),
  });
  await site.ok("PUT", "/bucket/open", { body: "open", headers: { "x-amz-tagging": "open=yes" } });
  strictEqual(await (await site.visit("/open")).text(), "open");
  for (const path of ["/b", "/none"]) strictEqual((await site.visit(path)).status, 403, path);
});

Deno.test("a presigned URL may do what its signer may, and is known as one", async () => {
  const scene = await createPolicyScene();
  await scene.as("root", "PUT", "/bucket/key", { body: "x" });
  const visit = async (method: string, path = "/bucket/key", query = ""): Promise<string> => {
    const headers = [["host", "localhost"]] as const;
    const signed = presign({ method, path, query, headers, body: "" }, { now: NOW });
    const request = new Request("http://localhost/", { method });
    Object.defineProperty(request, "url", { value: `http://localhost${path}?${signed}` });
    return await outcomeOf(await scene.handler(request));
  };
  strictEqual(await visit("GET"), DENIED);
  const own = { Condition: { StringEquals: { "s3:authType": "REST-QUERY-STRING" } } };
  scene.give("ann", allow("GetObject", "/key", own));
  strictEqual(await visit("GET"), "200");
  strictEqual(await visit("HEAD"), "200");
  strictEqual(await visit("DELETE"), DENIED);
  strictEqual(await visit("GET", "/bucket/none"), DENIED);
  strictEqual(await visit("GET", "/bucket/key", "tagging="), DENIED);
  strictEqual(await outcomeOf(await scene.as("ann", "GET", "/bucket/key")), DENIED);
});

Deno.test("UploadPartCopy needs the upload's key and its source", async () => {
  const scene = await createPolicyScene();
  await scene.as("root", "PUT", "/bucket/key", { body: "x" });
  const root = {
    ...scene,
    ok: (method: string, target: string) => scene.as("root", method, target),
  };
  const uploadId = await createUpload(root as never);
  const copy = async (): Promise<string> =>
    await outcomeOf(
      await scene.as("ann", "PUT", `/bucket/key?partNumber=1&uploadId=${uploadId}`, {
        headers: { "x-amz-copy-source": "bucket/key" },
      }),
    );
  strictEqual(await copy(), DENIED);
  scene.give("ann", allow("PutObject", "/*"));
  strictEqual(await copy(), DENIED);
  scene.give("ann", allow("GetObject", "/*"));
  strictEqual(await copy(), DENIED);
  scene.give("ann", allow("GetObject PutObject", "/*"));
  strictEqual(await copy(), "200");
});

Deno.test("aws:SourceIp is the address that trusted proxies report", async () => {
  const scene = await createPolicyScene({ proxies: new TrustedProxies(["10.0.0.0/8"]) });
  await scene.as("root", "PUT", "/bucket/key", { body: "x" });
  scene.give(
    "ann",
    allow("GetObject", "/*", { Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } } }),
  );
  const from = async (peer: string, forwarded: string): Promise<string> =>
    await outcomeOf(
      await scene.as("ann", "GET", "/bucket/key", {
        headers: { "x-forwarded-for": forwarded },
        via: { host: "localhost", peer },
      }),
    );
  strictEqual(await from("10.0.0.1", "192.0.2.7"), "200");
  strictEqual(await from("10.0.0.1", "198.51.100.7"), DENIED);
  strictEqual(await from("198.51.100.7", "192.0.2.7"), DENIED);
  strictEqual(await from("192.0.2.7", "198.51.100.7"), "200");
});

Deno.test("a decision reads nothing but what a policy asks for", async () => {
  const scene = await createPolicyScene();
  for (const key of ["key", "other"]) {
    await scene.as("root", "PUT", `/bucket/${key}`, { body: "x" });
  }
  const { store } = scene;
  const reads: string[] = [];
  const { readObject, getObject, readDocument } = store;
  store.readObject = (...args) => (reads.push("readObject"), readObject(...args));
  store.getObject = (...args) => (reads.push("getObject"), getObject(...args));
  store.readDocument = (...args) => (reads.push("readDocument"), readDocument(...args));
  const readsOf = async (method: string, target: string, headers = {}): Promise<string> => {
    reads.length = 0;
    await (await scene.as("ann", method, target, { headers })).body?.cancel();
    return reads.join(" ");
  };
  const all = allow("s3:*", " /*");
  const byTag = deny("GetObject", "/*", {
    Condition: { StringEquals: { "s3:ExistingObjectTag/closed": "yes" } },
  });
  for (const statements of [[all], [all, byTag]]) {
    scene.give("ann", ...statements);
    strictEqual(await readsOf("HEAD", "/bucket/key"), "readObject");
    strictEqual(await readsOf("GET", "/bucket/key"), "getObject");
    strictEqual(
      await readsOf("PUT", "/bucket/copy", { "x-amz-copy-source": "bucket/key" }),
      "getObject",
    );
    strictEqual(await readsOf("PUT", "/bucket/key"), "");
    strictEqual(await readsOf("DELETE", "/bucket/copy"), "");
  }
  // These operations read no object themselves.
  const ifMatch = { "if-match": '"0"' };
  strictEqual(await readsOf("DELETE", "/bucket/other", ifMatch), "readObject");
  scene.give("ann", all);
  strictEqual(await readsOf("DELETE", "/bucket/other", ifMatch), "");
});
