/** Whom the audit log names: users and roots of accounts, in S3 and in IAM, and the keys that they delete. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { putInlinePolicy } from "../../src/iam/changes/rights.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { type Send, signedRequest } from "../api/test_gateway.ts";
import { openStore } from "./store_on_server.ts";
import { OPS, startGateway } from "./users_gateway.ts";
import { ACCOUNT, addUser, keyOf, withUsers } from "./users_on_server.ts";

const STREAM = "AUDIT";
const ALICE = { accessKeyId: keyOf("alice"), secret: "secret of alice" };
/** Alice may delete one of two keys. */
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Action: ["s3:PutObject", "s3:DeleteObject"],
    Resource: "arn:aws:s3:::photos/a",
  },
});
const DELETION = "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>";
const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** Returns the messages of the stream in order. */
async function readMessages(
  connection: NatsConnection,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { streams } = await jetstreamManager(connection);
  const { state } = await streams.info(STREAM);
  const messages = [];
  for (let seq = 1; seq <= state.last_seq; seq++) {
    messages.push(
      (await streams.getMessage(STREAM, { seq }))?.json<Record<string, unknown>>() ?? {},
    );
  }
  return messages;
}

Deno.test("the audit log names account, user and access key, and what became of deleted keys", async () => {
  await using server = await startNatsServer();
  await using store = await openStore(server.url, withUsers());
  const put = { account: ACCOUNT, name: "alice", kind: "user", policy: "p" } as const;
  await store.store.users.change(addUser("alice"));
  await store.store.users.change((d) => putInlinePolicy(d, { ...put, document: POLICY }));
  {
    await using given = await startGateway(server, undefined, ["--audit.subject", "audit.s3"]);
    const { streams } = await jetstreamManager(given.connection);
    await streams.add({ name: STREAM, subjects: ["audit.>"] });
    const send = async (method: string, target: string, more: Send): Promise<number> => {
      const request = signedRequest(method, target, { now: new Date(), ...more });
      const response = await given.gateway(request);
      await response.body?.cancel();
      return response.status;
    };
    strictEqual(await send("PUT", "/photos", OPS), 200);
    await store.store.administration.giveTo("photos" as BucketName, ACCOUNT);
    strictEqual(await send("PUT", "/photos/a", { ...ALICE, body: "bytes" }), 200);
    const md5 = createHash("md5").update(DELETION).digest("base64");
    const deletion = { body: DELETION, headers: { "content-md5": md5 } };
    strictEqual(await send("POST", "/photos?delete=", { ...ALICE, ...deletion }), 200);
    const iam = { service: "iam", region: "us-east-1", statesHash: false, headers: FORM };
    const body = "Action=ListUsers&Version=2010-05-08";
    strictEqual(await send("POST", "/", { ...ALICE, ...iam, body }), 403);
    strictEqual(await send("GET", "/photos/a", { ...ALICE, secret: "another" }), 403);
  }

  const seen = (await readMessages(store.connection)).map((
    { operation, account, user, userName, role, session, keys },
  ) => [operation, account, user, userName, role, session, keys]);
  const alice = [ACCOUNT, ALICE.accessKeyId, "alice", undefined, undefined];
  deepStrictEqual(seen, [
    ["CreateBucket", "000000000000", OPS.accessKeyId, ...Array(4).fill(undefined)],
    ["PutObject", ...alice, undefined],
    ["DeleteObjects", ...alice, [{ key: "a" }, { key: "b", code: "AccessDenied" }]],
    ["ListUsers", ...alice, undefined],
    Array(7).fill(undefined),
  ]);
});
