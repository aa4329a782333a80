/**
 * A gateway over users in memory, and a client of its IAM API. The key `alice` belongs to the root of the account.
 * @module
 */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createAuthenticate } from "../../src/auth/authenticate.ts";
import { createAuthenticateQuery } from "../../src/auth/authenticate_query.ts";
import type { Credentials } from "../../src/auth/credentials.ts";
import type { GatewayServices } from "../../src/gateway.ts";
import { compileIdentity, principalOf } from "../../src/iam/user_principal.ts";
import { childrenOf, parseXml, type XmlElement } from "../../src/s3/xml_reader.ts";
import { createMemoryUsers } from "../../src/store/memory/users.ts";
import type { Users } from "../../src/store/users.ts";
import {
  authenticationIn,
  createTestGateway,
  REGION,
  type Send,
  type TestGateway,
} from "./test_gateway.ts";

export const NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/";
/** A policy document that allows something. */
export const DOCUMENT =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}';

/** The parameters of an action; a list is sent as `Name.member.1`, a structure as `Name.member.1.Field`. */
export type Input = {
  readonly [name: string]: string | readonly (string | Readonly<Record<string, string>>)[];
};

/** An access key that signs. */
export type Key = { readonly accessKeyId: string; readonly secret: string };

/** The answer of an action: its result, or its error. */
export type Answer = {
  readonly status: number;
  /** The code of an error; undefined for a success. */
  readonly code: string | undefined;
  readonly message: string;
  /** The result; without children if there is none. */
  readonly result: XmlElement;
  readonly text: string;
};

/** A gateway with IAM. */
export type IamGateway = TestGateway & {
  readonly users: Users;
  /** Calls an action, by default with the key of the root. */
  readonly call: (action: string, input?: Input, key?: Key, send?: Send) => Promise<Answer>;
  /** Calls an action, which must succeed; returns the result. */
  readonly must: (action: string, input?: Input, key?: Key) => Promise<XmlElement>;
  /** Calls an action, which must fail with a code and change nothing; returns the message. */
  readonly fails: (code: string, action: string, input?: Input, key?: Key) => Promise<string>;
  /** Makes a user with a key. */
  readonly createUser: (name: string, path?: string) => Promise<Key>;
};

/** Creates a gateway with IAM. */
export async function createIamGateway(
  overrides: Partial<GatewayServices> = {},
): Promise<IamGateway> {
  const users = overrides.users ?? createMemoryUsers();
  const options = authenticationIn(overrides.region ?? REGION);
  const credentials: Credentials = {
    refresh: () => undefined,
    find(id) {
      const directory = users.current();
      const holder = directory?.holderOf(id);
      if (directory === undefined || holder === undefined) return options.credentials.find(id);
      const { secret, isActive } = holder.key;
      const principal = principalOf(directory, holder, compileIdentity);
      return isActive ? { secrets: [secret], principal } : undefined;
    },
  };
  const gateway = await createTestGateway({
    authenticate: createAuthenticate({ ...options, credentials }),
    authenticateQuery: createAuthenticateQuery({ ...options, credentials }),
    users,
    ...overrides,
  });

  const call: IamGateway["call"] = async (action, input, key, send) => {
    const response = await gateway.send("POST", "/", {
      service: "iam",
      region: "us-east-1",
      statesHash: false,
      body: formOf(action, input ?? {}),
      headers: { "content-type": "application/x-www-form-urlencoded" },
      ...key,
      ...send,
    });
    return await readAnswer(response, action);
  };
  const must: IamGateway["must"] = async (action, input, key) => {
    const { code, result, text } = await call(action, input, key);
    strictEqual(code, undefined, `${action}: ${text}`);
    return result;
  };
  return {
    ...gateway,
    users,
    call,
    must,
    async fails(code, action, input, key) {
      const before = users.current();
      const answer = await call(action, input, key);
      strictEqual(answer.code, code, `${action}: ${answer.text}`);
      strictEqual(users.current(), before, `${action} changed something`);
      return answer.message;
    },
    async createUser(name, path = "/") {
      await must("CreateUser", { UserName: name, Path: path });
      const result = await must("CreateAccessKey", { UserName: name });
      const [accessKeyId = ""] = texts(result, "AccessKey", "AccessKeyId");
      const [secret = ""] = texts(result, "AccessKey", "SecretAccessKey");
      return { accessKeyId, secret };
    },
  };
}

/** Returns the form of an action. */
export function formOf(action: string, input: Input, version = "2010-05-08"): string {
  const form = new URLSearchParams({ Action: action, Version: version });
  for (const [name, value] of Object.entries(input)) {
    if (typeof value === "string") {
      form.set(name, value);
      continue;
    }
    for (const [i, member] of value.entries()) {
      const fields = typeof member === "string" ? { "": member } : member;
      for (const [field, text] of Object.entries(fields)) {
        form.set(`${name}.member.${i + 1}${field === "" ? "" : `.${field}`}`, text);
      }
    }
  }
  return form.toString();
}

/** Reads an answer of IAM and checks its form. */
export async function readAnswer(response: Response, action: string): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  strictEqual(headers.get("content-type"), "text/xml", text);
  const plain = text.replace(` xmlns="${NAMESPACE}"`, "");
  ok(plain !== text, text);
  const id = headers.get("x-amzn-requestid") ?? "";
  if (status === 200) {
    const root = parseXml(plain, `${action}Response`);
    deepStrictEqual(texts(root, "ResponseMetadata", "RequestId"), [id]);
    const result = childrenOf(root, `${action}Result`)[0] ?? { ...root, children: [] };
    return { status, code: undefined, message: "", result, text };
  }
  const root = parseXml(plain, "ErrorResponse");
  deepStrictEqual(texts(root, "RequestId"), [id]);
  deepStrictEqual(texts(root, "Error", "Type"), [status < 500 ? "Sender" : "Receiver"]);
  const [code] = texts(root, "Error", "Code");
  const [message = ""] = texts(root, "Error", "Message");
  return { status, code, message, result: root, text };
}

/** Returns the texts of the elements at a path of names below an element. */
export function texts(element: XmlElement, ...path: readonly string[]): readonly string[] {
  return path.reduce<readonly XmlElement[]>(
    (elements, name) => elements.flatMap((element) => childrenOf(element, name)),
    [element],
  ).map(({ text }) => text);
}
