/**
 * A mixture of requests: half of them malformed in any way, half of them correctly signed and odd in other ways.
 * @module
 */

import { type MalformedRequest, malformedRequest, type Scenery } from "./malformed_requests.ts";
import { routedRequest } from "./routed_requests.ts";

/** Returns the request of a seed: correctly signed if the seed is even. */
export function fuzzedRequest(seed: number, scenery: Scenery): MalformedRequest {
  return seed % 2 === 0 ? routedRequest(seed, scenery) : malformedRequest(seed, scenery);
}
