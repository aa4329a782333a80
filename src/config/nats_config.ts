/**
 * Chooses the login, the TLS options and the API prefix for NATS from the settings.
 * @module
 */

import type { NatsLogin, NatsTls } from "../nats/connection/connection.ts";
import { choosePair } from "./certificate_pair.ts";
import type { Values } from "./settings.ts";

/**
 * Returns the subject prefix of the JetStream API.
 *
 * @throws RangeError for a domain together with a prefix
 */
export function chooseApiPrefix({ domain, apiPrefix }: Values): string {
  if (domain === undefined) return apiPrefix ?? "$JS.API";
  if (apiPrefix !== undefined) {
    throw new RangeError("Cannot use both --nats.js-domain and --nats.api-prefix: choose one");
  }
  return `$JS.${domain}.API`;
}

/**
 * Returns the TLS options, or undefined if no setting demands TLS.
 *
 * @throws RangeError for a client certificate without its key, or the other way around
 */
export function chooseNatsTls(values: Values): NatsTls | undefined {
  const tls = {
    ...(values.tlsCa !== undefined && { ca: values.tlsCa }),
    ...choosePair(values, "tlsCert", "tlsKey"),
    ...(values.tlsFirst && { handshakeFirst: true as const }),
  };
  return Object.keys(tls).length === 0 ? undefined : tls;
}

/**
 * Returns the login.
 *
 * @throws RangeError for a user without a password, or for two ways to log in
 */
export function chooseLogin({ user, password, token, nkey, creds }: Values): NatsLogin {
  if ((user === undefined) !== (password === undefined)) {
    throw new RangeError("Cannot use --natsUser without --natsPassword: set both or neither");
  }
  const logins: readonly (readonly [string, NatsLogin | undefined])[] = [
    [
      "--natsUser",
      user !== undefined && password !== undefined ? { kind: "user", user, password } : undefined,
    ],
    ["--natsToken", token === undefined ? undefined : { kind: "token", token }],
    ["--natsNKeyFile", nkey === undefined ? undefined : { kind: "nkey", seed: nkey }],
    ["--natsCredsFile", creds === undefined ? undefined : { kind: "creds", creds }],
  ];
  const [first, second] = logins.filter(([, login]) => login !== undefined);
  if (first !== undefined && second !== undefined) {
    throw new RangeError(`Cannot use both ${first[0]} and ${second[0]}: choose one way to log in`);
  }
  return first?.[1] ?? { kind: "none" };
}
