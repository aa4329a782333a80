/**
 * GetPublicAccessBlock, PutPublicAccessBlock and DeletePublicAccessBlock of S3 Control: what the policies of an account's
 * buckets may not give to everybody. They have the names of AWS's audit events here, because S3 has operations of the same
 * names.
 * See https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html
 *
 * The block lies beside the users, so that every gateway knows it without asking.
 * @module
 */

import { CONTROL_NAMESPACE } from "../s3/control.ts";
import { S3Error } from "../s3/errors.ts";
import { type Integrity, parseIntegrity } from "../s3/integrity.ts";
import type { Action } from "../s3/permission.ts";
import { BLOCK_ROOT, parsePublicAccessBlock } from "../s3/public_access_block.ts";
import type { VerifiedRequest } from "../s3/verified_request.ts";
import { xmlResponse } from "../s3/xml.ts";
import { readDocument } from "./bodies/document.ts";
import { defineOperation, type Operation, type TargetOf } from "./operation.ts";

const PATH = "configuration/publicAccessBlock";
/** Maximum size of a document, in bytes. */
const MAX_BYTES = 64 * 1024;

const GET: Action = "s3:GetAccountPublicAccessBlock";
const PUT: Action = "s3:PutAccountPublicAccessBlock";

/** Refuses a path that goes on behind the resource. */
function checkPath({ method, target }: Pick<VerifiedRequest, "method" | "target">): void {
  if (target.on === "account" && target.path === PATH) return;
  throw new S3Error("MethodNotAllowed", { Method: method, ResourceType: "ACCOUNT" });
}

/** Returns the account, which is the caller's: the third step has compared them. */
function accountOf({ account }: TargetOf<"account">): string {
  if (account === undefined) throw new S3Error("AccessDenied");
  return account;
}

const get = defineOperation<"account", void>({
  name: "GetAccountPublicAccessBlock",
  on: "account",
  method: "GET",
  path: PATH,
  action: GET,
  parse: checkPath,
  async handle({ target, users }) {
    const directory = users.current() ?? await users.read();
    const block = directory.blockOf(accountOf(target));
    if (block === undefined) throw new S3Error("NoSuchPublicAccessBlockConfiguration");
    return xmlResponse(BLOCK_ROOT, block, {}, CONTROL_NAMESPACE);
  },
});

const put = defineOperation<"account", Integrity>({
  name: "PutAccountPublicAccessBlock",
  on: "account",
  method: "PUT",
  path: PATH,
  action: PUT,
  parse(request) {
    checkPath(request);
    return parseIntegrity(request.headers);
  },
  async handle(call) {
    const account = accountOf(call.target);
    const publicAccessBlock = parsePublicAccessBlock(
      await readDocument(call, call.input, MAX_BYTES),
    );
    await call.users.change(() => [
      { put: { kind: "settings", value: { account, publicAccessBlock } } },
    ]);
    return new Response(null);
  },
});

const remove = defineOperation<"account", void>({
  name: "DeleteAccountPublicAccessBlock",
  on: "account",
  method: "DELETE",
  path: PATH,
  action: PUT,
  parse: checkPath,
  async handle({ target, users }) {
    const account = accountOf(target);
    await users.change((directory) =>
      directory.blockOf(account) === undefined
        ? []
        : [{ remove: { kind: "settings", account, name: "" } }]
    );
    return new Response(null);
  },
});

export const accountPublicAccessBlock: readonly Operation<"account">[] = [get, put, remove];
