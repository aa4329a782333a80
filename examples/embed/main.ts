/**
 * A program with pages of its own and an S3 server behind one port, on the connection to NATS that it has anyway.
 *
 * Run it beside a nats-server:
 *
 *     deno run --allow-net --allow-env examples/embed/main.ts
 *
 * `NATS_URL` says where the nats-server is: nats://127.0.0.1:4222 by default. `PORT` is 8080 by default.
 * @module
 */

// deno-lint-ignore-file no-console

import { connect } from "@nats-io/transport-node";
// Outside of this repository: jsr:@nats-s3/gateway
import { createGateway, parseConfig } from "../../main.ts";

// The settings of `serve` by the names of their variables. Pairs that your program keeps elsewhere go here.
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
  // A name that no bucket can have: it is too short.
  if (new URL(request.url).pathname === "/-/") return new Response("My own page\n");
  return gateway(request, info);
});

// In this order: requests in flight end, then what the gateway still does, then the connection.
Deno.addSignalListener("SIGINT", () => server.shutdown());
await server.finished;
await gateway[Symbol.asyncDispose]();
await connection.drain();
