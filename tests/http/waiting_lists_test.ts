/** Lists that wait for their turn: they are refused only when places in flight run short. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { connect } from "node:http2";
import { Scene, until } from "./scene.ts";
import { presign } from "./wire_request.ts";

const PLACES = 80;

function countStalled(scene: Scene): number {
  const lines = scene.gateway.renderMetrics().split("\n")
    .filter((line) => line.startsWith("nats_s3_stalled_total"));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

Deno.test("All clients may use one access key, and list two hundred times at once", async () => {
  await using scene = await Scene.open();
  const asked = Array.from({ length: 200 }, () => scene.ask({ path: "/photos" }));
  const statuses = new Set((await Promise.all(asked)).map(({ status }) => status));
  deepStrictEqual([...statuses], [200]);
});

Deno.test("A list that waits makes room for another client when all places are taken", async () => {
  const limits = ["--limit.requests", String(PLACES), "--limit.stall", "1m"];
  await using scene = await Scene.open(...limits);
  // Lists with bodies above 16 KiB hold their turns until they are taken.
  for (let i = 0; i < 40; i++) {
    const path = `/photos/${String(i).padStart(1000, "k")}`;
    strictEqual((await scene.ask({ method: "PUT", path, body: "x" })).status, 200);
  }
  await scene.idle();
  const session = connect(`http://127.0.0.1:${scene.port}`, { settings: { initialWindowSize: 0 } });
  session.on("error", () => {});
  try {
    const headers = [["host", "localhost"]] as const;
    const query = presign({ method: "GET", path: "/photos", query: "", headers, body: "" });
    const statuses: number[] = [];
    for (let i = 0; i < PLACES; i++) {
      const stream = session.request({ ":path": `/photos?${query}`, ":authority": "localhost" });
      stream.on("response", (headers) => statuses.push(Number(headers[":status"])));
      stream.on("error", () => {});
      stream.end();
    }
    await until(() => scene.gateway.inFlight.count === PLACES && statuses.length === 64);
    strictEqual(statuses.every((status) => status === 200), true);
    const path = `/photos/${"0".padStart(1000, "k")}`;
    for (let i = 0; i < 3; i++) {
      strictEqual((await scene.ask({ method: "HEAD", path })).status, 200);
    }
    // If the machine is slow, lists that are not read have stood still for a second and go first.
    const hasMadeRoom = (): boolean => statuses.includes(503) || countStalled(scene) > 0;
    await until(() => hasMadeRoom() && scene.gateway.inFlight.count <= PLACES);
  } finally {
    session.destroy();
  }
});
