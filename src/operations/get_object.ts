/**
 * GetObject: returns an object, or a range or a part of it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * @module
 */

import { MAX_FIXED } from "../streams/in_pieces.ts";
import { release } from "../streams/release.ts";
import {
  chooseRange,
  infoOptions,
  objectAnswer,
  type ObjectRead,
  parseObjectRead,
  streamAnswer,
} from "./answers/object.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

export const getObject: Operation<"object"> = definePublicOperation<"object", ObjectRead>({
  name: "GetObject",
  on: "object",
  method: "GET",
  optionalQuery: ["versionId", "partNumber"],
  action: "s3:GetObject",

  parse: parseObjectRead,

  async handle({ target: { bucket, key }, input, store, deliver }) {
    const { info, range, body } = await store.getObject(
      bucket,
      key,
      (info) => chooseRange(input, info),
      infoOptions(input),
    );
    if (body instanceof ReadableStream) {
      const answer = await streamAnswer(input, info, range, body);
      return new Response(deliver(body), answer);
    }
    if (body !== null && body.length > MAX_FIXED) {
      const stream = ReadableStream.from([body]);
      return new Response(deliver(stream), await streamAnswer(input, info, range, stream));
    }
    const response = new Response(body, objectAnswer(input, info, range)); // it copies the bytes
    if (body !== null) release(body);
    return response;
  },
});
