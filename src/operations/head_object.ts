/**
 * HeadObject: returns the headers of GetObject without the bytes.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 * @module
 */

import {
  chooseRange,
  infoOptions,
  objectAnswer,
  type ObjectRead,
  parseObjectRead,
} from "./answers/object.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

export const headObject: Operation<"object"> = definePublicOperation<"object", ObjectRead>({
  name: "HeadObject",
  on: "object",
  method: "HEAD",
  optionalQuery: ["versionId", "partNumber"],
  action: "s3:GetObject",

  parse: parseObjectRead,

  async handle({ target: { bucket, key }, input, store }) {
    const info = await store.readObject(bucket, key, infoOptions(input));
    return new Response(null, objectAnswer(input, info, chooseRange(input, info)));
  },
});
