/**
 * Runs each request through an exchange, and turns requests away that are too many.
 * @module
 */

import { Exchange } from "./exchange.ts";
import type { ExchangeServices, Handler } from "./exchange_services.ts";

/** Milliseconds between two warnings that too many requests are in flight. */
const WARNING_INTERVAL = 10_000;

/** Creates a handler that follows each request through an exchange. */
export function createExchangeHandler(
  services: ExchangeServices,
  answer: (exchange: Exchange) => Promise<Response>,
): Handler {
  let warned = -Infinity;
  const warn = (): void => {
    const now = performance.now();
    if (now - warned < WARNING_INTERVAL) return;
    warned = now;
    services.log.warn("Too many requests in flight", { limit: services.inFlight.limit });
  };
  return async (request, info) => {
    const exchange = new Exchange(request, info, services);
    const { refusal } = exchange;
    if (refusal === undefined) return exchange.respond(await exchange.run(answer));
    if (refusal === "requests") warn();
    return exchange.respond(exchange.refuse(refusal));
  };
}
