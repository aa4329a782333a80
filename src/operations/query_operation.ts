/**
 * The shape of an operation of a query API: STS or IAM.
 * @module
 */

import type { AskedResource } from "../iam/arns.ts";
import type { Sources } from "../iam/identifiers.ts";
import type { Principal } from "../iam/principal.ts";
import type { Query } from "../s3/request.ts";
import type { XmlValue } from "../s3/xml.ts";
import type { Users } from "../store/users.ts";

/** The values of condition keys, by name in lower case. */
export type ConditionValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request to a query API. */
export type QueryRequest = {
  /** What the form or the query says. */
  readonly parameters: Query;
  readonly caller: Principal;
  readonly users: Users;
  readonly sources: Sources;
  /**
   * Checks that the caller may do this.
   *
   * @param action `iam:CreateUser`.
   * @throws S3Error `AccessDenied`, which tells nothing but what the request named
   */
  readonly allow: (action: string, resource: AskedResource, conditions: ConditionValues) => void;
};

/** An operation, ready to run. */
export type QueryOperation = {
  /** As AWS names it: `CreateUser`. */
  readonly name: string;
  /** Runs the operation; returns the content of its result, undefined for none. */
  readonly run: (request: QueryRequest) => Promise<XmlValue>;
};
