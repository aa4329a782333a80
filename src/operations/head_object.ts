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
import { addExpiration } from "./answers/lifecycle.ts";
import { visibleInfo } from "./answers/visible.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

export const headObject: Operation<"object"> = definePublicOperation<"object", ObjectRead>({
  name: "HeadObject",
  on: "object",
  method: "HEAD",
  optionalQuery: ["versionId", "partNumber"],
  action: "s3:GetObject",
  seesObject: true,

  parse: parseObjectRead,

  async handle(call) {
    const { target, input, access, store } = call;
    const info = await store.readObject(target.bucket, target.key, infoOptions(input));
    access.seen(info);
    const range = chooseRange(input, info);
    const response = new Response(
      null,
      objectAnswer(input, visibleInfo(access, target, info), range),
    );
    return addExpiration(response, call, info, input.versionId !== undefined);
  },
});
