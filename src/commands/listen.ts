/**
 * The servers of `nats-s3 serve`: S3, web sites, and health with metrics.
 * @module
 */

import type { Config } from "../config/config.ts";
import type { Address } from "../config/network_values.ts";
import type { Handler } from "../gateway.ts";
import { type AdminServices, createAdminHandler } from "../http/admin_pages.ts";
import type { Log } from "../telemetry/log.ts";

/** The address and the scheme of a server. */
type ListenFacts = { readonly hostname: string; readonly port: number; readonly scheme: string };

/** Serves requests by TCP, with the certificate of S3 if there is one. */
export function listenTo(
  { hostname, port }: Address,
  handler: Handler,
  { config: { sharesPort, tls }, log, onListen }: {
    readonly config: Config;
    readonly log: Log;
    readonly onListen: (facts: ListenFacts) => void;
  },
): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({
    hostname,
    port,
    reusePort: sharesPort,
    ...tls,
    onListen: ({ hostname, port }) =>
      onListen({ hostname, port, scheme: tls === undefined ? "http" : "https" }),
    onError: (cause) => {
      log.error("A request failed without a response", { cause });
      return new Response(null, { status: 500 });
    },
  }, handler);
}

/**
 * Serves web sites on a port of their own, with the certificate of S3.
 *
 * @throws Error with a message for the user
 */
export function listenForSites(
  config: Config,
  handler: Handler,
  log: Log,
): Deno.HttpServer<Deno.NetAddr> | undefined {
  const { listen } = config.website;
  if (listen === "off") return undefined;
  try {
    return listenTo(listen, handler, {
      config,
      log,
      onListen: (facts) => log.info("Serving web sites", facts),
    });
  } catch (cause) {
    throw new Error(explainListen(cause, listen, "--website.listen"), { cause });
  }
}

/** Serves health and metrics. A failure is logged and does not keep the gateway from serving S3. */
export function listenForAdmin(
  address: Config["admin"],
  services: AdminServices,
  log: Log,
): AsyncDisposable | undefined {
  if (address === "off") return undefined;
  const { hostname, port } = address;
  try {
    return Deno.serve({
      hostname,
      port,
      onListen: ({ hostname, port }) => {
        log.info("Serving health and metrics", { hostname, port });
      },
      onError: (cause) => {
        log.error("A request for health or metrics failed without a response", { cause });
        return new Response(null, { status: 500 });
      },
    }, createAdminHandler(services));
  } catch (cause) {
    log.warn("Cannot serve health and metrics", {
      reason: explainListen(cause, address, "--admin.listen"),
    });
    return undefined;
  }
}

/** Returns why a server cannot listen, and what to do about it. */
export function explainListen(cause: unknown, { hostname, port }: Address, flag: string): string {
  if (cause instanceof Deno.errors.AddrInUse) {
    return `Port ${port} of ${hostname} is in use: stop the program that listens there, or choose another port with ${flag}`;
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return `The system does not allow listening on port ${port} of ${hostname}: ${cause.message}`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
