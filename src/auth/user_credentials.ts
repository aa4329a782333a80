/**
 * The access keys of the configuration together with those of users and accounts, which change while the gateway runs.
 * @module
 */

import { BoundedCache } from "../collections/bounded_cache.ts";
import { arnOf, parseUserArn } from "../iam/arns.ts";
import type { Directory } from "../iam/directory.ts";
import type { CompiledPolicy } from "../iam/policy.ts";
import { compileIdentity, type CompilePolicy, principalOf } from "../iam/user_principal.ts";
import { isAccountId } from "../s3/account.ts";
import type { ConfiguredCredentials, Credentials, KnownKey } from "./credentials.ts";

/** The directory of users, and when it is current (`store/users.ts`). */
export type DirectorySource = {
  readonly current: () => Directory | undefined;
  readonly read: () => Promise<Directory>;
};

/** Characters of policies that are kept compiled. */
const MAX_COMPILED = 32 * 1024 * 1024;

/** Access keys of the configuration, and of users. A key of the configuration comes before a user's of the same id. */
export class UserCredentials implements Credentials {
  readonly #configured: ConfiguredCredentials;
  readonly #users: DirectorySource;
  readonly #compile: CompilePolicy;
  #directory: Directory | undefined;
  /** The keys of {@linkcode #directory} that were asked for. */
  #known = new Map<string, KnownKey | undefined>();
  #isIsolated: boolean;

  constructor(
    configured: ConfiguredCredentials,
    users: DirectorySource,
    compile: CompilePolicy = compileIdentity,
  ) {
    this.#configured = configured;
    this.#users = users;
    this.#compile = keepCompiled(compile);
    this.#isIsolated = configured.isIsolated;
  }

  /**
   * Whether each key belongs to an account: the configuration says so, or there is an account in the directory. It stays so
   * until the gateway ends, also if the directory is lost.
   */
  get isIsolated(): boolean {
    return this.#isIsolated;
  }

  refresh(): Promise<void> | undefined {
    const directory = this.#users.current();
    if (directory === undefined) return this.#users.read().then((read) => this.#use(read));
    if (directory !== this.#directory) this.#use(directory);
    return undefined;
  }

  find(accessKeyId: string): KnownKey | undefined {
    const configured = this.#configured.find(accessKeyId, this.#isIsolated);
    if (configured !== undefined || this.#directory === undefined) return configured;
    const known = this.#known.get(accessKeyId);
    if (known !== undefined) return known;
    const found = this.#look(this.#directory, accessKeyId);
    // Unknown ids are not kept: anybody can send as many as they like.
    if (found !== undefined) this.#known.set(accessKeyId, found);
    return found;
  }

  /**
   * Returns whether a bucket policy may name a principal: the root of a known account, a user, or the holder of a configured
   * key as long as accounts are not isolated.
   */
  hasPrincipal(arn: string): boolean {
    const account = accountOfRoot(arn);
    if (account !== undefined) {
      return this.#configured.hasAccount(account) ||
        this.#directory?.accounts.has(account) === true;
    }
    const located = parseUserArn(arn);
    if (located === undefined) return false;
    const user = this.#directory?.user(located.account, located.name);
    if (user !== undefined && arnOf("user", user) === arn) return true;
    return !this.#isIsolated && this.#configured.find(located.name, false)?.principal.arn === arn;
  }

  #use(directory: Directory): void {
    this.#directory = directory;
    this.#known = new Map();
    if (directory.hasAccounts) this.#isIsolated = true;
  }

  #look(directory: Directory, accessKeyId: string): KnownKey | undefined {
    const holder = directory.holderOf(accessKeyId);
    if (holder === undefined || !holder.key.isActive || holder.user?.isDisabled === true) {
      return undefined;
    }
    return {
      secrets: [holder.key.secret],
      principal: principalOf(directory, holder, this.#compile),
    };
  }
}

/** Returns the account of the ARN of a root; undefined for any other text. */
function accountOfRoot(arn: string): string | undefined {
  const account = arn.startsWith(IAM) && arn.endsWith(ROOT)
    ? arn.slice(IAM.length, -ROOT.length)
    : "";
  return isAccountId(account) ? account : undefined;
}

const IAM = "arn:aws:iam::";
const ROOT = ":root";

/** Compiles each policy once, as long as it is in use. */
function keepCompiled(compile: CompilePolicy): CompilePolicy {
  const kept = new BoundedCache<{ readonly policy: CompiledPolicy | undefined }>(MAX_COMPILED);
  return (text, origin) => {
    const name = `${origin}\n${text}`;
    const known = kept.get(name);
    if (known !== undefined) return known.policy;
    const policy = compile(text, origin);
    kept.set(name, { policy }, name.length);
    return policy;
  };
}
