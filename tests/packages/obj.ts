/**
 * The object store of the NATS client. See `client_s3.ts` for why it is imported here.
 * @module
 */

export * from "npm:@nats-io/obj@3.4.0";
