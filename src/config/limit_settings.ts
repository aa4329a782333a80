/**
 * The settings of what clients may take of the gateway.
 * @module
 */

import { setting } from "./setting.ts";
import { parseCount, parseOptionalCount, parseShare, parseStall } from "./values.ts";

/** Every limit, in the order of `--help`. */
export const LIMIT_SETTINGS = {
  stall: setting({
    flag: "limit.stall",
    value: "DURATION",
    default: "1m",
    help:
      "How long a client may neither send nor accept any bytes of a body before it is disconnected",
    parse: parseStall,
  }),
  requests: setting({
    flag: "limit.requests",
    value: "N",
    default: "1000",
    help: "Maximum number of requests in flight; further requests get 503 SlowDown",
    parse: parseCount,
  }),
  rate: setting({
    flag: "limit.rate",
    value: "N|off",
    default: "off",
    help:
      "Maximum requests per second of each access key, with bursts of two seconds' worth; further requests get 503 SlowDown",
    parse: parseOptionalCount,
  }),
  share: setting({
    flag: "limit.share",
    value: "PERCENT|off",
    default: "50%",
    help:
      "When --limit.requests is reached: the part of it that one access key or client address may hold. Requests that stand still then make room for those of other clients",
    parse: parseShare,
  }),
} as const;
