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
import { defineOperation, type Operation } from "./operation.ts";

const on = "object";
const route = { on, query: ["tagging"], optionalQuery: ["versionId"] } as const;

/** GetObjectTagging. */
const getObjectTagging = defineOperation<"object", void>({
  ...route,
  name: "GetObjectTagging",
  method: "GET",
  action: "s3:GetObjectTagging",

  parse: ({ query }) => refuseVersionId(query.get("versionId")),

  async handle({ target: { bucket, key }, store }) {
    const { properties } = await store.readObject(bucket, key);
    const tags = new Map(Object.entries(properties.tags));
    return xmlResponse("Tagging", { TagSet: tagElements(tags) });
  },
});

/** PutObjectTagging. */
const putObjectTagging = defineOperation<"object", Integrity>({
  ...route,
  name: "PutObjectTagging",
  method: "PUT",
  action: "s3:PutObjectTagging",

  parse({ headers, query }) {
    refuseVersionId(query.get("versionId"));
    return parseIntegrity(headers);
  },

  async handle(call) {
    const { target: { bucket, key }, input, store } = call;
    const tags = parseTagSet(await readDocument(call, input, MAX_TAGS_BYTES), OBJECT_TAGS);
    await store.putObjectTags(bucket, key, Object.fromEntries(tags));
    return { response: new Response(null), outcome: { key } };
  },
});

/** DeleteObjectTagging. */
const deleteObjectTagging = defineOperation<"object", void>({
  ...route,
  name: "DeleteObjectTagging",
  method: "DELETE",
  action: "s3:DeleteObjectTagging",

  parse: ({ query }) => refuseVersionId(query.get("versionId")),

  async handle({ target: { bucket, key }, store }) {
    await store.putObjectTags(bucket, key, {});
    return { response: new Response(null, { status: 204 }), outcome: { key } };
  },
});

export const objectTagging: readonly Operation[] = [
  getObjectTagging,
  putObjectTagging,
  deleteObjectTagging,
];
