/**
 * Requests that several tests of versions and object lock share.
 * @module
 */

import { ok as assert } from "node:assert/strict";
import { contentMD5, type Send, type TestGateway } from "./test_gateway.ts";

/** A version id that no version has. */
export const UNKNOWN = "0000000009AbcdefghijABCDEFGHIJ99";

/** Returns a request with a document and its hash. */
export function document(body: string, headers: Readonly<Record<string, string>> = {}): Send {
  return { body, headers: { "content-md5": contentMD5(body), ...headers } };
}

/** Returns the document of a state of versioning. */
export function versioning(status: string): string {
  return `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`;
}

/** Sets the state of versioning of the bucket. */
export async function setVersioning(
  { ok }: Pick<TestGateway, "ok">,
  status: "Enabled" | "Suspended",
): Promise<void> {
  await ok("PUT", "/bucket?versioning", document(versioning(status)));
}

/** Puts an object and returns the id of its version. */
export async function put(
  { ok }: Pick<TestGateway, "ok">,
  body: string,
  headers: Readonly<Record<string, string>> = {},
  target = "/bucket/key",
): Promise<string> {
  return idOf(await ok("PUT", target, document(body, headers)));
}

/** Deletes an object and returns the id of its delete marker. */
export async function mark(
  { ok }: Pick<TestGateway, "ok">,
  target = "/bucket/key",
): Promise<string> {
  return idOf(await ok("DELETE", target));
}

/** Returns the version id that a response must have. */
export function idOf({ headers }: Response): string {
  const id = headers.get("x-amz-version-id");
  assert(id !== null, "the response has no version id");
  return id;
}

/** Creates the bucket `locked`, in which object lock is enabled. */
export async function createLocked({ ok }: Pick<TestGateway, "ok">): Promise<void> {
  await ok("PUT", "/locked", { headers: { "x-amz-bucket-object-lock-enabled": "true" } });
}
