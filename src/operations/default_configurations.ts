/**
 * PutBucketNotificationConfiguration and PutBucketOwnershipControls: the gateway accepts only the configuration that every
 * bucket has, so that tools may state it. Nothing is stored, because nothing changes.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import type { Action } from "../s3/permission.ts";
import type { RoutingQuery } from "../s3/subresources.ts";
import { parseXml, textOf, type XmlElement } from "../s3/xml_reader.ts";
import { readDocument } from "./bodies/document.ts";
import { defineOperation, type Operation } from "./operation.ts";

/** Maximum size of a document, in bytes: far more than those that are accepted need. */
const MAX_BYTES = 64 * 1024;
/** Maximum number of tags: far more than those that are accepted need. */
const MAX_TAGS = 10_000;

type DefaultConfiguration = {
  readonly name: string;
  readonly action: Action;
  readonly query: RoutingQuery;
  /** Name of the root element. */
  readonly root: string;
  /** Returns whether this is what every bucket has. It throws `MalformedXML` for what AWS does not know. */
  readonly isDefault: (root: XmlElement) => boolean;
};

const NOTIFICATIONS: ReadonlySet<string> = new Set([
  "CloudFunctionConfiguration",
  "EventBridgeConfiguration",
  "QueueConfiguration",
  "TopicConfiguration",
]);
const ENFORCED = "BucketOwnerEnforced";
const OWNERSHIPS: ReadonlySet<string> = new Set([ENFORCED, "BucketOwnerPreferred", "ObjectWriter"]);

const CONFIGURATIONS: readonly DefaultConfiguration[] = [
  {
    name: "PutBucketNotificationConfiguration",
    action: "s3:PutBucketNotification",
    query: "notification",
    root: "NotificationConfiguration",
    isDefault({ children }) {
      if (!children.every(({ name }) => NOTIFICATIONS.has(name))) throw new S3Error("MalformedXML");
      return children.length === 0;
    },
  },
  {
    name: "PutBucketOwnershipControls",
    action: "s3:PutBucketOwnershipControls",
    query: "ownershipControls",
    root: "OwnershipControls",
    isDefault({ children }) {
      const [rule] = children;
      if (rule === undefined || rule.name !== "Rule" || children.length > 1) {
        throw new S3Error("MalformedXML");
      }
      const ownership = textOf(rule, "ObjectOwnership");
      if (!OWNERSHIPS.has(ownership)) throw new S3Error("MalformedXML");
      return ownership === ENFORCED;
    },
  },
];

function toPut(
  { name, action, query, root, isDefault }: DefaultConfiguration,
): Operation<"bucket"> {
  return defineOperation<"bucket", Integrity>({
    name,
    action,
    on: "bucket",
    method: "PUT",
    query: [query],
    parse: ({ headers }) => parseIntegrity(headers),
    async handle(call) {
      const { input, store, target: { bucket } } = call;
      const text = await readDocument(call, input, MAX_BYTES);
      await store.readBucket(bucket);
      if (isDefault(parseXml(text, root, MAX_TAGS))) return new Response(null);
      throw new S3Error("NotImplemented", {}, {
        message: `This ${root} is not implemented: the gateway accepts only the default`,
      });
    },
  });
}

/** The operations that put a configuration of which only the default is accepted. */
export const defaultConfigurations: readonly Operation[] = CONFIGURATIONS.map(toPut);
