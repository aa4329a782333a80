/**
 * GetObjectRetention and GetObjectLegalHold: until when an object is locked. The gateway locks nothing by itself, but it
 * respects the locks that the Go gateway nats-s3 and other programs wrote.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html
 *
 * No bucket has a configuration of object lock. So an object without a lock is answered as in such a bucket, and one with a
 * lock of the other kind as in a bucket that has the configuration.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { refuseVersionId } from "../s3/params.ts";
import type { Action } from "../s3/permission.ts";
import type { SubResource } from "../s3/subresources.ts";
import { xmlResponse, type XmlValue } from "../s3/xml.ts";
import type { ObjectInfo } from "../store/objects.ts";
import { definePublicOperation, type Operation } from "./operation.ts";

type Lock = {
  readonly name: string;
  readonly action: Action;
  readonly query: SubResource;
  /** Name of the root element. */
  readonly root: string;
  /** Returns the content of the root element; undefined if the object has no such lock. */
  readonly read: (info: ObjectInfo) => XmlValue;
};

function toGet({ name, action, query, root, read }: Lock): Operation<"object"> {
  return definePublicOperation<"object", void>({
    name,
    action,
    on: "object",
    method: "GET",
    query: [query],
    optionalQuery: ["versionId"],
    seesObject: true,
    parse: ({ query }) => refuseVersionId(query.get("versionId")),
    async handle({ target: { bucket, key }, access, store }) {
      const info = await store.readObject(bucket, key);
      access.seen(info);
      const content = read(info);
      if (content !== undefined) return xmlResponse(root, content);
      if (info.retention !== undefined || info.legalHold === true) {
        throw new S3Error("NoSuchObjectLockConfiguration", { Key: key });
      }
      throw new S3Error("InvalidRequest", {}, {
        message: "Bucket is missing Object Lock Configuration",
      });
    },
  });
}

export const getObjectRetention: Operation<"object"> = toGet({
  name: "GetObjectRetention",
  action: "s3:GetObjectRetention",
  query: "retention",
  root: "Retention",
  read: ({ retention }) =>
    retention && { Mode: retention.mode, RetainUntilDate: retention.until.toISOString() },
});

export const getObjectLegalHold: Operation<"object"> = toGet({
  name: "GetObjectLegalHold",
  action: "s3:GetObjectLegalHold",
  query: "legal-hold",
  root: "LegalHold",
  read: ({ legalHold }) => legalHold === true ? { Status: "ON" } : undefined,
});
