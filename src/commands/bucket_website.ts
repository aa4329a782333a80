/**
 * `nats-s3 buckets website`: lets everybody read a bucket, or users alone.
 * @module
 */

import { PublicAccessBlocks } from "../access/public_access_blocks.ts";
import { S3Error } from "../s3/errors.ts";
import { formatPublicRead } from "../s3/policy.ts";
import { parseBucket, type Verb } from "./verb.ts";

/** Stores the policy that lets everybody read, unless a public access block refuses it, or deletes the policy of a bucket. */
export const WEBSITE: Verb = {
  usage: "BUCKET",
  help:
    "Lets everybody read the objects of a bucket, as a web site requires (--public), or users alone (--private)",
  flags: ["public", "private"],
  plan({ operands: [name = ""], flags }) {
    const bucket = parseBucket(name);
    const isPublic = flags.get("public") === "true";
    if (isPublic === (flags.get("private") === "true")) {
      throw new RangeError("Choose one flag: --public or --private");
    }
    return async ({ store, config, print }) => {
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
