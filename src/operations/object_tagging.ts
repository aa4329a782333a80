/**
 * GetObjectTagging, PutObjectTagging and DeleteObjectTagging: the tags of an object.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
 *
 * Tags are returned in the order of their keys.
 * @module
 */

import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { versionIdParam } from "../s3/params.ts";
import { MAX_TAGS_BYTES, OBJECT_TAGS, parseTagSet, tagElements } from "../s3/tags.ts";
import type { VersionId } from "../s3/version_id.ts";
import { xmlResponse } from "../s3/xml.ts";
import { versionHeader } from "./answers/version.ts";
import { readDocument } from "./bodies/document.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

const on = "object";
const route = { on, query: ["tagging"], optionalQuery: ["versionId"] } as const;

/** GetObjectTagging. */
const getObjectTagging = definePublicOperation<"object", VersionId | undefined>({
  ...route,
  name: "GetObjectTagging",
  method: "GET",
  action: "s3:GetObjectTagging",
  seesObject: true,

  parse: versionIdParam,

  async handle({ target: { bucket, key }, input: versionId, access, store }) {
    const info = await store.readObject(bucket, key, { versionId });
    access.seen(info);
    const TagSet = tagElements(new Map(Object.entries(info.properties.tags)));
    return xmlResponse("Tagging", { TagSet }, { headers: versionHeader(info) });
  },
});

type PutInput = { readonly integrity: Integrity; readonly versionId: VersionId | undefined };

/** PutObjectTagging. */
const putObjectTagging = definePublicOperation<"object", PutInput>({
  ...route,
  name: "PutObjectTagging",
  method: "PUT",
  action: "s3:PutObjectTagging",
  asksItself: true,
  seesObject: true,

  parse: (request) => ({
    integrity: parseIntegrity(request.headers),
    versionId: versionIdParam(request),
  }),

  async handle(call) {
    const { target, target: { bucket, key }, input, access, store } = call;
    const { integrity, versionId } = input;
    const tags = parseTagSet(await readDocument(call, integrity, MAX_TAGS_BYTES), OBJECT_TAGS);
    const facts = { objectTags: tags };
    await access.allowRead({ action: "s3:PutObjectTagging", resource: target, facts });
    const changed = await store.putObjectTags(bucket, key, Object.fromEntries(tags), {
      versionId,
      check: (info) => access.seen(info),
    });
    const response = new Response(null, { headers: versionHeader(changed) });
    return { response, outcome: { key, versionId: changed.versionId } };
  },
});

/** DeleteObjectTagging. */
const deleteObjectTagging = definePublicOperation<"object", VersionId | undefined>({
  ...route,
  name: "DeleteObjectTagging",
  method: "DELETE",
  action: "s3:DeleteObjectTagging",
  seesObject: true,

  parse: versionIdParam,

  async handle({ target: { bucket, key }, input: versionId, access, store }) {
    const changed = await store.putObjectTags(bucket, key, {}, {
      versionId,
      check: (info) => access.seen(info),
    });
    const response = new Response(null, { status: 204, headers: versionHeader(changed) });
    return { response, outcome: { key, versionId: changed.versionId } };
  },
});

export const objectTagging: readonly Operation[] = [
  getObjectTagging,
  putObjectTagging,
  deleteObjectTagging,
];
