/**
 * GetObjectRetention, PutObjectRetention, GetObjectLegalHold and PutObjectLegalHold: until when a version is locked.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html
 *
 * The gateway also shows and respects the locks that the Go gateway nats-s3 and other programs wrote, in buckets without
 * object lock. There, an object without a lock is answered as AWS answers for such a bucket, and one with a lock of the other
 * kind as in a bucket that has object lock.
 * @module
 */

import { S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import {
  missingLockConfiguration,
  parseBypass,
  parseLegalHold,
  parseRetention,
} from "../s3/stated_lock.ts";
import { versionIdParam } from "../s3/params.ts";
import type { Action } from "../s3/permission.ts";
import type { SubResource } from "../s3/subresources.ts";
import type { VersionId } from "../s3/version_id.ts";
import { xmlResponse, type XmlValue } from "../s3/xml.ts";
import type { LockChange, ObjectInfo } from "../store/objects.ts";
import { versionHeader } from "./answers/version.ts";
import { readDocument } from "./bodies/document.ts";
import { lockConfigurationOf } from "./bodies/lock.ts";
import { requireIntegrity } from "./bodies/required_hash.ts";
import { type Call, defineOperation, definePublicOperation, type Operation } from "./operation.ts";

/** Maximum size of a document, in bytes: far more than a valid one has. */
const MAX_BYTES = 64 * 1024;

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
  return definePublicOperation<"object", VersionId | undefined>({
    name,
    action,
    on: "object",
    method: "GET",
    query: [query],
    optionalQuery: ["versionId"],
    seesObject: true,
    parse: versionIdParam,
    async handle(call) {
      const { target: { bucket, key }, input: versionId, access, store } = call;
      const info = await store.readObject(bucket, key, { versionId });
      access.seen(info);
      const content = read(info);
      if (content !== undefined) {
        return xmlResponse(root, content, { headers: versionHeader(info) });
      }
      const isLocked = info.retention !== undefined || info.legalHold !== undefined;
      if (isLocked || await lockConfigurationOf(call) !== undefined) {
        throw new S3Error("NoSuchObjectLockConfiguration", { Key: key });
      }
      throw missingLockConfiguration();
    },
  });
}

const getObjectRetention = toGet({
  name: "GetObjectRetention",
  action: "s3:GetObjectRetention",
  query: "retention",
  root: "Retention",
  read: ({ retention }) =>
    retention && { Mode: retention.mode, RetainUntilDate: retention.until.toISOString() },
});

const getObjectLegalHold = toGet({
  name: "GetObjectLegalHold",
  action: "s3:GetObjectLegalHold",
  query: "legal-hold",
  root: "LegalHold",
  read: ({ legalHold }) =>
    legalHold === undefined ? undefined : { Status: legalHold ? "ON" : "OFF" },
});

type PutInput = {
  readonly integrity: Integrity;
  readonly versionId: VersionId | undefined;
  /** Of `x-amz-bypass-governance-retention`. */
  readonly bypass: boolean;
};

type PutCall = Call<"object", PutInput>;

type Change = {
  readonly name: string;
  readonly action: Action;
  readonly query: SubResource;
  /** Parses a document, and asks for the permissions that it needs. */
  readonly read: (text: string, call: PutCall) => Promise<LockChange>;
};

function toPut({ name, action, query, read }: Change): Operation<"object"> {
  return defineOperation<"object", PutInput>({
    name,
    action,
    on: "object",
    method: "PUT",
    query: [query],
    optionalQuery: ["versionId"],
    asksItself: true,
    parse: (request) => ({
      integrity: parseIntegrity(request.headers),
      versionId: versionIdParam(request),
      bypass: parseBypass(request.headers) === true,
    }),
    async handle(call) {
      const { target: { bucket, key }, input: { integrity, versionId }, store } = call;
      const change = await read(await readDocument(call, integrity, MAX_BYTES), call);
      requireIntegrity(integrity);
      if (await lockConfigurationOf(call) === undefined) throw missingLockConfiguration();
      const changed = await store.changeLock(bucket, key, change, { versionId });
      const response = new Response(null, { headers: versionHeader(changed) });
      return { response, outcome: { key, versionId: changed.versionId } };
    },
  });
}

const putObjectRetention = toPut({
  name: "PutObjectRetention",
  action: "s3:PutObjectRetention",
  query: "retention",
  async read(text, { target: resource, input: { bypass }, access }) {
    const retention = parseRetention(text);
    const facts = { lock: retention ?? {} };
    await access.allow({ action: "s3:PutObjectRetention", resource, facts });
    if (bypass) await access.allow({ action: "s3:BypassGovernanceRetention", resource, facts });
    return { kind: "retention", retention, bypass };
  },
});

const putObjectLegalHold = toPut({
  name: "PutObjectLegalHold",
  action: "s3:PutObjectLegalHold",
  query: "legal-hold",
  async read(text, { target: resource, access }) {
    const legalHold = parseLegalHold(text);
    await access.allow({
      action: "s3:PutObjectLegalHold",
      resource,
      facts: { lock: { legalHold } },
    });
    return { kind: "hold", legalHold };
  },
});

export const objectLock: readonly Operation[] = [
  getObjectRetention,
  getObjectLegalHold,
  putObjectRetention,
  putObjectLegalHold,
];
