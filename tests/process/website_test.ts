/** Web sites of the command `nats-s3`: a port of their own, hosts on the port of S3, and who may read. */

import { deepStrictEqual, doesNotMatch, match, ok, rejects, strictEqual } from "node:assert/strict";
import { type NatsServer, startNatsServer } from "../../scripts/nats_server.ts";
import { RawConnection, type RawResponse } from "../clients/raw_http.ts";
import { formatPublicRead } from "../../src/s3/policy.ts";
import { CREDENTIALS_ENV as env, PAIR } from "../http/wire_request.ts";
import {
  PERMISSIONS,
  type RunningCommand,
  signedFetch,
  startCommand,
  startGateway,
} from "./running_command.ts";

type Gateway = RunningCommand & {
  readonly url: string;
  /** Ports of S3 and of web sites. */
  readonly s3: number;
  readonly sites: number;
};

async function start(server: NatsServer, ...flags: string[]): Promise<Gateway> {
  const gateway = await startGateway([
    ...["--natsServers", server.url, "--http.domain", "s3.test"],
    ...["--website.domain", "web.test", "--website.listen", "127.0.0.1:0", ...flags],
  ], { env });
  const [, sites] = await gateway.waitFor(/Serving web sites.*port=(\d+)/);
  return Object.assign(gateway, { s3: Number(new URL(gateway.url).port), sites: Number(sites) });
}

async function put({ url }: Gateway, target: string, body?: string): Promise<void> {
  const options = body === undefined ? {} : { body };
  const response = await signedFetch(`${url}${target}`, PAIR, { method: "PUT", ...options });
  const text = await response.text();
  strictEqual(response.ok, true, text);
}

/** Sends a request without a signature, as a browser does. */
async function browse(
  port: number,
  host: string,
  target: string,
  method = "GET",
): Promise<RawResponse> {
  using client = await RawConnection.open(port);
  await client.send(`${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  return await client.receive(method !== "HEAD");
}

async function runBuckets(server: NatsServer, ...args: string[]): Promise<string> {
  await using command = startCommand(
    [
      "run",
      ...PERMISSIONS,
      "main.ts",
      "buckets",
      ...args,
      "--natsServers",
      server.url,
      "--log.level",
      "warn",
    ],
    { env },
  );
  const { code } = await command.ended();
  return `${code} ${command.output}`;
}

/** Waits longer than a gateway keeps a document without asking whether it has changed. */
function untilChangesAreSeen(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1100));
}

const WEBSITE =
  "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>";

/** Bytes of a page that does not fit into the buffers of a socket. */
const LARGE = 24 * 1024 * 1024;

/** Begins to read a large page on the port of web sites, and stops after its headers. */
async function beginVisit(gateway: Gateway): Promise<RawConnection> {
  await put(gateway, "/photos");
  await put(gateway, "/photos/large", "x".repeat(LARGE));
  await put(gateway, "/photos?website", WEBSITE);
  await put(gateway, "/photos?policy", formatPublicRead("photos"));
  await untilChangesAreSeen();
  const client = await RawConnection.open(gateway.sites);
  await client.send("GET /large HTTP/1.1\r\nhost: photos.localhost\r\n\r\n");
  await client.skip(1);
  return client;
}

Deno.test("nats-s3 serves the web site of a public bucket, on every gateway", async (t) => {
  await using server = await startNatsServer();
  await using gateway = await start(server);
  await using second = await start(server);
  await put(gateway, "/photos");
  await put(gateway, "/photos/index.html", "home");
  await put(gateway, "/photos/a/index.html", "folder a");
  await put(gateway, "/photos/large", "x".repeat(2_000_000));
  const read = async (port: number, host: string, target: string): Promise<string> => {
    const { status, text } = await browse(port, host, target);
    return `${status} ${/<li>Code: (\w+)/.exec(text)?.[1] ?? text}`;
  };
  const everywhere = async (expected: string): Promise<void> => {
    for (const { s3, sites } of [gateway, second]) {
      for (
        const [port, host] of [
          [sites, "photos.localhost"],
          [sites, "photos.web.test"],
          [sites, "photos"],
          [s3, "photos.web.test"],
        ] as const
      ) strictEqual(await read(port, host, "/"), expected, host);
    }
  };

  await t.step("not before it has a configuration and a policy", async () => {
    await everywhere("404 NoSuchWebsiteConfiguration");
    await put(gateway, "/photos?website", WEBSITE);
    await untilChangesAreSeen();
    await everywhere("403 AccessDenied");
  });
  await t.step("after nats-s3 buckets website --public", async () => {
    strictEqual(
      await runBuckets(server, "website", "--public", "photos"),
      "0 photos: everybody may read its objects\n",
    );
    await untilChangesAreSeen();
    await everywhere("200 home");
    const policy = await signedFetch(`${second.url}/photos?policy`, PAIR);
    deepStrictEqual(JSON.parse(await policy.text()).Statement[0].Principal, "*");
  });
  await t.step("and the port of S3 serves both", async () => {
    strictEqual(await read(gateway.s3, "photos.s3.test", "/a/index.html"), "200 folder a");
    strictEqual(await read(gateway.s3, "localhost", "/photos/a/index.html"), "200 folder a");
    match(await read(gateway.s3, "photos.s3.test", "/a/"), /^403 .*<Code>AccessDenied</s);
    match(await read(gateway.s3, "photos.localhost", "/index.html"), /^404 .*<Code>NoSuchBucket</s);
    strictEqual(await read(gateway.s3, "photos.web.test", "/a/"), "200 folder a");
  });
  await t.step("with redirects, ranges and the methods of a web site", async () => {
    const folder = await browse(gateway.sites, "photos.localhost", "/a");
    deepStrictEqual([folder.status, folder.headers.get("location")], [302, "/a/"]);
    const head = await browse(gateway.sites, "photos.localhost", "/large", "HEAD");
    deepStrictEqual([head.status, head.headers.get("content-length")], [200, "2000000"]);
    const large = await browse(gateway.sites, "photos.localhost", "/large");
    strictEqual(large.text.length, 2_000_000);
    const missing = await browse(gateway.sites, "photos.localhost", "/none", "HEAD");
    deepStrictEqual([missing.status, missing.headers.get("content-type")], [
      404,
      "text/html; charset=utf-8",
    ]);
    strictEqual((await browse(gateway.sites, "photos.localhost", "/a", "DELETE")).status, 405);
    strictEqual((await browse(gateway.sites, "x/y", "/a")).status, 400);
  });
  await t.step("and metrics and the log name the operation", async () => {
    const [, admin] = await gateway.waitFor(/Serving health and metrics.*port=(\d+)/);
    const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
    match(metrics, /nats_s3_requests_total\{operation="WebsiteGet",status="200",code=""\} \d+/);
    await gateway.waitFor(/operation=WebsiteHead bucket=photos key=large/);
  });
  await t.step("until nats-s3 buckets website --private", async () => {
    strictEqual(
      await runBuckets(server, "website", "photos", "--private"),
      "0 photos: users alone may read its objects\n",
    );
    await untilChangesAreSeen();
    await everywhere("403 AccessDenied");
    match(await read(gateway.s3, "localhost", "/photos/index.html"), /^403 .*<Code>AccessDenied</s);
  });
  await t.step("a bucket that is made again starts from nothing", async () => {
    strictEqual((await runBuckets(server, "website", "photos", "--public"))[0], "0");
    for (const key of ["index.html", "a/index.html", "large", ""]) {
      const response = await signedFetch(`${gateway.url}/photos/${key}`, PAIR, {
        method: "DELETE",
      });
      strictEqual(response.status, 204, await response.text());
    }
    await put(gateway, "/photos");
    await untilChangesAreSeen();
    await everywhere("404 NoSuchWebsiteConfiguration");
    const policy = await signedFetch(`${gateway.url}/photos?policy`, PAIR);
    match(await policy.text(), /NoSuchBucketPolicy/);
  });
});

Deno.test("a page that is under way on the port of web sites is read to its end after SIGTERM", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server, "--drain.delay", "0s");
  using client = await beginVisit(gateway);
  const stopping = gateway.stop();
  await gateway.waitFor(/Stopping: requests in flight may end.*requests=1/);
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const port of [gateway.sites, gateway.s3]) {
    await rejects(RawConnection.open(port), Deno.errors.ConnectionRefused);
  }
  ok(await client.drain() > LARGE - 64 * 1024, "the response must not be cut off");
  strictEqual((await stopping).code, 0, gateway.output);
  doesNotMatch(gateway.output, /Requests in flight take too long/);
});

Deno.test("the ports of S3 and of web sites have one --limit.requests", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server, "--limit.requests", "1");
  using _client = await beginVisit(gateway);
  const page = await browse(gateway.sites, "photos.localhost", "/none");
  deepStrictEqual([page.status, page.headers.get("x-amz-error-code")], [503, "SlowDown"]);
  const response = await signedFetch(`${gateway.url}/photos/none`, PAIR);
  strictEqual(response.status, 503, await response.text());
});

Deno.test("nats-s3 buckets website refuses what it cannot do", async () => {
  await using server = await startNatsServer();
  for (
    const [args, expected] of [
      [["website", "photos"], /^2 Choose one flag: --public or --private/],
      [["website", "photos", "--public", "--private"], /^2 Choose one flag/],
      [["website", "--public"], /^2 Wrong number of operands/],
      [["website", "--public", ".."], /^2 Cannot use bucket ".."/],
      [["website", "--public", "photos"], /^1 There is no bucket "photos"/m],
    ] as const
  ) match(await runBuckets(server, ...args), expected);
  await using gateway = await start(server, "--bucket.public-access-block", "on");
  await put(gateway, "/photos");
  const refused = await runBuckets(server, "website", "--public", "photos");
  match(refused, /^1 .*public access block/m);
  strictEqual((await browse(gateway.sites, "photos.localhost", "/a")).status, 404);
});

Deno.test("nats-s3 buckets website gives up another policy only if it is told to", async () => {
  await using server = await startNatsServer();
  await using gateway = await start(server);
  await put(gateway, "/photos");
  const other = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Deny",
      Principal: "*",
      Action: "s3:DeleteObject",
      Resource: "arn:aws:s3:::photos/*",
    },
  });
  const policy = async (): Promise<string> => {
    await untilChangesAreSeen();
    return await (await signedFetch(`${gateway.url}/photos?policy`, PAIR)).text();
  };
  await put(gateway, "/photos?policy", other);
  for (const flag of ["--public", "--private"]) {
    const refused = await runBuckets(server, "website", "photos", flag);
    match(refused, /^1 .*Bucket "photos" has another policy.*--replace/m, flag);
    strictEqual(await policy(), other, flag);
  }
  const replaced = await runBuckets(server, "website", "photos", "--public", "--replace");
  strictEqual(replaced, "0 photos: everybody may read its objects\n");
  match(await policy(), /"PublicReadGetObject"/);
  // Its own policy is no other one.
  strictEqual((await runBuckets(server, "website", "photos", "--public"))[0], "0");
  strictEqual((await runBuckets(server, "website", "photos", "--private"))[0], "0");
  match(await policy(), /NoSuchBucketPolicy/);
  await put(gateway, "/photos?policy", other);
  const given = await runBuckets(server, "website", "photos", "--private", "--replace");
  strictEqual(given, "0 photos: users alone may read its objects\n");
  match(await policy(), /NoSuchBucketPolicy/);
});

Deno.test("nats-s3 says that the port of web sites is in use, and refuses hosts that mean two things", async () => {
  await using server = await startNatsServer();
  for (
    const [flags, code, reason] of [
      [
        ["--website.listen", `127.0.0.1:${server.port}`],
        1,
        new RegExp(`Port ${server.port} of 127\\.0\\.0\\.1 is in use.*--website\\.listen`),
      ],
      [
        ["--website.domain", "example.com", "--http.domain", "s3.example.com"],
        2,
        /Cannot use --website.domain example.com with --http.domain s3.example.com/,
      ],
    ] as const
  ) {
    await using command = startCommand([
      ...["run", ...PERMISSIONS, "main.ts", "--natsServers", server.url],
      ...["--listen", "127.0.0.1:0", "--admin.listen", "off", ...flags],
    ], { env });
    strictEqual((await command.ended()).code, code, command.output);
    match(command.output, reason);
  }
});
