/**
 * HeadObject: returns the headers of GetObject without the bytes.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 * @module
 */

import { isTimed, lookBack, parseTimedRead, type TimedRead } from "./answers/as_of.ts";
import { chooseRange, infoOptions, objectAnswer } from "./answers/object.ts";
import { addExpiration } from "./answers/lifecycle.ts";
import { visibleInfo } from "./answers/visible.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

export const headObject: Operation<"object"> = definePublicOperation<"object", TimedRead>({
  name: "HeadObject",
  on: "object",
  method: "HEAD",
  optionalQuery: ["versionId", "partNumber"],
  action: "s3:GetObject",
  seesObject: true,

  parse: parseTimedRead,

  async handle(call) {
    const { target, access, store } = call;
    const input = isTimed(call.input) ? await lookBack(store, target, call.input) : call.input;
    const info = await store.readObject(target.bucket, target.key, infoOptions(input));
    access.seen(info);
    const range = chooseRange(input, info);
    const response = new Response(
      null,
      objectAnswer(input, visibleInfo(access, target, info, isTimed(call.input)), range),
    );
    return addExpiration(response, call, info, input.versionId !== undefined);
  },
});
