/** A page in Chromium uses a bucket of another origin as the bucket's CORS rules permit. */

import { deepStrictEqual } from "node:assert/strict";
import { findDebianTree } from "../../scripts/debian.ts";
import { startGateway } from "./gateway_process.ts";
import { temporaryFolder } from "./real_files.ts";
import { demand, signedHeaders } from "./signed_request.ts";

const reasons: string[] = [];
const chromium = await findDebianTree(
  "chromium-headless-shell",
  "/usr/lib/chromium/chromium-headless-shell",
  (text) => reasons.push(text),
);
// deno-lint-ignore no-console
if (chromium === undefined) console.log(`Skipping a page in Chromium: ${reasons.join("; ")}`);

/** Milliseconds for a page. */
const PAGE_TIMEOUT = 60_000;

/** Runs a script in a page of an origin of its own; returns what it posts to `/done`. */
async function runInPage(script: string): Promise<unknown> {
  if (chromium === undefined) throw new TypeError("There is no Chromium");
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const page = `<!doctype html><script type="module">${script}</script>`;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      if (request.method === "POST") resolve(await request.json());
      return new Response(page, { headers: { "content-type": "text/html" } });
    },
  );
  await using folder = await temporaryFolder();
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const flags = ["--no-sandbox", "--disable-gpu", `--user-data-dir=${folder.path}`];
  const child = new Deno.Command(chromium.command, {
    args: [...flags, "--remote-debugging-port=0", url], // with this flag it stays until it is stopped
    env: chromium.env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => resolve("the page did not end"), PAGE_TIMEOUT);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    await child.status;
  }
}

const RULES = (origin: string) =>
  `<CORSConfiguration><CORSRule><AllowedOrigin>${origin}</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>` +
  "<AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>" +
  "</CORSRule></CORSConfiguration>";

Deno.test({
  name:
    "a page of another origin uploads and fetches under a CORS rule, and is refused without one",
  ignore: chromium === undefined,
  async fn() {
    await using gateway = await startGateway();
    for (const bucket of ["open", "closed", "others"]) {
      await demand(gateway, 200, { method: "PUT", path: `/${bucket}` });
    }
    const cors = { method: "PUT", query: "cors=" };
    await demand(gateway, 200, { ...cors, path: "/open", body: RULES("http://127.0.0.1:*") });
    await demand(gateway, 200, { ...cors, path: "/others", body: RULES("https://a.example") });
    const request = (method: string, bucket: string): Readonly<Record<string, unknown>> => {
      const path = `/${bucket}/key`;
      const { host: _, ...headers } = signedHeaders(gateway, { method, path });
      return { url: `${gateway.url}${path}`, method, headers };
    };
    const requests = Object.fromEntries(
      ["open", "closed", "others"].map((
        bucket,
      ) => [bucket, { put: request("PUT", bucket), get: request("GET", bucket) }]),
    );
    const outcome = await runInPage(`
      const outcome = {};
      for (const [bucket, { put, get }] of Object.entries(${JSON.stringify(requests)})) {
        try {
          const uploaded = await fetch(put.url, { ...put, body: "from a page" });
          const fetched = await fetch(get.url, get);
          outcome[bucket] = [uploaded.status, uploaded.headers.get("etag"), await fetched.text()];
        } catch (error) {
          outcome[bucket] = error.name;
        }
      }
      await fetch("/done", { method: "POST", body: JSON.stringify(outcome) });
    `);
    deepStrictEqual(outcome, {
      open: [200, '"1219f418c4a7385836767feed2483369"', "from a page"],
      closed: "TypeError",
      others: "TypeError",
    });
  },
});
