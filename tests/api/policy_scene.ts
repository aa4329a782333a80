/**
 * A gateway with two accounts, their roots and users, an administrator, and policies that a test sets.
 * @module
 */

import type { AccessServices } from "../../src/access/asked_request.ts";
import { createAuthenticate } from "../../src/auth/authenticate.ts";
import type { Credentials } from "../../src/auth/credentials.ts";
import type { GatewayServices } from "../../src/gateway.ts";
import { parsePolicy } from "../../src/iam/policy.ts";
import { type Principal, rootOf } from "../../src/iam/principal.ts";
import { parseBucketName } from "../../src/s3/names.ts";
import { createMemoryStore, type MemoryStore } from "../../src/store/memory/memory_store.ts";
import { createMemoryUsers } from "../../src/store/memory/users.ts";
import { PAIR } from "../http/wire_request.ts";
import {
  ACCOUNT,
  authenticationIn,
  authorizeWith,
  createTestGateway,
  REGION,
  type Send,
  type TestGateway,
} from "./test_gateway.ts";

/** The account that owns the bucket is {@linkcode ACCOUNT}; this is another one. */
export const OTHER_ACCOUNT = "444455556666";

/** The callers. `root`, `ann` and `ben` are of the bucket's account, `stranger` and `cat` of the other one. */
export type Who = "admin" | "root" | "ann" | "ben" | "stranger" | "cat" | "nobody";

/** A statement of a policy. */
export type Statement = Readonly<Record<string, unknown>>;

/** Returns the text of a policy. */
export function policyOf(...statements: readonly Statement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

/** Returns a statement that allows actions on resources of the bucket `bucket`: "" is the bucket, `/*` its objects. */
export function allow(actions: string, resources: string, more: Statement = {}): Statement {
  return {
    Effect: "Allow",
    Action: actions.split(" ").map((name) => name.includes(":") ? name : `s3:${name}`),
    Resource: resources.split(" ").map((path) =>
      path === "*" ? path : `arn:aws:s3:::bucket${path}`
    ),
    ...more,
  };
}

/** Returns the same statement with the effect to deny. */
export function deny(actions: string, resources: string, more: Statement = {}): Statement {
  return { ...allow(actions, resources, more), Effect: "Deny" };
}

/** Stands for the bucket itself in a list of resources, beside its objects. */
export const ALL = " /*";

/** Returns the principals of some callers for a statement of a bucket policy. */
export function to(...names: readonly (Who | "everybody")[]): Statement {
  if (names.includes("everybody")) return { Principal: "*" };
  return { Principal: { AWS: names.map((name) => arnOf(name as Who)) } };
}

/** Returns the ARN of a caller. */
export function arnOf(who: Who): string {
  const account = who === "stranger" || who === "cat" ? OTHER_ACCOUNT : ACCOUNT;
  const isRoot = who === "root" || who === "stranger" || who === "admin";
  return `arn:aws:iam::${account}:${isRoot ? "root" : `user/${who}`}`;
}

/** A gateway under test. */
export type PolicyScene = TestGateway & {
  readonly store: MemoryStore;
  /** Sends a request as somebody. */
  readonly as: (who: Who, method: string, target: string, send?: Send) => Promise<Response>;
  /** Gives a user one policy, or none. */
  readonly give: (who: Who, ...statements: readonly Statement[]) => void;
  /** Sets the policy of the bucket, or deletes it. */
  readonly setBucketPolicy: (...statements: readonly Statement[]) => Promise<void>;
};

/** Returns the secret of an access key; ann's is that of presigned URLs. */
function secretOf(accessKeyId: string): string {
  return accessKeyId === PAIR.accessKeyId ? PAIR.secretAccessKey : `${accessKeyId}-secret`;
}

const BUCKET = parseBucketName("bucket");

/** Creates the gateway. The bucket `bucket` belongs to `root`'s account. */
export async function createPolicyScene(
  services: Partial<GatewayServices> & { readonly decided?: AccessServices["decided"] } = {},
): Promise<PolicyScene> {
  const policies = new Map<Who, string>();
  const principalOf = (who: string): Principal | undefined => {
    if (who === "root") return rootOf(ACCOUNT, { isAdmin: false });
    if (who === "admin" || who === "alice") return rootOf(ACCOUNT, { isAdmin: true });
    if (who === "stranger") return rootOf(OTHER_ACCOUNT, { isAdmin: false });
    if (who !== "ann" && who !== "ben" && who !== "cat") return undefined;
    const text = policies.get(who);
    return {
      account: who === "cat" ? OTHER_ACCOUNT : ACCOUNT,
      arn: arnOf(who),
      userId: `AIDA${who.toUpperCase()}`,
      name: who,
      isRoot: false,
      isAdmin: false,
      tags: new Map([["team", "blue"]]),
      policies: text === undefined
        ? []
        : [parsePolicy(text, "identity", { origin: `inline policy of user ${who}` })],
      limits: [],
    };
  };
  const credentials: Credentials = {
    refresh: () => undefined,
    find(accessKeyId) {
      const principal = principalOf(accessKeyId);
      return principal && { secrets: [secretOf(accessKeyId)], principal };
    },
  };
  const store = services.store as MemoryStore | undefined ??
    createMemoryStore({ minPartSize: 5, now: () => new Date("2024-05-01T10:00:00.500Z") });
  const { decided, ...rest } = services;
  const users = services.users ?? createMemoryUsers();
  const gateway = await createTestGateway({
    store,
    authenticate: createAuthenticate({ ...authenticationIn(REGION), credentials }),
    users,
    authorize: authorizeWith(store, {
      isIsolated: true,
      users,
      dropsAcls: services.dropAcl !== undefined,
      ...(decided && { decided }),
    }),
    ...rest,
  });
  return {
    ...gateway,
    store,
    as(who, method, target, send = {}) {
      if (who === "nobody") return gateway.send(method, target, { ...send, anonymous: true });
      const signer = { accessKeyId: who, secret: secretOf(who) };
      return gateway.send(method, target, { ...send, ...signer });
    },
    give(who, ...statements) {
      if (statements.length === 0) policies.delete(who);
      else policies.set(who, policyOf(...statements));
    },
    async setBucketPolicy(...statements) {
      if (statements.length === 0) await store.deleteDocument(BUCKET, "policy");
      else await store.putDocument(BUCKET, "policy", policyOf(...statements));
    },
  };
}

/** Returns the status of a response and its error code, such as `403 AccessDenied`; `200` for a success. */
export async function outcomeOf(response: Response): Promise<string> {
  const text = await response.text();
  const code = /<Error><Code>(\w+)<\/Code>/.exec(text)?.[1];
  return code === undefined ? String(response.status) : `${response.status} ${code}`;
}
