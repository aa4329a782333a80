/**
 * GetObject: returns an object, or a range or a part of it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * @module
 */

import { isTimed, lookBack, parseTimedRead, type TimedRead } from "./answers/as_of.ts";
import { contentResponse } from "./answers/content.ts";
import { chooseRange, infoOptions } from "./answers/object.ts";
import { addExpiration } from "./answers/lifecycle.ts";
import { visibleInfo } from "./answers/visible.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

export const getObject: Operation<"object"> = definePublicOperation<"object", TimedRead>({
  name: "GetObject",
  on: "object",
  method: "GET",
  optionalQuery: ["versionId", "partNumber"],
  action: "s3:GetObject",
  seesObject: true,

  parse: parseTimedRead,

  async handle(call) {
    const { target, access, store, deliver } = call;
    const input = isTimed(call.input) ? await lookBack(store, target, call.input) : call.input;
    const content = await store.getObject(
      target.bucket,
      target.key,
      (info) => {
        access.seen(info);
        return chooseRange(input, info);
      },
      infoOptions(input),
    );
    const info = visibleInfo(access, target, content.info, isTimed(call.input));
    const shown = info === content.info ? content : { ...content, info };
    const response = contentResponse(input, shown, deliver);
    const isNamed = input.versionId !== undefined;
    return response instanceof Promise
      ? addExpiration(await response, call, content.info, isNamed)
      : addExpiration(response, call, content.info, isNamed);
  },
});
