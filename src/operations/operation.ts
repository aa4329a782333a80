/**
 * What an operation is: a name, what routes to it, and parse → handle.
 * @module
 */

import type { Payload } from "../s3/payload.ts";
import type { Target } from "../s3/request.ts";
import type { Identity, VerifiedRequest } from "../s3/verified_request.ts";
import type { Store } from "../store/store.ts";

/** What every operation may use. */
export type Services = {
  readonly store: Store;
  readonly region: string;
  /** The operator states that JetStream encrypts what it stores (`--encryption.at-rest`). */
  readonly encryptionAtRest: boolean;
  readonly now: () => Date;
};

/**
 * What a stream goes through before it becomes the body of an answer: it is cancelled when the client has gone or takes
 * nothing for too long.
 */
export type Deliver = (source: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>;

/** What an operation is about. */
export type On = Target["on"];
/** The target of an operation on `O`. */
export type TargetOf<O extends On> = Extract<Target, { on: O }>;

/** How a request is routed to an operation; router, metrics, policies and the README read it. */
export type Route<O extends On = On> = {
  /** As AWS names it: `ListParts`. */
  readonly name: string;
  readonly on: O;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE" | "OPTIONS";
  /** Query names that must be there; `name=value` demands the value too. */
  readonly query?: readonly string[];
  /** Query names that may be there and that AWS knows as sub-resources; any other sub-resource does not match. */
  readonly optionalQuery?: readonly string[];
  /** Lower-case header names that must be there. */
  readonly headers?: readonly string[];
  /** It may take long and its answer is small XML: when it does, the answer begins before the work has ended. */
  readonly slow?: boolean;
  /** AWS documents it and it is not here: it answers `NotImplemented`. */
  readonly unsupported?: boolean;
};

/** An operation, ready to run. */
export type Operation<O extends On = On> = Route<O> & {
  /** The policy action: `s3:ListMultipartUploadParts`. */
  readonly action: string;
  /** Runs on a request that routed here. */
  readonly run: (
    request: VerifiedRequest,
    services: Services,
    deliver: Deliver,
  ) => Promise<Response>;
};

/** What `handle` is given. */
export type Call<O extends On, Input> = {
  readonly target: TargetOf<O>;
  readonly input: Input;
  readonly identity: Identity;
  readonly payload: Payload;
  readonly client: VerifiedRequest["client"];
  readonly deliver: Deliver;
} & Services;

/** An operation as it is written. */
export type Definition<O extends On, Input> = Route<O> & {
  readonly action: string;
  /** Text → typed values, or throws. */
  readonly parse: (request: VerifiedRequest, services: Services) => Input;
  /** Does it; touches neither headers nor query. */
  readonly handle: (call: Call<O, Input>) => Promise<Response>;
};

/** Makes an operation; `Input` stays inside, so that the table needs no casts. */
export function defineOperation<O extends On, Input>(
  { parse, handle, ...rest }: Definition<O, Input>,
): Operation<O> {
  return {
    ...rest,
    async run(request, services, deliver) {
      const { target, identity, payload, client } = request;
      if (target.on !== rest.on) throw new TypeError(`Cannot run ${rest.name} on a ${target.on}`);
      const input = parse(request, services);
      return await handle({
        ...services,
        target: target as TargetOf<O>,
        input,
        identity,
        payload,
        client,
        deliver,
      });
    },
  };
}
