/**
 * GetObject: returns an object, or a range or a part of it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * @module
 */

import { contentResponse } from "./answers/content.ts";
import { chooseRange, infoOptions, type ObjectRead, parseObjectRead } from "./answers/object.ts";
import { addExpiration } from "./answers/lifecycle.ts";
import { visibleInfo } from "./answers/visible.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

export const getObject: Operation<"object"> = definePublicOperation<"object", ObjectRead>({
  name: "GetObject",
  on: "object",
  method: "GET",
  optionalQuery: ["versionId", "partNumber"],
  action: "s3:GetObject",
  seesObject: true,

  parse: parseObjectRead,

  async handle(call) {
    const { target, input, access, store, deliver } = call;
    const content = await store.getObject(
      target.bucket,
      target.key,
      (info) => {
        access.seen(info);
        return chooseRange(input, info);
      },
      infoOptions(input),
    );
    const info = visibleInfo(access, target, content.info);
    const shown = info === content.info ? content : { ...content, info };
    const response = contentResponse(input, shown, deliver);
    const isNamed = input.versionId !== undefined;
    return response instanceof Promise
      ? addExpiration(await response, call, content.info, isNamed)
      : addExpiration(response, call, content.info, isNamed);
  },
});
