/**
 * `nats-s3 buckets website`: lets everybody read a bucket, or users alone.
 * @module
 */

import { PublicAccessBlocks } from "../access/public_access_blocks.ts";
import { S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import { formatPublicRead, isPublicRead } from "../s3/policy.ts";
import { parseBucket, type Verb } from "./verb.ts";

/**
 * Stores the policy that lets everybody read, unless a public access block refuses it, or deletes it. Another policy of the
 * bucket stays, unless `--replace` gives it up.
 */
export const WEBSITE: Verb = {
  usage: "BUCKET",
  help:
    "Lets everybody read the objects of a bucket, as a web site requires (--public), or only users (--private)",
  flags: ["public", "private", "replace"],
  plan({ operands: [name = ""], flags }) {
    const bucket = parseBucket(name);
    const isPublic = flags.get("public") === "true";
    if (isPublic === (flags.get("private") === "true")) {
      throw new RangeError("Choose one flag: --public or --private");
    }
    const isReplacing = flags.get("replace") === "true";
    return async ({ store, config, print }) => {
      if (!isReplacing) refuseOther(bucket, await store.readDocument(bucket, "policy"));
      if (isPublic) {
        const { account = config.account } = await store.readOwner(bucket) ?? {};
        const blocks = new PublicAccessBlocks({ documents: store, users: store.users });
        if (await blocks.read("BlockPublicPolicy", bucket, account)) {
          throw new S3Error("AccessDenied", {}, {
            message: `A public access block keeps bucket ${bucket} from becoming public`,
          });
        }
        await store.preparePolicy(bucket, true);
        await store.putDocument(bucket, "policy", formatPublicRead(bucket));
      } else await store.deleteDocument(bucket, "policy", { everywhere: true });
      print(`${bucket}: ${isPublic ? "everybody" : "users alone"} may read its objects`);
    };
  },
};

/**
 * Refuses to give up a policy that says anything else than that everybody may read.
 *
 * @throws RangeError for the user
 */
function refuseOther(bucket: BucketName, policy: string | undefined): void {
  if (policy === undefined || isPublicRead(policy, bucket)) return;
  throw new RangeError(
    `Bucket "${bucket}" has another policy, which stays as it is: change it with PutBucketPolicy, or give it up ` +
      "with --replace",
  );
}
