/**
 * The gateway as a NATS micro service: what it answers to whom, on a real server.
 * See https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-32.md
 * @module
 */

import { deepStrictEqual, doesNotMatch, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { CREDENTIALS_ENV, PAIR } from "../http/wire_request.ts";
import { type RunningCommand, signedFetch, startGateway } from "../process/running_command.ts";

type Answer = {
  readonly type: string;
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly started?: string;
  readonly endpoints?: readonly (Readonly<Record<string, unknown>>)[];
};

/** Everybody's answers. */
async function askAll(connection: NatsConnection, subject: string): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const replies = await connection.requestMany(subject, "", { maxWait: 500 });
  for await (const reply of replies) answers.push(reply.json<Answer>());
  return answers;
}

async function start(server: NatsServer, ...flags: string[]): Promise<
  RunningCommand & {
    readonly url: string;
  }
> {
  return await startGateway(["--natsServers", server.url, "--log.level", "debug", ...flags], {
    env: CREDENTIALS_ENV,
  });
}

async function statusOf(url: string): Promise<number> {
  const response = await signedFetch(url, PAIR);
  await response.body?.cancel();
  return response.status;
}

Deno.test("every gateway answers PING, INFO and STATS, by name and by id, until it is told to stop", async () => {
  await using server = await startNatsServer();
  await using first = await start(server, "--drain.delay", "5s");
  await using second = await start(server);
  for (const gateway of [first, second]) {
    await gateway.waitFor(/Answering as a NATS micro service/);
  }
  const connection = await connect({ servers: server.url });
  try {
    const pings = await askAll(connection, "$SRV.PING");
    strictEqual(pings.length, 2);
    strictEqual((await askAll(connection, "$SRV.PING.nats-s3")).length, 2);
    const ids = pings.map(({ id }) => id);
    strictEqual(new Set(ids).size, 2);
    for (const { type, name, version, metadata } of pings) {
      deepStrictEqual([type, name], ["io.nats.micro.v1.ping_response", "nats-s3"]);
      match(version, /^\d+\.\d+\.\d+$/);
      strictEqual(metadata["region"], "us-east-1");
    }
    const listening = new URL(first.url).host;
    const id = pings.find(({ metadata }) => metadata["listen"] === listening)?.id;

    for (let i = 0; i < 3; i++) strictEqual(await statusOf(first.url), 200);
    strictEqual(await statusOf(`${first.url}/nosuch`), 404);
    const [stats, ...others] = await askAll(connection, `$SRV.STATS.nats-s3.${id}`);
    strictEqual(others.length, 0);
    strictEqual(stats?.type, "io.nats.micro.v1.stats_response");
    ok(Date.parse(stats.started ?? "") <= Date.now());
    const [endpoint = {}] = stats.endpoints ?? [];
    deepStrictEqual([endpoint["num_requests"], endpoint["num_errors"]], [4, 0]);
    const average = Number(endpoint["average_processing_time"]);
    ok(average > 0 && Number.isInteger(average), `${average} ns`);

    const [info] = await askAll(connection, `$SRV.INFO.nats-s3.${id}`);
    strictEqual(info?.type, "io.nats.micro.v1.info_response");
    strictEqual(info.endpoints?.[0]?.["name"], "s3");

    const stopping = first.stop();
    await first.waitFor(/Stopping/);
    await rejects(connection.request(`$SRV.PING.nats-s3.${id}`, "", { timeout: 500 }));
    const left = ids.filter((other) => other !== id);
    deepStrictEqual((await askAll(connection, "$SRV.PING")).map(({ id }) => id), left);
    strictEqual(await statusOf(first.url), 200);
    strictEqual((await stopping).code, 0, first.output);
  } finally {
    await connection.close();
  }
});

Deno.test("STATS counts what went wrong in the gateway, and tells of the last one", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server, "--limit.rate", "1");
  await gateway.waitFor(/Answering as a NATS micro service/);
  while (await statusOf(gateway.url) === 200);
  const connection = await connect({ servers: server.url });
  try {
    const [stats] = await askAll(connection, "$SRV.STATS.nats-s3");
    const [endpoint = {}] = stats?.endpoints ?? [];
    deepStrictEqual([endpoint["num_errors"], endpoint["last_error"]], [1, "503 SlowDown"]);
  } finally {
    await connection.close();
  }
});

Deno.test("a user who may not subscribe to $SRV.> serves all the same, and says it once", async () => {
  await using server = await startNatsServer({
    config: `authorization { users: [
      { user: ann, password: secret, permissions: { publish: ">", subscribe: "_INBOX.>" } },
      { user: tom, password: secret }
    ] }`,
  });
  await using gateway = await start(server, "--natsUser", "ann", "--natsPassword", "secret");
  await gateway.waitFor(/Not shown as a NATS micro service.*\$SRV/);
  await gateway.waitFor(/\$SRV\.\w+/);
  strictEqual(gateway.output.match(/\$SRV\.\w+/g)?.length, 1, gateway.output);
  strictEqual(await statusOf(gateway.url), 200);
  const connection = await connect({ servers: server.url, user: "tom", pass: "secret" });
  try {
    await rejects(connection.request("$SRV.PING", "", { timeout: 500 }));
  } finally {
    await connection.close();
  }
  strictEqual((await gateway.stop()).code, 0, gateway.output);
});

Deno.test("the documented permissions are enough for a micro service", async () => {
  await using server = await startNatsServer({
    config: `authorization { users: [
      { user: ann, password: secret, permissions: {
        publish: ["$JS.API.>", "$O.>"], subscribe: ["_INBOX.>", "$SRV.>"], allow_responses: true
      } },
      { user: tom, password: secret, permissions: { publish: "$SRV.>", subscribe: "_INBOX.>" } }
    ] }`,
  });
  await using gateway = await start(server, "--natsUser", "ann", "--natsPassword", "secret");
  await gateway.waitFor(/Answering as a NATS micro service/);
  const connection = await connect({ servers: server.url, user: "tom", pass: "secret" });
  try {
    for (const verb of ["PING", "INFO", "STATS"]) {
      strictEqual((await askAll(connection, `$SRV.${verb}`)).length, 1, verb);
    }
  } finally {
    await connection.close();
  }
  doesNotMatch(gateway.output, /NATS reports an error/);
});

Deno.test("--nats.service off answers nobody", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server, "--nats.service", "off");
  strictEqual(await statusOf(gateway.url), 200);
  const connection = await connect({ servers: server.url });
  try {
    await rejects(connection.request("$SRV.PING", "", { timeout: 500 }));
  } finally {
    await connection.close();
  }
});
