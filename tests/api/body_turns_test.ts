/** Uploads of one client at once: some are received at a time, and another client's does not wait for the others. */

import { ok as assert, strictEqual } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createAuthenticate } from "../../src/auth/authenticate.ts";
import { createCredentials } from "../../src/auth/credentials.ts";
import { StallWatch } from "../../src/streams/stall_watch.ts";
import { enterWorld } from "../../src/world/world.ts";
import { PAIR, presign } from "../http/wire_request.ts";
import {
  ACCOUNT,
  authenticationIn,
  createTestGateway,
  NOW,
  REGION,
  signedRequest,
  type TestGateway,
} from "./test_gateway.ts";

const INFO = { completed: Promise.resolve(), remoteAddr: { hostname: "10.0.0.9" } };
const SIZE = 256 * 1024;
const MANY = 300;
/** Large bodies of one client that are received at the same time. */
const AT_ONCE = 64;

/** Bodies that arrive when they are released, and how many of them somebody has begun to read. */
class Bodies {
  begun = 0;
  readonly #released = Promise.withResolvers<void>();

  create(size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      pull: async (controller) => {
        this.begun++;
        await this.#released.promise;
        controller.enqueue(new Uint8Array(size));
        controller.close();
      },
    }, { highWaterMark: 0 });
  }

  release(): void {
    this.#released.resolve();
  }
}

/** Waits until nothing more happens than what waits for something else. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setTimeout(resolve));
}

/** Stops the time: no body is given up because it takes long. */
function stopTime(): Disposable {
  return enterWorld({
    wallClock: () => NOW.getTime(),
    monotonic: () => 0,
    startTimer: () => 0,
    stopTimer() {},
    startTicker: () => 0,
    stopTicker() {},
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
  });
}

async function openGateway(stalls = new StallWatch(60_000)): Promise<TestGateway> {
  const owner = authenticationIn(REGION).credentials;
  const guest = createCredentials(PAIR.accessKeyId, PAIR.secretAccessKey, ACCOUNT);
  const credentials = {
    refresh: () => undefined,
    find: (id: string) => owner.find(id) ?? guest.find(id),
  };
  return await createTestGateway({
    authenticate: createAuthenticate({ ...authenticationIn(REGION), credentials }),
    stalls,
  });
}

/** Sends many uploads with one presigned URL. */
function sendMany(
  { handler }: TestGateway,
  bodies: Bodies,
  path: string,
  query = "",
): Promise<Response>[] {
  const headers = [["host", "localhost"]] as const;
  const signed = presign({ method: "PUT", path, query, headers, body: "" }, { now: NOW });
  return Array.from({ length: MANY }, () => {
    const request = signedRequest("PUT", `${path}?${signed}`, {
      anonymous: true,
      body: bodies.create(SIZE),
      headers: { "content-length": String(SIZE) },
    });
    return handler(request, INFO);
  });
}

async function countOk(responses: readonly Promise<Response>[]): Promise<number> {
  return (await Promise.all(responses)).filter(({ status }) => status === 200).length;
}

for (const operation of ["PutObject", "UploadPart"] as const) {
  Deno.test(`Of the ${operation} requests of one presigned URL, 64 are received at a time`, async () => {
    using _time = stopTime();
    const gateway = await openGateway();
    const created = await (await gateway.ok("POST", "/bucket/key?uploads")).text();
    const id = /<UploadId>(.*)<\/UploadId>/.exec(created)?.[1] ?? "";
    const query = operation === "UploadPart" ? `partNumber=1&uploadId=${id}` : "";
    const bodies = new Bodies();
    const many = sendMany(gateway, bodies, "/bucket/key", query);
    await settle();
    strictEqual(bodies.begun, AT_ONCE);
    await gateway.ok("PUT", "/bucket/other", { body: new Uint8Array(SIZE) });
    strictEqual(bodies.begun, AT_ONCE, "another client's body did not wait");
    bodies.release();
    strictEqual(await countOk(many), MANY);
    strictEqual(bodies.begun, MANY);
  });
}

Deno.test("Uploads whose clients send nothing do not hold up others of the same client", async () => {
  using _time = stopTime();
  const stalls = new StallWatch(60_000);
  const bodies = new Bodies();
  const many = sendMany(await openGateway(stalls), bodies, "/bucket/key");
  await settle();
  for (let round = 1; bodies.begun < MANY; round++) {
    strictEqual(bodies.begun, round * AT_ONCE);
    stalls.tellStill(0);
    await settle();
  }
  bodies.release();
  strictEqual(await countOk(many), MANY);
});

Deno.test("A request that has its whole document holds nobody up, however long it works", async () => {
  using _time = stopTime();
  const gateway = await openGateway();
  const { store, ok, send } = gateway;
  const { promise: wait, resolve: go } = Promise.withResolvers<void>();
  let waiting = 0;
  const { completeUpload } = store;
  Object.assign(store, {
    completeUpload: async (...args: Parameters<typeof completeUpload>) => {
      waiting++;
      await wait;
      return await completeUpload(...args);
    },
  });
  const body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>" +
    "</CompleteMultipartUpload>";
  const many = Array.from({ length: MANY }, () => {
    return send("POST", "/bucket/key?uploadId=none", { body });
  });
  await settle();
  strictEqual(waiting, MANY);
  await ok("PUT", "/bucket/other", { body: "x" });
  go();
  for (const response of await Promise.all(many)) assert(await response.text());
});
