/**
 * GetObject: returns an object, or a range or a part of it.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * @module
 */

import { contentResponse } from "./answers/content.ts";
import { chooseRange, infoOptions, type ObjectRead, parseObjectRead } from "./answers/object.ts";
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

  async handle({ target, input, access, store, deliver }) {
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
    return contentResponse(input, shown, deliver);
  },
});
