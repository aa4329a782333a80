/**
 * What a caller may do within one request: the only place that asks policies.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html
 *
 * Amazon tells whether a key exists only to callers who may list its bucket: others receive 403 instead of 404.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * @module
 */

import type { Decision } from "../iam/evaluate.ts";
import type { Principal } from "../iam/principal.ts";
import { isS3Error, S3Error } from "../s3/errors.ts";
import type { BucketName } from "../s3/names.ts";
import { type Action, actionOnVersion, bucketOfTarget, type Permission } from "../s3/permission.ts";
import type { Target } from "../s3/request.ts";
import type { BucketInfo } from "../store/buckets.ts";
import type { ObjectInfo } from "../store/objects.ts";
import { monotonic } from "../world/world.ts";
import type { AccessServices, AskedRequest } from "./asked_request.ts";
import { begin } from "./begin.ts";
import type { BucketAccess, BucketAccesses } from "./bucket_access.ts";
import { decide, dependsOnTags, type ObjectTags } from "./decide.ts";
import { readTags } from "./read_tags.ts";
import { requireOwnAccount, requireRepair } from "./of_policy.ts";
import { createsObject, OF_POLICY } from "./required_actions.ts";

/** What the rest of the pipeline may ask about one request. */
export type Permissions = Pick<
  RequestAccess,
  "allow" | "allowRead" | "blocks" | "conceal" | "confirm" | "isWaiting" | "may" | "owns" | "seen"
>;

/** Milliseconds for which a body may arrive before the bucket is looked at again. */
const CONFIRMED = 1000;

/** The permissions of one request. */
export class RequestAccess {
  readonly blocks: BucketAccesses["blocks"];
  readonly #services: AccessServices;
  readonly #asked: AskedRequest;
  readonly #principal: Principal | undefined;
  /** The bucket of the target, and the last other one. */
  #own: BucketAccess | undefined;
  #other: BucketAccess | undefined;
  /** Decisions that wait for the tags of an object. */
  #waiting: Permission[] | undefined;
  /** The object that the operation reads, and its tags as soon as they are known. */
  #read: Target | undefined;
  #tags: ObjectTags | undefined;
  /** An error that was judged: it tells the caller nothing that the caller may not know. */
  #judged: unknown;
  /** When the bucket was looked at, in monotonic time. */
  #at = monotonic();

  /** @param own Facts of the target's bucket; undefined if the request is about none that exists. */
  constructor(services: AccessServices, asked: AskedRequest, own: BucketAccess | undefined) {
    this.#services = services;
    this.blocks = services.buckets.blocks;
    this.#asked = asked;
    this.#own = own;
    this.#principal = asked.identity.kind === "user" ? asked.identity.principal : undefined;
    if (asked.operation.seesObject === true) this.#read = asked.request.target;
  }

  /** Returns whether the caller needs no policy for the target, whatever the action is. */
  get isFree(): boolean {
    const { operation: { action }, request: { target: resource } } = this.#asked;
    return this.#isFree({ action, resource });
  }

  /** Returns whether a decision waits for the tags of an object that the operation has not shown. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  allow(permission: Permission): Promise<void> | undefined {
    const wait = this.#load(permission);
    if (wait !== undefined) return wait.then(() => this.allow(permission));
    if (!this.#needsTags(permission)) return this.#require(permission);
    const read = readTags(this.#services.store, permission.resource);
    return read.then((tags) => this.#require(permission, tags));
  }

  allowRead(permission: Permission): Promise<void> | undefined {
    this.#read = permission.resource;
    this.#tags = undefined;
    const wait = this.#load(permission);
    if (wait !== undefined) return wait.then(() => this.#waitOrRequire(permission));
    return this.#waitOrRequire(permission);
  }

  seen({ properties }: Pick<ObjectInfo, "properties">): void {
    this.#tags = properties.tags;
    if (this.#waiting !== undefined) this.#decideWaiting(this.#waiting);
  }

  /**
   * Asks again when a body has arrived after a second or more: the bucket may have another policy, or be another one.
   *
   * @throws S3Error as the third step does
   */
  confirm(): Promise<void> | undefined {
    const own = this.#own;
    const now = monotonic();
    if (own === undefined || now - this.#at < CONFIRMED) return undefined;
    this.#at = now;
    const { buckets } = this.#services;
    if (buckets.current(own.bucket) === own) return undefined;
    const read = buckets.read(own.bucket, this.#principal === undefined);
    return read.then((present) =>
      present === own ? undefined : begin(this, this.#asked, this.#own = present)
    );
  }

  may(action: Action, resource: Target): boolean {
    const permission = { action, resource };
    return this.#isFree(permission) || this.#decide(permission).allowed;
  }

  owns(bucket: BucketInfo): boolean {
    const principal = this.#principal;
    if (principal === undefined) return false;
    return principal.isAdmin || principal.account === this.#services.accountOfListed(bucket);
  }

  conceal(cause: unknown, bucket: BucketName): unknown {
    if (!isS3Error(cause) || cause === this.#judged || cause.status >= 500) return cause;
    try {
      // The object is missing, or an error came before the operation saw it.
      if (cause.code !== "NoSuchBucket") this.#decideWaiting(this.#waiting ?? []);
    } catch (denied) {
      return denied;
    }
    if (cause.code !== "NoSuchKey" && cause.code !== "NoSuchVersion") return cause;
    this.#judged = cause;
    if (this.may("s3:ListBucket", { on: "bucket", bucket })) return cause;
    return new S3Error("AccessDenied", {}, { cause });
  }

  /**
   * Checks an action on the target before the operation runs. A condition of a deletion is about the current version.
   *
   * @throws S3Error `AccessDenied`; `MethodNotAllowed` for the policy of another account's bucket
   */
  require(action: Action): Promise<void> | undefined {
    const { operation: { name, seesObject }, request: { target } } = this.#asked;
    const isCondition = name === "DeleteObject" && action === "s3:GetObject";
    const permission = { action, resource: isCondition ? { ...target } : target };
    const wait = seesObject === true ? this.#waitOrRequire(permission) : this.allow(permission);
    if (OF_POLICY.has(action)) requireOwnAccount(this.#asked, this.#principal, this.#own);
    return wait;
  }

  /** Decides at once, or remembers to decide when the object was seen. */
  #waitOrRequire(permission: Permission): undefined {
    if (!this.#needsTags(permission)) return this.#require(permission);
    (this.#waiting ??= []).push(permission);
    return undefined;
  }

  #decideWaiting(waiting: readonly Permission[]): void {
    this.#waiting = undefined;
    for (const permission of waiting) this.#require(permission);
  }

  #require(permission: Permission, tags?: ObjectTags): undefined {
    if (this.#isFree(permission) || this.#decide(permission, tags).allowed) return undefined;
    throw new S3Error("AccessDenied");
  }

  /** Returns whether the owner's root asks about a bucket without a policy: most requests, for which nothing is built. */
  #isFree(permission: Permission): boolean {
    const principal = this.#principal;
    if (principal === undefined || !principal.isRoot || principal.limits.length > 0) return false;
    const facts = this.#factsFor(permission.resource);
    if (facts === undefined) return this.#isOfCaller(permission);
    return facts.policy === undefined && !facts.isBroken &&
      (principal.isAdmin || principal.account === facts.account);
  }

  #decide(permission: Permission, tags = this.#tagsOf(permission)): Decision {
    const { id, operation, request } = this.#asked;
    const bucket = this.#factsFor(permission.resource);
    if (bucket === undefined && !this.#isOfCaller(permission)) {
      throw new TypeError("The facts of the bucket were not read");
    }
    if (bucket?.isBroken === true) requireRepair(permission, this.#principal, bucket);
    const decision = decide({
      permission,
      action: this.#actionOf(permission),
      principal: this.#principal,
      request,
      operation: operation.name,
      bucket,
      tags,
      now: this.#services.now(),
    });
    this.#services.decided(permission, decision, id);
    return decision;
  }

  #needsTags(permission: Permission): boolean {
    const { resource } = permission;
    if (resource.on !== "object" || this.#isFree(permission)) return false;
    const { operation, request } = this.#asked;
    if (resource === request.target && createsObject(operation.name)) return false;
    if (this.#tagsOf(permission) !== undefined) return false;
    const action = this.#actionOf(permission);
    return dependsOnTags(action, this.#principal, this.#factsFor(resource));
  }

  #tagsOf({ resource }: Permission): ObjectTags | undefined {
    const read = this.#read;
    if (read?.on !== "object" || resource.on !== "object") return undefined;
    return read.bucket === resource.bucket && read.key === resource.key ? this.#tags : undefined;
  }

  /** Returns the action for the version that a permission is about: only the target's own one is in the query. */
  #actionOf({ action, resource, facts }: Permission): Action {
    const { target, query } = this.#asked.request;
    const versionId = facts?.versionId ??
      (resource === target ? query.get("versionId") : undefined);
    return actionOnVersion(action, versionId);
  }

  /** Returns whether a permission is about the service or a bucket to create, which belong to the caller's account. */
  #isOfCaller({ resource }: Permission): boolean {
    const { operation, request: { target } } = this.#asked;
    if (bucketOfTarget(resource) === undefined) return true;
    return operation.name === "CreateBucket" && resource === target;
  }

  #factsFor(resource: Target): BucketAccess | undefined {
    const bucket = bucketOfTarget(resource);
    if (bucket === undefined) return undefined;
    if (this.#own?.bucket === bucket) return this.#own;
    return this.#other?.bucket === bucket ? this.#other : undefined;
  }

  /** Reads the facts of the bucket of a permission, unless they are known. */
  #load(permission: Permission): Promise<void> | undefined {
    const bucket = bucketOfTarget(permission.resource);
    if (bucket === undefined || this.#factsFor(permission.resource) !== undefined) return undefined;
    if (this.#isOfCaller(permission)) return undefined;
    this.#other = this.#services.buckets.current(bucket);
    if (this.#other !== undefined) return undefined;
    const read = this.#services.buckets.read(bucket, this.#principal === undefined);
    return read.then((facts) => void (this.#other = facts));
  }
}
