/**
 * GetObject: returns an object, or a range or a part of it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * @module
 */

import { contentResponse } from "./answers/content.ts";
import { chooseRange, infoOptions, type ObjectRead, parseObjectRead } from "./answers/object.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

export const getObject: Operation<"object"> = definePublicOperation<"object", ObjectRead>({
  name: "GetObject",
  on: "object",
  method: "GET",
  optionalQuery: ["versionId", "partNumber"],
  action: "s3:GetObject",

  parse: parseObjectRead,

  async handle({ target: { bucket, key }, input, store, deliver }) {
    const content = await store.getObject(
      bucket,
      key,
      (info) => chooseRange(input, info),
      infoOptions(input),
    );
    return contentResponse(input, content, deliver);
  },
});
