/**
 * Every operation, asked for by callers without any right: each is denied, and neither the answer nor the work behind it
 * tells whether a key, an upload or a source exists.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Operation } from "../../src/operations/operation.ts";
import { CONTROL_OPERATIONS, OPERATIONS } from "../../src/operations/table.ts";
import { childrenOf, parseXml, textOf } from "../../src/s3/xml_reader.ts";
import { createPolicyScene, OTHER_ACCOUNT, type PolicyScene, type Who } from "./policy_scene.ts";
import { ACCOUNT, contentMD5, type Send } from "./test_gateway.ts";

/** What a request names: things that exist, or things that do not. */
type Named = { readonly key: string; readonly source: string; readonly upload: string };

const CALLERS: readonly Who[] = ["ann", "stranger", "cat", "nobody"];

/** Operations that a root may run in its own account, whatever others have. */
const OF_ROOTS: readonly string[] = [
  "ListBuckets",
  "CreateBucket",
  ...CONTROL_OPERATIONS
    .map(({ name }) => name).filter((name) => name.includes("PublicAccessBlock")),
];
/** It is refused before anybody is asked. */
const UNSIGNED: readonly string[] = ["PostObject"];

const DOCUMENTS: Readonly<Record<string, (named: Named) => string>> = {
  DeleteObjects: ({ key }) => `<Delete><Object><Key>${key}</Key></Object></Delete>`,
  PutObjectLegalHold: () => "<LegalHold><Status>ON</Status></LegalHold>",
  PutObjectRetention: () => "<Retention/>",
  PutObjectTagging: () => "<Tagging><TagSet></TagSet></Tagging>",
  TagResource: () =>
    "<TagResourceRequest><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></TagResourceRequest>",
};

/** Returns a request that is routed to an operation. */
function requestOf(
  { name, on, path, query = [], headers = [] }: Operation,
  who: Who,
  named: Named,
): readonly [target: string, send: Send] {
  const values: Readonly<Record<string, string>> = { uploadId: named.upload, partNumber: "1" };
  const pairs = query.map((text) => {
    const [name = "", value = values[name] ?? ""] = text.split("=");
    return `${name}=${value}`;
  });
  if (name === "UntagResource") pairs.push("tagKeys=a");
  const search = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  const own = new Map<string, string>(headers.map((name) => [name, "x"]));
  if (own.has("x-amz-copy-source")) own.set("x-amz-copy-source", `bucket/${named.source}`);
  if (name === "RenameObject") own.set("x-amz-rename-source", `/bucket/${named.source}`);
  if (name === "GetObjectAttributes") own.set("x-amz-object-attributes", "ETag");
  if (on === "account") {
    own.set("x-amz-account-id", who === "stranger" || who === "cat" ? OTHER_ACCOUNT : ACCOUNT);
  }
  const body = DOCUMENTS[name]?.(named);
  if (body !== undefined) own.set("content-md5", contentMD5(body));
  const resource = path === "tags" ? "tags/arn:aws:s3:::bucket" : path;
  const paths = {
    service: "/",
    account: `/v20180820/${resource}`,
    bucket: "/bucket",
    object: `/bucket/${named.key}`,
  };
  const send = { headers: Object.fromEntries(own), ...(body !== undefined && { body }) };
  return [`${paths[on]}${search}`, send];
}

/** Returns everything that the client sees of a response, without what the request itself named. */
async function seen(response: Response, named: Named): Promise<string> {
  const headers = [...response.headers].filter(([name]) =>
    !name.includes("id") && name !== "content-length"
  );
  let text = `${response.status} ${JSON.stringify(headers)} ${await response.text()}`;
  for (const name of Object.values(named)) text = text.replaceAll(name, "NAME");
  return text.replace(/<(RequestId|HostId)>[^<]*/g, "<$1>");
}

/** Notes which functions of the store are called. */
function watchStore({ store }: PolicyScene): string[] {
  const calls: string[] = [];
  for (const [name, value] of Object.entries(store)) {
    if (typeof value !== "function" || name.startsWith("known")) continue;
    Object.assign(store, {
      [name]: (...args: readonly unknown[]) => {
        calls.push(name);
        return Reflect.apply(value, store, args);
      },
    });
  }
  return calls;
}

/** Returns the id of an upload that root begins. */
async function begin(scene: PolicyScene): Promise<string> {
  const response = await scene.as("root", "POST", "/bucket/there-key?uploads");
  const root = parseXml(await response.text(), "InitiateMultipartUploadResult");
  const [id] = childrenOf(root, "UploadId");
  ok(id !== undefined);
  return textOf(root, "UploadId");
}

Deno.test("a caller without rights is denied every operation, and learns nothing from answers or their work", async () => {
  const scene = await createPolicyScene();
  for (const key of ["there-key", "there-source"]) {
    await scene.as("root", "PUT", `/bucket/${key}`, {
      body: "x",
      headers: { "x-amz-tagging": "a=1" },
    });
  }
  const there = { key: "there-key", source: "there-source", upload: await begin(scene) };
  const gone = { key: "gone-key", source: "gone-source", upload: "gone-upload" };
  const calls = watchStore(scene);
  let rows = 0;
  for (const operation of [...OPERATIONS, ...CONTROL_OPERATIONS]) {
    if (UNSIGNED.includes(operation.name)) continue;
    for (const who of CALLERS) {
      if (who === "stranger" && OF_ROOTS.includes(operation.name)) continue;
      const title = `${who} ${operation.name}`;
      const ask = async (named: Named): Promise<readonly [string, string]> => {
        calls.length = 0;
        const [target, send] = requestOf(operation, who, named);
        const response = await scene.as(who, operation.method, target, send);
        return [await seen(response, named), calls.join(" ")];
      };
      const [answer, work] = await ask(there);
      deepStrictEqual(await ask(gone), [answer, work], title);
      const isByKey = operation.name === "DeleteObjects" && who !== "nobody";
      ok(isByKey ? answer.startsWith("200") : answer.startsWith("403"), `${title}: ${answer}`);
      ok(operation.method === "HEAD" || answer.includes("<Code>AccessDenied</Code>"), answer);
      // Nobody reads an object, or writes anything, to find out that it is denied.
      deepStrictEqual(
        work.split(" ").filter((name) =>
          name !== "" && !/^(?:read|has)(?:Document|Bucket|Owner)?$/.test(name)
        ),
        [],
        title,
      );
      rows++;
    }
  }
  ok(rows > 400, String(rows));
  const list = await (await scene.as("root", "GET", "/bucket")).text();
  deepStrictEqual([...list.matchAll(/<Key>([^<]*)/g)].map(([, key]) => key), [
    "there-key",
    "there-source",
  ]);
  strictEqual((await scene.as("root", "GET", "/bucket?policy")).status, 404);
});
