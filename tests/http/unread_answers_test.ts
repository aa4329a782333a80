/** Answers whose bytes nobody takes: they hold a place until they are ended, also over HTTP/2, and one client's do not hold others up. */

import { ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import type { RawConnection } from "../clients/raw_http.ts";
import { pause, Scene, STALL, until } from "./scene.ts";
import { bytesOf, presign } from "./wire_request.ts";

const KIB = 1024;

function metric(scene: Scene, name: string): number {
  const lines = scene.gateway.renderMetrics().split("\n").filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** Puts keys that are so long that a list of them has more bytes than a socket takes. */
async function putLongKeys(scene: Scene): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const path = `/photos/${String(i).padStart(1000, "k")}`;
    strictEqual((await scene.ask({ method: "PUT", path, body: "x" })).status, 200);
  }
}

/** A path with a signature that anybody may use. */
function presigned(path: string, query = "", method = "GET"): string {
  const headers = [["host", "localhost"]] as const;
  return `${path}?${presign({ method, path, query, headers, body: "" })}`;
}

/** Sends the beginning of a request with a presigned URL. */
async function begin(scene: Scene, head: string, length: number): Promise<RawConnection> {
  const client = await scene.open();
  const lines = [`${head} HTTP/1.1`, "host: localhost", `content-length: ${length}`, "", ""];
  await client.send(bytesOf(lines.join("\r\n")));
  return client;
}

Deno.test("A list and an object that nobody reads are in flight until they are ended", async () => {
  await using scene = await Scene.open();
  await scene.put(200 * KIB);
  await putLongKeys(scene);
  await scene.idle();
  const clients: RawConnection[] = [];
  try {
    for (let i = 0; i < 8; i++) {
      const client = await scene.open();
      clients.push(client);
      const path = i % 2 === 0 ? "/photos/key" : "/photos";
      await client.send(bytesOf(scene.request({ path })).slice());
      // The sockets of both sides take some megabytes, so each connection asks again and again.
      for (let more = 0; more < 40; more++) await client.send(bytesOf(scene.request({ path })));
    }
    await until(() => metric(scene, "nats_s3_stalled_total") >= 8, 20 * STALL);
    await scene.idle();
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});

/** Opens an HTTP/2 connection by prior knowledge whose client takes no bytes of any body. */
function takeNothing(scene: Scene): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${scene.port}`, { settings: { initialWindowSize: 0 } });
  session.on("error", () => {});
  return session;
}

/** Sends GETs and returns the statuses that have arrived so far. */
function get(session: ClientHttp2Session, path: string, count: number): readonly number[] {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) {
    const stream = session.request({ ":path": path, ":method": "GET", ":authority": "localhost" });
    stream.on("response", (headers) => statuses.push(Number(headers[":status"])));
    stream.on("error", () => {});
    stream.end();
  }
  return statuses;
}

Deno.test("Over HTTP/2 by prior knowledge, answers without a window are in flight until they are ended", async () => {
  await using scene = await Scene.open("--limit.stall", "2s");
  await scene.put(200 * KIB);
  const session = takeNothing(scene);
  try {
    const statuses = get(session, presigned("/photos/key"), 50);
    await until(() => statuses.length === 50);
    strictEqual(scene.gateway.inFlight.count, 50);
    await until(() => scene.gateway.inFlight.count === 0);
    ok(metric(scene, "nats_s3_stalled_total") >= 50);
  } finally {
    session.destroy();
  }
});

Deno.test("One presigned URL that takes every place does not hold others up", async () => {
  const limits = ["--limit.requests", "20", "--limit.stall", "1m"];
  await using scene = await Scene.open(...limits);
  await scene.put(200 * KIB);
  const session = takeNothing(scene);
  try {
    const statuses = get(session, presigned("/photos/key"), 40);
    await until(() => statuses.length === 40);
    strictEqual(scene.gateway.inFlight.count, 20);
    strictEqual(statuses.filter((status) => status === 503).length, 20);
    await pause(1000); // from now on they have stood still for long enough
    for (let i = 0; i < 30; i++) strictEqual((await scene.ask({ method: "HEAD" })).status, 200);
    ok(scene.gateway.inFlight.count >= 10, "only what was needed was ended");
  } finally {
    session.destroy();
  }
});

Deno.test("One presigned URL for uploads that hardly proceed does not hold others up", async () => {
  await using scene = await Scene.open("--limit.requests", "20", "--limit.stall", "1m");
  await scene.put(KIB);
  const clients: RawConnection[] = [];
  let drips = 0;
  // Each upload gets a byte several times within the second in which it would stand still.
  const drip = setInterval(() => {
    drips++;
    for (const client of clients) client.send(bytesOf("x")).catch(() => {});
  }, 200);
  try {
    const head = `PUT ${presigned("/photos/new", "", "PUT")}`;
    for (let i = 0; i < 20; i++) clients.push(await begin(scene, head, KIB * KIB));
    await until(() => scene.gateway.inFlight.count === 20);
    const before = drips;
    await until(() => drips >= before + 10);
    for (let i = 0; i < 5; i++) strictEqual((await scene.ask({ method: "HEAD" })).status, 200);
    ok(scene.gateway.inFlight.count >= 10, "only what was needed was ended");
  } finally {
    clearInterval(drip);
    for (const client of clients) client[Symbol.dispose]();
  }
  await scene.idle();
});

Deno.test("Documents that come by a presigned URL use up no memory of its maker's", async () => {
  await using scene = await Scene.open("--limit.stall", "1m");
  const size = 8 * KIB * KIB;
  const head = `POST ${presigned("/photos/new", `uploadId=${"0".repeat(32)}`, "POST")}`;
  const clients = [await begin(scene, head, size), await begin(scene, head, size)];
  try {
    for (const client of clients) await client.send(new Uint8Array(size - KIB));
    const name = 'nats_s3_buffered_bytes{direction="documents"}';
    await until(() => metric(scene, name) === 2 * (size - KIB));
    const body = `<Delete>${"<Object><Key>key</Key></Object>".repeat(200)}</Delete>`;
    using owner = await scene.open();
    const md5 = createHash("md5").update(body).digest("base64");
    const headers = [["content-length", String(body.length)], ["content-md5", md5]] as const;
    const asked = { method: "POST", path: "/photos", query: "delete=", headers, body };
    await owner.send(bytesOf(scene.request(asked)));
    strictEqual((await owner.receive()).status, 200);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});

Deno.test("With --limit.share off, places are not shared", async () => {
  const limits = ["--limit.requests", "5", "--limit.stall", "1m", "--limit.share", "off"];
  await using scene = await Scene.open(...limits);
  await scene.put(200 * KIB);
  const session = takeNothing(scene);
  try {
    const statuses = get(session, presigned("/photos/key"), 5);
    await until(() => statuses.length === 5);
    await pause(1200);
    strictEqual((await scene.ask({ method: "HEAD" })).status, 503);
  } finally {
    session.destroy();
  }
});
