/**
 * The steps of a multipart upload, for tests of its operations.
 * @module
 */

import { textOf } from "../../src/s3/xml_reader.ts";
import { readXml, type TestGateway } from "./test_gateway.ts";

/** Creates an upload of `/bucket/key` and returns its id. */
export async function createUpload(
  { ok }: TestGateway,
  headers: Readonly<Record<string, string>> = {},
  path = "/bucket/key",
): Promise<string> {
  const response = await ok("POST", `${path}?uploads`, { headers });
  return textOf(await readXml(response, "InitiateMultipartUploadResult"), "UploadId");
}

/** Uploads a part and returns its ETag, quoted. */
export async function uploadPart(
  { ok }: TestGateway,
  uploadId: string,
  number: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
  path = "/bucket/key",
): Promise<string> {
  const target = `${path}?partNumber=${number}&uploadId=${uploadId}`;
  return (await ok("PUT", target, { body, headers })).headers.get("etag") ?? "";
}

/** Returns the document that completes an upload; `more` goes into its part. */
export function completion(
  parts: readonly (readonly [number: number, etag: string, more?: string])[],
): string {
  const elements = parts.map(([number, etag, more = ""]) =>
    `<Part><PartNumber>${number}</PartNumber><ETag>${
      etag.replaceAll('"', "&quot;")
    }</ETag>${more}</Part>`
  );
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
    elements.join("")
  }</CompleteMultipartUpload>`;
}
