/**
 * The parameters of an action of IAM: texts, numbers, and lists as `Tags.member.1.Key`.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/CommonParameters.html
 *
 * Every check throws `ValidationError` with Amazon's message.
 * @module
 */

import type { Tag } from "../../iam/entity_tags.ts";
import { invalid, violates } from "../../iam/refusals.ts";
import type { Query } from "../../s3/request.ts";

/** Most elements of a list, which bounds the work of a request. */
const MAX_MEMBERS = 1000;
/** Longest name of an entity that a request refers to, and longest ARN, in characters. */
const MAX_NAME = 128;
const MIN_ARN = 20;
const MAX_ARN = 2048;
const NAME = /^[\w+=,.@-]+$/;

/** The parameters of a request. */
export class Parameters {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  /** Returns a text as it was sent; undefined if it was not. */
  optional(name: string): string | undefined {
    return this.#query.get(name);
  }

  /** Returns a text that must be there. */
  required(name: string): string {
    const value = this.#query.get(name);
    if (value === undefined) {
      throw invalid(
        `1 validation error detected: Value null at '${
          memberName(name)
        }' failed to satisfy constraint: Member must not be null`,
      );
    }
    return value;
  }

  /** Returns the name of a user, group, policy or the like that need not exist. */
  name(name: string): string {
    return checkReference(name, this.required(name));
  }

  /** Returns a name as {@linkcode name} does, if it was sent. */
  optionalName(name: string): string | undefined {
    const value = this.optional(name);
    return value === undefined ? undefined : checkReference(name, value);
  }

  /** Returns an ARN of any kind. */
  arn(name: string): string {
    const value = this.required(name);
    if (value.length < MIN_ARN) {
      throw violates(
        memberName(name),
        `Member must have length greater than or equal to ${MIN_ARN}`,
      );
    }
    if (value.length > MAX_ARN) {
      throw violates(memberName(name), `Member must have length less than or equal to ${MAX_ARN}`);
    }
    if (!value.startsWith("arn:")) throw invalid(`ARN ${value} is not valid.`);
    return value;
  }

  /** Returns one of some texts. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      throw violates(
        memberName(name),
        `Member must satisfy enum value set: [${choices.join(", ")}]`,
      );
    }
    return found;
  }

  /** Returns one of some texts, which must be there. */
  requiredChoice<T extends string>(name: string, choices: readonly T[]): T {
    this.required(name);
    return this.choice(name, choices) as T;
  }

  /** Returns a truth value; false if it was not sent. */
  flag(name: string): boolean {
    return this.optional(name)?.toLowerCase() === "true";
  }

  /** Returns a number between 1 and a maximum. */
  count(name: string, max: number): number | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    const count = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
    if (!(count >= 1 && count <= max)) {
      throw violates(
        memberName(name),
        `Member must have value between 1 and ${max}`,
      );
    }
    return count;
  }

  /** Returns the elements of a list of texts; an empty one if it was not sent. */
  list(name: string): readonly string[] {
    const values: string[] = [];
    for (let i = 1; i <= MAX_MEMBERS; i++) {
      const value = this.optional(`${name}.member.${i}`);
      if (value === undefined) break;
      values.push(value);
    }
    return values;
  }

  /** Returns the elements of a list of structures, each as parameters of its own. */
  structures(name: string, fields: readonly string[]): readonly Parameters[] {
    const found: Parameters[] = [];
    for (let i = 1; i <= MAX_MEMBERS; i++) {
      const prefix = `${name}.member.${i}.`;
      const own = new Map<string, string>();
      for (const [field, value] of this.#below(prefix, fields)) own.set(field, value);
      if (own.size === 0) break;
      found.push(new Parameters(own));
    }
    return found;
  }

  /** Returns the tags of a request. */
  tags(): readonly Tag[] {
    return this.structures("Tags", ["Key", "Value"]).map((tag) => ({
      key: tag.required("Key"),
      value: tag.required("Value"),
    }));
  }

  *#below(prefix: string, fields: readonly string[]): Iterable<readonly [string, string]> {
    for (const field of fields) {
      const single = this.#query.get(prefix + field);
      if (single !== undefined) yield [field, single];
      for (let i = 1; i <= MAX_MEMBERS; i++) {
        const member = `${field}.member.${i}`;
        const value = this.#query.get(prefix + member);
        if (value === undefined) break;
        yield [member, value];
      }
    }
  }
}

function checkReference(name: string, value: string): string {
  if (value === "") {
    throw violates(memberName(name), "Member must have length greater than or equal to 1");
  }
  if (value.length > MAX_NAME) {
    throw violates(memberName(name), `Member must have length less than or equal to ${MAX_NAME}`);
  }
  if (!NAME.test(value)) {
    throw invalid(
      `The specified value for ${
        memberName(name)
      } is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
    );
  }
  return value;
}

/** `UserName` is `userName` in messages. */
function memberName(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
