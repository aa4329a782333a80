/**
 * Bodies that arrive slowly: what their senders may do is asked again, because the bucket may be somebody else's by then.
 * @module
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { enterWorld } from "../../src/world/world.ts";
import {
  allow,
  createPolicyScene,
  OTHER_ACCOUNT,
  outcomeOf,
  type PolicyScene,
  to,
} from "./policy_scene.ts";
import { contentMD5, type Send } from "./test_gateway.ts";

const DENIED = "403 AccessDenied";

/** A clock that a test moves on. */
function createClock(): Disposable & { pass: (milliseconds: number) => void } {
  let late = 0;
  const world = enterWorld({
    wallClock: () => Date.now(),
    monotonic: () => performance.now() + late,
    startTimer: (milliseconds, run) => setTimeout(run, milliseconds),
    stopTimer: (timer) => clearTimeout(timer),
    startTicker: (milliseconds, run) => setInterval(run, milliseconds),
    stopTicker: (timer) => clearInterval(timer),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
  });
  return {
    pass(milliseconds) {
      late += milliseconds;
    },
    [Symbol.dispose]: () => world[Symbol.dispose](),
  };
}

/** Returns a request whose body arrives when it is released. */
function slowly(text: string, headers: Send["headers"] = {}): { send: Send; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      await promise;
      controller.enqueue(new Uint8Array(new TextEncoder().encode(text)));
      controller.close();
    },
  }, { highWaterMark: 0 });
  const hash = createHash("sha256").update(text).digest("hex");
  const length = String(text.length);
  const own = { "content-length": length, "x-amz-content-sha256": hash, ...headers };
  return { send: { body, headers: own }, release: resolve };
}

const DELETE = "<Delete><Object><Key>key</Key></Object></Delete>";
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Principal: { AWS: OTHER_ACCOUNT },
    Action: "s3:*",
    Resource: ["arn:aws:s3:::bucket2", "arn:aws:s3:::bucket2/*"],
  },
});
const TAGS = "<Tagging><TagSet></TagSet></Tagging>";

/** Requests with bodies. */
const REQUESTS: readonly (readonly [method: string, target: string, body: string, md5: boolean])[] =
  [
    ["PUT", "/bucket2?policy", POLICY, false],
    ["PUT", "/bucket2?tagging", TAGS, true],
    ["PUT", "/bucket2/key", "planted", false],
    ["PUT", "/bucket2/key?tagging", TAGS, true],
  ];

/** Makes the bucket that the stranger's account owns anew, for the other account. */
async function takeOver(scene: PolicyScene): Promise<void> {
  strictEqual(await outcomeOf(await scene.as("stranger", "DELETE", "/bucket2/key")), "204");
  strictEqual(await outcomeOf(await scene.as("stranger", "DELETE", "/bucket2")), "204");
  strictEqual(await outcomeOf(await scene.as("root", "PUT", "/bucket2")), "200");
  strictEqual(await outcomeOf(await scene.as("root", "PUT", "/bucket2/key", { body: "x" })), "200");
}

async function createScene(): Promise<PolicyScene> {
  const scene = await createPolicyScene();
  await scene.as("stranger", "PUT", "/bucket2");
  await scene.as("stranger", "PUT", "/bucket2/key", { body: "own" });
  return scene;
}

for (const [method, target, text, md5] of REQUESTS) {
  Deno.test(`${method} ${target} with a slow body does not reach the bucket of another account`, async () => {
    using clock = createClock();
    const scene = await createScene();
    const { send, release } = slowly(text, md5 ? { "content-md5": contentMD5(text) } : {});
    const answer = scene.as("stranger", method, target, send);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await takeOver(scene);
    clock.pass(2000);
    release();
    strictEqual(await outcomeOf(await answer), DENIED);
    strictEqual(await (await scene.as("root", "GET", "/bucket2/key")).text(), "x");
    deepStrictEqual(
      await outcomeOf(await scene.as("root", "GET", "/bucket2?policy")),
      "404 NoSuchBucketPolicy",
    );
  });
}

Deno.test("DeleteObjects with a slow body deletes nothing of another account", async () => {
  using clock = createClock();
  const scene = await createScene();
  const { send, release } = slowly(DELETE, { "content-md5": contentMD5(DELETE) });
  const answer = scene.as("stranger", "POST", "/bucket2?delete", send);
  await new Promise((resolve) => setTimeout(resolve, 0));
  await takeOver(scene);
  clock.pass(2000);
  release();
  strictEqual((await (await answer).text()).includes("<Code>AccessDenied</Code>"), true);
  strictEqual(await (await scene.as("root", "GET", "/bucket2/key")).text(), "x");
});

Deno.test("a slow body arrives where its sender may still write, and not where a policy has ended", async () => {
  using clock = createClock();
  const scene = await createPolicyScene();
  const policy = [allow("PutObject", "/*", to("stranger"))];
  await scene.setBucketPolicy(...policy);
  for (const isEnded of [false, true]) {
    const { send, release } = slowly("body");
    const answer = scene.as("stranger", "PUT", "/bucket/key", send);
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (isEnded) await scene.setBucketPolicy();
    clock.pass(2000);
    release();
    strictEqual(await outcomeOf(await answer), isEnded ? DENIED : "200");
  }
});
