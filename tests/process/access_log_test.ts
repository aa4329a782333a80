/**
 * Server access logs of gateways that run as processes: what they deliver when they stop, and what a crash loses.
 * @module
 */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { CREDENTIALS_ENV, PAIR } from "../http/wire_request.ts";
import { type RunningCommand, signedFetch, startGateway } from "./running_command.ts";

type Gateway = RunningCommand & { readonly url: string };

const CONFIGURATION = "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket>" +
  "<TargetPrefix>photos/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>";

async function start(url: string): Promise<Gateway> {
  const args = ["--natsServers", url, "--drain.delay", "0s"];
  return await startGateway(args, { env: CREDENTIALS_ENV });
}

/** Sends a request, which must succeed, and returns the text of the response. */
async function send(
  { url }: Gateway,
  method: string,
  target: string,
  body?: string,
): Promise<string> {
  const response = await signedFetch(`${url}${target}`, PAIR, {
    method,
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  strictEqual(response.ok, true, text);
  return text;
}

/** Returns the lines of all log objects, of which each has whole lines. */
async function readLines(gateway: Gateway): Promise<readonly string[]> {
  const listing = await send(gateway, "GET", "/logs?list-type=2");
  const lines: string[] = [];
  for (const [, key = ""] of listing.matchAll(/<Key>([^<]*)<\/Key>/g)) {
    match(key, /^photos\/\d{4}(-\d\d){5}-[0-9A-F]{16}$/);
    const text = await send(gateway, "GET", `/logs/${key}`);
    strictEqual(text.endsWith("\n"), true);
    lines.push(...text.slice(0, -1).split("\n"));
  }
  return lines;
}

const FIELDS = /\[[^\]]*\]|"[^"]*"|[^ ]+/g;

/** Returns operation and key of the lines that are about objects. */
function objectsOf(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.match(FIELDS) ?? [])
    .map((fields) => {
      strictEqual(fields.length, 27, fields.join(" "));
      deepStrictEqual(fields.slice(0, 2), ["ann", "photos"]);
      return `${fields[6]} ${fields[7]}`;
    })
    .filter((text) => text.includes(".OBJECT "))
    .sort();
}

/** Waits until a gateway logs the requests to a bucket, which another one decided. */
async function untilInForce(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1500));
}

Deno.test("two gateways deliver what waits when they stop, each in objects of its own", async () => {
  await using server = await startNatsServer();
  await using one = await start(server.url);
  await using two = await start(server.url);
  await send(one, "PUT", "/photos");
  await send(one, "PUT", "/logs");
  await send(two, "GET", "/photos?location"); // that the bucket is not logged is known here
  await send(one, "PUT", "/photos?logging", CONFIGURATION);
  await untilInForce();
  await send(one, "PUT", "/photos/a", "some text");
  strictEqual(await send(two, "GET", "/photos/a"), "some text");
  strictEqual((await one.stop()).code, 0, one.output);
  deepStrictEqual(objectsOf(await readLines(two)), ["REST.PUT.OBJECT a"]);
  strictEqual((await two.stop()).code, 0, two.output);

  await using three = await start(server.url);
  deepStrictEqual(objectsOf(await readLines(three)), [
    "REST.GET.OBJECT a",
    "REST.PUT.OBJECT a",
  ]);
});

Deno.test("a killed gateway loses the lines that waited, and nothing else", async () => {
  await using server = await startNatsServer();
  await using one = await start(server.url);
  await send(one, "PUT", "/photos");
  await send(one, "PUT", "/logs");
  await send(one, "PUT", "/photos?logging", CONFIGURATION);
  await untilInForce();
  await send(one, "PUT", "/photos/lost", "some text");
  await one.stop("SIGKILL");

  await using two = await start(server.url);
  deepStrictEqual(await readLines(two), []);
  strictEqual(await send(two, "GET", "/photos/lost"), "some text");
  strictEqual((await two.stop()).code, 0, two.output);

  await using three = await start(server.url);
  deepStrictEqual(objectsOf(await readLines(three)), ["REST.GET.OBJECT lost"]);
});

Deno.test("a gateway stops although the target is gone, and says what it dropped", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server.url);
  await send(gateway, "PUT", "/photos");
  await send(gateway, "PUT", "/logs");
  await send(gateway, "PUT", "/photos?logging", CONFIGURATION);
  await untilInForce();
  await send(gateway, "PUT", "/photos/a", "some text");
  await send(gateway, "DELETE", "/logs");
  strictEqual((await gateway.stop()).code, 0, gateway.output);
  match(gateway.output, /Access logs cannot be delivered.*bucket=photos target=logs/);
  match(gateway.output, /Lines of access logs were dropped.*lines=[12] reason=stopping/);
});
