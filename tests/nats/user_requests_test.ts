/** Requests that users sign, on several gateways: they end with the user, in every form of signature. */

import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { startNatsServer } from "../../scripts/nats_server.ts";
import type { Gateway } from "../../src/commands/serve.ts";
import { putInlinePolicy } from "../../src/iam/changes/rights.ts";
import { setDisabled } from "../../src/iam/changes/users.ts";
import { updateAccessKey } from "../../src/iam/changes/keys.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { signedRequest } from "../api/test_gateway.ts";
import { openStore } from "./store_on_server.ts";
import { OPS, startGateway } from "./users_gateway.ts";
import { ACCOUNT, addUser, keyOf, removeUser, sources, withUsers } from "./users_on_server.ts";

const alice = { account: ACCOUNT, name: "alice" };
const ALICE = { accessKeyId: keyOf("alice"), secret: "secret of alice" };

type Pair = { readonly accessKeyId: string; readonly secret: string };

/** Waits until an answer is as expected, and fails with the difference if it does not become so. */
async function becomes<T>(ask: () => Promise<T>, expected: T): Promise<void> {
  let answer = await ask();
  for (let attempt = 0; attempt < 100 && !isDeepStrictEqual(answer, expected); attempt++) {
    await delay(50);
    answer = await ask();
  }
  deepStrictEqual(answer, expected);
}

/** Sends a request in each form of signature, and returns the statuses and codes. */
async function answers(gateway: Gateway, pair: Pair): Promise<readonly string[]> {
  const header = signedRequest("GET", "/photos/a", { ...pair, now: new Date() });
  const client = new S3Client({
    endpoint: "http://localhost",
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: pair.accessKeyId, secretAccessKey: pair.secret },
  });
  const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: "photos", Key: "a" }));
  const expires = Math.floor(Date.now() / 1000) + 600;
  const signature = createHmac("sha1", pair.secret).update(`GET\n\n\n${expires}\n/photos/a`)
    .digest("base64");
  const query = new URLSearchParams({
    AWSAccessKeyId: pair.accessKeyId,
    Expires: `${expires}`,
    Signature: signature,
  });
  const sts = signedRequest("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {
    ...pair,
    now: new Date(),
    service: "sts",
    statesHash: false,
  });
  const requests = [
    header,
    new Request(url),
    new Request(`http://localhost/photos/a?${query}`),
    sts,
  ];
  return await Promise.all(requests.map(async (request) => {
    const response = await gateway(request);
    const text = await response.text();
    return /<Code>(\w+)/.exec(text)?.[1] ?? `${response.status}`;
  }));
}

const READS = JSON.stringify({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/*" },
});
const REFUSED = [...Array(3).fill("AccessDenied"), "200"];
const LET_IN = ["200", "200", "200", "200"];
const UNKNOWN = [...Array(3).fill("InvalidAccessKeyId"), "InvalidClientTokenId"];

Deno.test("a removed, disabled or inactive user is refused on every gateway, presigned URLs included", async () => {
  await using server = await startNatsServer();
  await using first = await startGateway(server);
  await using second = await startGateway(server);
  await using store = await openStore(server.url, withUsers());
  const { users } = store.store;
  const send = (method: string, target: string, body = ""): Promise<Response> =>
    first.gateway(signedRequest(method, target, { ...OPS, now: new Date(), body }));
  strictEqual((await send("PUT", "/photos")).status, 200);
  strictEqual((await send("PUT", "/photos/a", "bytes")).status, 200);
  await store.store.administration.giveTo("photos" as BucketName, ACCOUNT);
  const both = () => Promise.all([first, second].map(({ gateway }) => answers(gateway, ALICE)));

  deepStrictEqual(await both(), [UNKNOWN, UNKNOWN]);
  const steps = [
    [addUser("alice"), REFUSED],
    [
      (d) => putInlinePolicy(d, { ...alice, kind: "user", policy: "p", document: READS }),
      LET_IN,
    ],
    [
      (d) => updateAccessKey(d, { ...alice, id: keyOf("alice"), isActive: false }, sources),
      UNKNOWN,
    ],
    [(d) => updateAccessKey(d, { ...alice, id: keyOf("alice"), isActive: true }, sources), LET_IN],
    [(d) => setDisabled(d, { ...alice, isDisabled: true }), UNKNOWN],
    [(d) => setDisabled(d, { ...alice, isDisabled: false }), LET_IN],
    [removeUser("alice"), UNKNOWN],
  ] as readonly (readonly [Parameters<typeof users.change>[0], readonly string[]])[];
  for (const [change, expected] of steps) {
    await users.change(change);
    await becomes(both, [expected, expected]);
  }
});

Deno.test("a gateway that cannot ask who its users are answers 503, and goes on afterwards", async () => {
  await using server = await startNatsServer();
  await using given = await startGateway(server);
  await using store = await openStore(server.url, withUsers());
  await store.store.users.change(addUser("alice"));
  const ask = async (): Promise<number> => {
    const now = new Date();
    const response = await given.gateway(
      signedRequest("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {
        ...ALICE,
        now,
        service: "sts",
        statesHash: false,
      }),
    );
    await response.body?.cancel();
    return response.status;
  };
  await becomes(ask, 200);
  await server.kill("SIGSTOP");
  try {
    await becomes(ask, 503);
  } finally {
    await server.kill("SIGCONT");
  }
  await becomes(ask, 200);
});

Deno.test("isolation begins with the first account, and needs an administrator", async () => {
  await using server = await startNatsServer();
  await using given = await startGateway(server, [{}]);
  const identity = async (): Promise<string> => {
    const response = await given.gateway(
      signedRequest("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {
        ...OPS,
        now: new Date(),
        service: "sts",
        statesHash: false,
      }),
    );
    return /<Arn>(.*)<\/Arn>/.exec(await response.text())?.[1] ?? "";
  };
  await given.gateway.checkUsers();
  match(await identity(), /^arn:aws:iam::000000000000:user\/ops$/);
  await using store = await openStore(server.url, withUsers());
  await store.store.users.change(addUser("alice"));
  const isRoot = async () => /^arn:aws:iam::\d{12}:root$/.test(await identity());
  await becomes(isRoot, true);
  await rejects(given.gateway.checkUsers(), /no access key belongs to an administrator/);
});
