/**
 * GetObjectTagging, PutObjectTagging and DeleteObjectTagging: the tags of an object.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
 *
 * Tags are returned in the order of their keys.
 * @module
 */

import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import { refuseVersionId } from "../s3/params.ts";
import { MAX_TAGS_BYTES, OBJECT_TAGS, parseTagSet, tagElements } from "../s3/tags.ts";
import { xmlResponse } from "../s3/xml.ts";
import { readDocument } from "./bodies/document.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

const on = "object";
const route = { on, query: ["tagging"], optionalQuery: ["versionId"] } as const;

/** GetObjectTagging. */
const getObjectTagging = definePublicOperation<"object", void>({
  ...route,
  name: "GetObjectTagging",
  method: "GET",
  action: "s3:GetObjectTagging",
  seesObject: true,

  parse: ({ query }) => refuseVersionId(query.get("versionId")),

  async handle({ target: { bucket, key }, access, store }) {
    const info = await store.readObject(bucket, key);
    access.seen(info);
    const tags = new Map(Object.entries(info.properties.tags));
    return xmlResponse("Tagging", { TagSet: tagElements(tags) });
  },
});

/** PutObjectTagging. */
const putObjectTagging = definePublicOperation<"object", Integrity>({
  ...route,
  name: "PutObjectTagging",
  method: "PUT",
  action: "s3:PutObjectTagging",
  asksItself: true,
  seesObject: true,

  parse({ headers, query }) {
    refuseVersionId(query.get("versionId"));
    return parseIntegrity(headers);
  },

  async handle(call) {
    const { target, target: { bucket, key }, input, access, store } = call;
    const tags = parseTagSet(await readDocument(call, input, MAX_TAGS_BYTES), OBJECT_TAGS);
    const facts = { objectTags: tags };
    await access.allowRead({ action: "s3:PutObjectTagging", resource: target, facts });
    await store.putObjectTags(bucket, key, Object.fromEntries(tags), {
      check: (info) => access.seen(info),
    });
    return { response: new Response(null), outcome: { key } };
  },
});

/** DeleteObjectTagging. */
const deleteObjectTagging = definePublicOperation<"object", void>({
  ...route,
  name: "DeleteObjectTagging",
  method: "DELETE",
  action: "s3:DeleteObjectTagging",
  seesObject: true,

  parse: ({ query }) => refuseVersionId(query.get("versionId")),

  async handle({ target: { bucket, key }, access, store }) {
    await store.putObjectTags(bucket, key, {}, { check: (info) => access.seen(info) });
    return { response: new Response(null, { status: 204 }), outcome: { key } };
  },
});

export const objectTagging: readonly Operation[] = [
  getObjectTagging,
  putObjectTagging,
  deleteObjectTagging,
];
