/**
 * `nats-s3 users policy`: shows and changes the policies of a user.
 * @module
 */

import { findUser } from "../iam/changes/find.ts";
import {
  attachPolicy,
  deleteInlinePolicy,
  detachPolicy,
  putInlinePolicy,
} from "../iam/changes/rights.ts";
import { noSuch } from "../iam/refusals.ts";
import { accountNumber, type Step } from "./iam_operands.ts";
import type { Verb, VerbInput } from "./verb.ts";

/** `policy`: shows, puts and deletes inline policies, and attaches and detaches managed ones. */
export const POLICY: Verb = {
  usage: "ACCOUNT USER [NAME] [DOCUMENT]",
  help:
    "Lists the policies of a user; shows the inline policy NAME, or replaces it with DOCUMENT, which is JSON",
  flags: ["attach", "detach", "delete"],
  plan(input) {
    const { operands: [text = "", name = "", policy] } = input;
    const change = changeOf(input);
    return async ({ store: { users }, print }) => {
      const account = accountNumber(await users.read(), text);
      const directory = change === undefined
        ? await users.read()
        : await users.change(change(account));
      const { inline, attached } = findUser(directory, account, name);
      if (change === undefined && policy !== undefined) {
        const document = inline.get(policy);
        if (document === undefined) throw noSuch("user policy", policy);
        print(document);
        return;
      }
      for (const one of inline.keys()) print(`inline    ${one}`);
      for (const arn of attached) print(`attached  ${arn}`);
      if (inline.size + attached.length === 0) print("no policies");
    };
  },
};

/** Returns the change that the operands and flags ask for; undefined if they only ask. */
function changeOf(
  { operands: [, name = "", policy, document], flags }: VerbInput,
): ((account: string) => Step) | undefined {
  const [attach, detach] = [flags.get("attach"), flags.get("detach")];
  const isDeletion = flags.get("delete") === "true";
  const asked = [attach, detach, document, isDeletion || undefined]
    .filter((one) => one !== undefined);
  if (asked.length > 1) {
    throw new RangeError("Choose one: DOCUMENT, --attach, --detach or --delete");
  }
  if (attach !== undefined) {
    return (account) => (d) => attachPolicy(d, { kind: "user", account, name, arn: attach });
  }
  if (detach !== undefined) {
    return (account) => (d) => detachPolicy(d, { kind: "user", account, name, arn: detach });
  }
  if (document !== undefined && policy !== undefined) {
    return (account) => (d) =>
      putInlinePolicy(d, { kind: "user", account, name, policy, document });
  }
  if (!isDeletion) return undefined;
  if (policy === undefined) throw new RangeError("--delete needs the NAME of an inline policy");
  return (account) => (d) => deleteInlinePolicy(d, { kind: "user", account, name, policy });
}
