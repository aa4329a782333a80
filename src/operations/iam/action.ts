/**
 * The shape of an action of IAM: parse → allow → handle.
 * See https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 *
 * Every action has the account of its caller: an administrator acts on the administrator's own. A change that another one
 * overtook is allowed again, because it may be about somebody else of the same name now. A refusal names the resource as if
 * nothing existed, so it tells neither that a name is taken nor its path.
 * @module
 */

import { Directory } from "../../iam/directory.ts";
import type { Change } from "../../iam/entities.ts";
import type { Sources } from "../../iam/identifiers.ts";
import type { Principal } from "../../iam/principal.ts";
import type { XmlValue } from "../../s3/xml.ts";
import type { ConditionValues, QueryOperation } from "../query_operation.ts";
import { Parameters } from "./parameters.ts";

/** The caller, and the directory as of the request. */
export type Scene = {
  readonly caller: Principal;
  /** The account of the caller. */
  readonly account: string;
  readonly directory: Directory;
};

/** The argument of `handle`. */
export type ActionCall<Input> = Scene & {
  readonly input: Input;
  readonly sources: Sources;
  /** Changes the directory; returns it with the change. */
  readonly change: (plan: (directory: Directory) => readonly Change[]) => Promise<Directory>;
};

/** An action as its file defines it. */
export type ActionDefinition<Input> = {
  /** As AWS names it: `CreateUser`. */
  readonly name: string;
  /** Turns parameters into typed values, or throws. */
  readonly parse: (parameters: Parameters, caller: Principal) => Input;
  /** Returns the ARN that policies name; `*` for an action without a resource. */
  readonly resource: (input: Input, scene: Scene) => string;
  /** Returns further ARNs on which the action must be allowed. */
  readonly others?: (input: Input, scene: Scene) => readonly string[];
  /** Returns the values of the condition keys that only this action has. */
  readonly conditions?: (input: Input, scene: Scene) => ConditionValues;
  /** Does the work; returns the content of the result, undefined for none. */
  readonly handle: (call: ActionCall<Input>) => XmlValue | Promise<XmlValue>;
};

/** A directory in which nothing exists: the ARNs in it are those that a request tells by itself. */
const NOBODY = new Directory();

/** Creates an action. `Input` stays inside, so that the table needs no casts. */
export function defineAction<Input>(
  { name, parse, resource, others, conditions, handle }: ActionDefinition<Input>,
): QueryOperation {
  return {
    name,
    async run({ parameters, caller, users, sources, allow }) {
      const input = parse(new Parameters(parameters), caller);
      const directory = users.current() ?? await users.read();
      const arnsIn = (scene: Scene): readonly string[] => [
        resource(input, scene),
        ...others?.(input, scene) ?? [],
      ];
      const allowIn = (directory: Directory): Scene => {
        const scene = { caller, account: caller.account, directory };
        const values = conditions?.(input, scene) ?? {};
        const arns = arnsIn(scene);
        const named = arnsIn({ ...scene, directory: NOBODY });
        for (const [i, arn] of arns.entries()) {
          allow(`iam:${name}`, { arn, named: named[i] ?? "*" }, values);
        }
        return scene;
      };
      const scene = allowIn(directory);
      const change: ActionCall<Input>["change"] = (plan) =>
        users.change((present) => {
          if (present !== directory) allowIn(present);
          return plan(present);
        });
      return await handle({ ...scene, input, sources, change });
    },
  };
}
