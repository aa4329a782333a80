/**
 * The shape of an operation: a name, the route that leads to it, and parse → handle.
 * @module
 */

import type { Identity, User } from "../auth/identity.ts";
import type { HasPrincipal } from "../iam/principals.ts";
import type { DropAcl } from "../s3/acl.ts";
import type { ChecksumAlgorithm } from "../s3/checksum_algorithms.ts";
import { S3Error } from "../s3/errors.ts";
import type { LoggedParts } from "../s3/log_line.ts";
import type { BucketName } from "../s3/names.ts";
import type { Payload } from "../s3/payload.ts";
import type { Action, Permission } from "../s3/permission.ts";
import type { PublicAccessBlock } from "../s3/public_access_block.ts";
import { homeRegion } from "../s3/region.ts";
import type { Target } from "../s3/request.ts";
import type { RoutingQuery, SubResource } from "../s3/subresources.ts";
import type { VerifiedRequest } from "../s3/verified_request.ts";
import type { BucketInfo } from "../store/buckets.ts";
import type { ObjectInfo } from "../store/objects.ts";
import type { Store } from "../store/store.ts";
import type { Users } from "../store/users.ts";
import type { RequestOutcome } from "../telemetry/request_record.ts";
import type { Lifecycles } from "./answers/lifecycle.ts";
import type { DocumentBudget } from "./bodies/document_budget.ts";

/** The services that every operation may use. */
export type Services = {
  readonly store: Store;
  readonly users: Users;
  /** The region of buckets without a location; `*` if each request names it. */
  readonly region: string;
  /** The locations that buckets may be created in, beside the region; none by default. */
  readonly locations?: readonly string[];
  /** The checksum of objects for which the client names none (`--checksum.default`). */
  readonly checksumDefault: ChecksumAlgorithm | undefined;
  /** The operator states that JetStream encrypts what it stores (`--encryption.at-rest`). */
  readonly encryptionAtRest: boolean;
  /** Drops ACLs of writes that would widen access (`--bucket.acl-headers`); undefined if they are refused. */
  readonly dropAcl?: DropAcl | undefined;
  /** New buckets begin with a public access block of which everything is on (`--bucket.public-access-block`). */
  readonly blocksNewBuckets?: boolean | undefined;
  /** The lifecycle rules of buckets; without it no answer says what expires. */
  readonly lifecycles?: Lifecycles | undefined;
  /** The memory of request documents. */
  readonly documents: DocumentBudget;
  /** Returns whether there is a principal that a bucket policy names; every one of a valid form without it. */
  readonly hasPrincipal?: HasPrincipal | undefined;
  /** Returns the owner of a bucket, to be compared with that of another one; the access key recorded in it without it. */
  readonly ownerOf?: ((bucket: BucketInfo) => string | undefined) | undefined;
};

/**
 * What the caller may do within one request. The pipeline has checked the operation's own actions on the target, unless
 * the operation asks itself.
 */
export type Access = {
  /**
   * Checks a permission that only the parsed request names. It returns nothing to wait for in most cases.
   *
   * @throws S3Error `AccessDenied`
   */
  readonly allow: (permission: Permission) => Promise<void> | undefined;
  /**
   * Checks a permission on an object that the operation reads next. A decision that depends on the object's tags is left
   * to {@linkcode Access.seen}.
   *
   * @throws S3Error `AccessDenied`
   */
  readonly allowRead: (permission: Permission) => Promise<void> | undefined;
  /**
   * Decides what depends on the tags of an object. An operation with `seesObject` calls it with the object as it read it,
   * before it compares, returns or changes anything.
   *
   * @throws S3Error `AccessDenied`
   */
  readonly seen: (object: Pick<ObjectInfo, "properties">) => void;
  /** Returns whether a permission on the object that was seen is given, without refusing anything. */
  readonly may: (action: Action, resource: Target) => boolean;
  /** Returns whether a bucket belongs to the caller's account; an administrator's are all. */
  readonly owns: (bucket: BucketInfo) => boolean;
  /** Reads whether a switch of the public access block is on for a bucket, there or in its account. */
  readonly blocks: (block: keyof PublicAccessBlock, bucket: BucketName) => Promise<boolean>;
  /** Returns the error to answer instead of one that tells whether a key of a bucket exists. */
  readonly conceal: (cause: unknown, bucket: BucketName) => unknown;
};

/** The part of {@linkcode Services} that parsing depends on. */
export type ParseServices = Pick<
  Services,
  "blocksNewBuckets" | "checksumDefault" | "dropAcl" | "encryptionAtRest" | "locations" | "region"
>;

/**
 * Wraps a stream that becomes the body of a response: the stream is cancelled when the client disconnects or reads
 * nothing for too long.
 */
export type Deliver = (source: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>;

/** The kind of target that an operation works on. */
export type On = Target["on"];
/** The target of an operation on `O`. */
export type TargetOf<O extends On> = Extract<Target, { on: O }>;

/** How a request is routed to an operation; router, metrics, policies and the README read it. */
export type Route<O extends On = On> = {
  /** As AWS names it: `ListParts`. */
  readonly name: string;
  readonly on: O;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** First segment of the path of a request of S3 Control. */
  readonly path?: string;
  /** Required query names; `name=value` requires the value also. */
  readonly query?: readonly RoutingQuery[];
  /** Permitted query names that AWS knows as sub-resources; with any other sub-resource the route does not match. */
  readonly optionalQuery?: readonly SubResource[];
  /** Required header names, in lower case. */
  readonly headers?: readonly string[];
  /** The work may take long and its response is small XML, so the response may begin before the work has ended. */
  readonly slow?: boolean;
  /** It may take milliseconds of processor time, or its response megabytes, so clients take turns (`http/turns.ts`). */
  readonly heavy?: boolean;
  /** AWS documents the operation and the gateway does not support it: it fails with `NotImplemented`. */
  readonly unsupported?: boolean;
};

/** A response, and what the operation did: the request's record carries it to the audit log. */
export type Handled = {
  readonly response: Response;
  /** Undefined if it neither wrote nor deleted one object. */
  readonly outcome?: RequestOutcome;
  /** The parts of the request that have lines of their own in access logs. */
  readonly parts?: LoggedParts;
};

/** The permission that an operation needs. */
type Authorized = {
  /** The policy action: `s3:ListMultipartUploadParts`. */
  readonly action: Action;
  /** The operation asks for its permissions itself, because they depend on the body of the request. */
  readonly asksItself?: boolean;
  /** The operation reads the object of its target and shows it to {@linkcode Access.seen}. */
  readonly seesObject?: boolean;
};

/** An operation, ready to run. */
export type Operation<O extends On = On> = Route<O> & Authorized & {
  /** Everybody may run it, where a policy allows that; other operations are for users alone. */
  readonly everybody: boolean;
  /** Runs a request that was routed here, on behalf of its caller. */
  readonly run: (
    request: VerifiedRequest,
    caller: Identity,
    services: Services,
    deliver: Deliver,
    access: Access,
  ) => Promise<Response | Handled>;
};

/** The argument of `handle`. */
export type Call<O extends On, Input, Caller extends Identity = User> = {
  readonly target: TargetOf<O>;
  readonly input: Input;
  /** Owns what the operation creates. */
  readonly caller: Caller;
  readonly payload: Payload;
  readonly client: VerifiedRequest["client"];
  /** The region of buckets without a location. */
  readonly region: string;
  readonly deliver: Deliver;
  readonly access: Access;
} & Pick<Services, "store" | "documents" | "hasPrincipal" | "lifecycles" | "ownerOf" | "users">;

/** An operation as its file defines it. */
export type Definition<O extends On, Input, Caller extends Identity = User> =
  & Route<O>
  & Authorized
  & {
    /** Turns text into typed values, or throws. */
    readonly parse: (request: VerifiedRequest, services: ParseServices) => Input;
    /** Does the work; reads neither headers nor query. */
    readonly handle: (call: Call<O, Input, Caller>) => Promise<Response | Handled>;
  };

/**
 * Creates an operation that only a user may run. `Input` stays inside, so that the table needs no casts.
 *
 * Its `run` throws `AccessDenied` for an anonymous caller.
 */
export function defineOperation<O extends On, Input>(
  definition: Definition<O, Input>,
): Operation<O> {
  return create(definition, userOf, false);
}

/** Creates an operation that everybody may run, as far as the third step allows it. */
export function definePublicOperation<O extends On, Input>(
  definition: Definition<O, Input, Identity>,
): Operation<O> {
  return create(definition, (identity) => identity, true);
}

function userOf(identity: Identity): User {
  if (identity.kind === "anonymous") throw new S3Error("AccessDenied");
  return identity;
}

function create<O extends On, Input, Caller extends Identity>(
  { parse, handle, ...rest }: Definition<O, Input, Caller>,
  callerOf: (identity: Identity) => Caller,
  everybody: boolean,
): Operation<O> {
  return {
    ...rest,
    everybody,
    async run(request, identity, services, deliver, access) {
      const { target, payload, client } = request;
      const region = homeRegion(services.region, request.region);
      const { store, documents, hasPrincipal, lifecycles, ownerOf, users } = services;
      if (target.on !== rest.on) throw new TypeError(`Cannot run ${rest.name} on a ${target.on}`);
      const caller = callerOf(identity);
      const input = parse(request, services);
      return await handle({
        target: target as TargetOf<O>,
        input,
        caller,
        payload,
        client,
        region,
        deliver,
        access,
        store,
        documents,
        hasPrincipal,
        lifecycles,
        ownerOf,
        users,
      });
    },
  };
}
