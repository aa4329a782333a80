/**
 * RenameObject: gives an object another key in its bucket, without moving its bytes.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
 *
 * At AWS only directory buckets have it. Here every bucket has.
 * @module
 */

import { isS3Error } from "../s3/errors.ts";
import type { BucketName, ObjectKey } from "../s3/names.ts";
import {
  parseClientToken,
  parseRenamePrecondition,
  parseRenameSource,
  refuseFolder,
  type RenamePrecondition,
} from "../s3/rename.ts";
import type { Renamed } from "../store/objects.ts";
import { type Call, defineOperation, type Operation } from "./operation.ts";

type Input = {
  readonly header: string | null;
  readonly precondition: RenamePrecondition;
  readonly token: string | undefined;
};

export const renameObject: Operation<"object"> = defineOperation<"object", Input>({
  name: "RenameObject",
  on: "object",
  method: "PUT",
  query: ["renameObject"],
  action: "s3:PutObject",

  parse({ headers }) {
    return {
      header: headers.get("x-amz-rename-source"),
      precondition: parseRenamePrecondition(headers),
      token: parseClientToken(headers.get("x-amz-client-token")),
    };
  },

  async handle(call) {
    const { target: { bucket, key }, input: { header } } = call;
    refuseFolder(key);
    const { size, etag } = await renameFirst(call, parseRenameSource(header, bucket));
    return { response: new Response(null), outcome: { key, size, etag } };
  },
});

/** Renames the first of some keys that has an object. */
async function renameFirst(
  call: Call<"object", Input>,
  [source, ...others]: readonly [ObjectKey, ...ObjectKey[]],
): Promise<Renamed> {
  const { target: { bucket, key }, input, caller, store } = call;
  const { header, precondition, token } = input;
  await allowSource(call, bucket, source);
  try {
    return await store.renameObject(bucket, source, key, {
      precondition,
      idempotency: token === undefined ? undefined : {
        token: `${caller.accessKeyId} ${token}`,
        parameters: JSON.stringify([header, key, precondition]),
      },
    });
  } catch (cause) {
    const [next, ...rest] = others;
    if (next === undefined || !isS3Error(cause, "NoSuchKey")) throw cause;
    return await renameFirst(call, [next, ...rest]);
  }
}

/** Checks that the caller may read the source and delete it: the pipeline has checked the destination. */
async function allowSource(
  { access }: Pick<Call<"object", Input>, "access">,
  bucket: BucketName,
  key: ObjectKey,
): Promise<void> {
  const resource = { on: "object", bucket, key } as const;
  for (const action of ["s3:GetObject", "s3:DeleteObject"] as const) {
    await access.allow({ action, resource });
  }
}
