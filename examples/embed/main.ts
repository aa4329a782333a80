/**
 * A program that serves its own pages and S3 on one port, and uses its existing NATS connection for both.
 *
 * Run it while a nats-server is running:
 *
 *     deno run --allow-net --allow-env examples/embed/main.ts
 *
 * `NATS_URL` is the nats-server's address, by default nats://127.0.0.1:4222. `PORT` is 8080 by default.
 * @module
 */

// deno-lint-ignore-file no-console

import { connect } from "@nats-io/transport-node";
// Outside this repository, import jsr:@nats-s3/gateway.
import { createGateway, parseConfig } from "../../main.ts";

// The settings of `serve`, by the names of their variables. Add settings that your program stores elsewhere.
const config = parseConfig({
  NATS_S3_CREDENTIALS: JSON.stringify({
    credentials: [{ accessKey: "dev", secretKey: "dev-secret-key" }],
  }),
  NATS_S3_LOG_LEVEL: "warn",
});

const connection = await connect({ servers: Deno.env.get("NATS_URL") ?? "nats://127.0.0.1:4222" });
const gateway = createGateway(config, connection);

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT") ?? 8080),
  onListen: ({ hostname, port }) => console.log(`Serving at http://${hostname}:${port}`),
}, (request, info) => {
  // No bucket can have this name, because it is too short.
  if (new URL(request.url).pathname === "/-/") return new Response("My own page\n");
  return gateway(request, info);
});

// The order matters: requests in flight end first, then the gateway's background work, then the connection.
Deno.addSignalListener("SIGINT", () => server.shutdown());
await server.finished;
await gateway[Symbol.asyncDispose]();
await connection.drain();
