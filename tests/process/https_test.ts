/**
 * S3 over HTTPS, by HTTP/1.1 and HTTP/2, from the real command.
 * @module
 */

import { Buffer } from "node:buffer";
import { match, ok, strictEqual } from "node:assert/strict";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { CREDENTIALS_ENV, PAIR, presign, sign } from "../http/wire_request.ts";
import { PERMISSIONS, signedFetch, startCommand, startGateway } from "./running_command.ts";

/** Reads a PEM file of the fixtures. */
function pem(name: string): string {
  return Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/tls/${name}.pem`);
}

const CA = pem("ca");
const ENV = {
  ...CREDENTIALS_ENV,
  NATS_S3_TLS_CERT: pem("server"),
  NATS_S3_TLS_KEY: pem("server-key"),
};

Deno.test("nats-s3 serves signed requests by HTTPS, over HTTP/1.1 and HTTP/2", async (t) => {
  await using server = await startNatsServer();
  await using gateway = await startGateway(["--natsServers", server.url], { env: ENV });
  match(gateway.url, /^https:/);
  const object = crypto.getRandomValues(new Uint8Array(65_536));
  const body = new Uint8Array(3_000_000).map((_, i) => object[i % object.length] ?? 0);
  for (const [version, options] of [["1", { http2: false }], ["2", { http1: false }]] as const) {
    await t.step(`HTTP/${version}`, async () => {
      using client = Deno.createHttpClient({ caCerts: [CA], ...options });
      const ask = async (method: string, path: string, body?: BodyInit): Promise<Uint8Array> => {
        const url = gateway.url + path;
        const response = await signedFetch(url, PAIR, { method, client, ...(body && { body }) });
        const bytes = await response.bytes();
        ok(response.ok, `${method} ${path}: ${response.status} ${new TextDecoder().decode(bytes)}`);
        return bytes;
      };
      await ask("PUT", `/photos${version}`);
      await ask("PUT", `/photos${version}/a%20b.bin`, body);
      // HTTP/2 has neither a length here nor a Transfer-Encoding.
      await ask("PUT", `/photos${version}/streamed`, new Blob([body]).stream());
      ok(Buffer.from(body).equals(await ask("GET", `/photos${version}/streamed`)));
      ok(Buffer.from(body).equals(await ask("GET", `/photos${version}/a%20b.bin`)));
      const list = new TextDecoder().decode(await ask("GET", `/photos${version}?list-type=2`));
      match(list, /<Key>a b\.bin<\/Key>/);

      const host = new URL(gateway.url).host;
      const request = {
        method: "GET",
        path: `/photos${version}/a%20b.bin`,
        query: "",
        headers: [["Host", host]] as const,
        body: "",
      };
      const url = `${gateway.url}${request.path}?${presign(request)}`;
      const presigned = await fetch(url, { client });
      ok(Buffer.from(body).equals(await presigned.bytes()));
      const forged = await fetch(url.replace("a%20b", "other"), { client });
      strictEqual(forged.status, 403, await forged.text());
    });
  }
});

Deno.test("nats-s3 finds the bucket in the name of the host that HTTP/2 asks", async () => {
  await using server = await startNatsServer();
  await using gateway = await startGateway(
    ["--natsServers", server.url, "--http.domain", "s3.test"],
    { env: ENV },
  );
  using client = Deno.createHttpClient({ caCerts: [CA] });
  const created = await signedFetch(`${gateway.url}/photos`, PAIR, { method: "PUT", client });
  strictEqual(created.status, 200, await created.text());

  const session = connect(gateway.url, { ca: CA });
  try {
    const ask = async (method: string, host: string, path: string, body = ""): Promise<string> => {
      const request = { method, path, query: "", headers: [["host", host]], body } as const;
      const { headers } = sign(request);
      const stream = session.request({
        ":method": method,
        ":path": path,
        ":authority": host,
        ...Object.fromEntries(headers.filter(([name]) => name !== "host")),
        ...(body !== "" && { "content-length": String(body.length) }),
      });
      const { promise, resolve, reject } = Promise.withResolvers<IncomingHttpHeaders>();
      stream.on("response", resolve).on("error", reject);
      if (body !== "") stream.end(body);
      const { ":status": status } = await promise;
      return `${status} ${Buffer.concat(await Array.fromAsync(stream)).toString()}`;
    };
    strictEqual(await ask("PUT", "photos.s3.test", "/a.txt", "hello"), "200 ");
    strictEqual(await ask("GET", "photos.s3.test:443", "/a.txt"), "200 hello");
    strictEqual(await ask("GET", "127.0.0.1", "/photos/a.txt"), "200 hello");
    match(await ask("GET", "other.s3.test", "/a.txt"), /^404 .*NoSuchBucket/s);
  } finally {
    session.close();
  }
});

Deno.test("nats-s3 refuses certificates that nobody could use, and says what to do", async () => {
  const server = { NATS_S3_TLS_CERT: pem("server") };
  for (
    const [env, code, reason] of [
      [server, 2, /Cannot use --tls.cert without --tls.key: set both or neither/],
      [
        { ...server, NATS_S3_TLS_KEY: pem("client-key") },
        2,
        /Cannot use --tls.key: it is the key of another certificate than --tls.cert/,
      ],
      [{ ...server, NATS_S3_TLS_KEY: pem("encrypted-key") }, 2, /the key is encrypted: decrypt it/],
      [
        { ...server, NATS_S3_TLS_KEY: pem("server") },
        2,
        /NATS_S3_TLS_KEY: it holds no private key in PEM/,
      ],
      [
        { NATS_S3_TLS_CERT: pem("server-key"), NATS_S3_TLS_KEY: pem("server-key") },
        2,
        /NATS_S3_TLS_CERT: it holds no certificate in PEM/,
      ],
      [
        { NATS_S3_TLS_CERT: pem("expired"), NATS_S3_TLS_KEY: pem("expired-key") },
        1,
        /Cannot use --tls.cert: it expired at 2021-01-01T00:00:00.000Z: renew it/,
      ],
    ] as const
  ) {
    await using command = startCommand(["run", ...PERMISSIONS, "main.ts"], {
      env: { ...CREDENTIALS_ENV, ...env },
    });
    strictEqual((await command.ended()).code, code, command.output);
    match(command.output, reason);
    ok(!command.output.includes("PRIVATE KEY"));
  }
});

Deno.test("nats-s3 health asks by HTTPS where the gateway serves by HTTPS", async () => {
  await using server = await startNatsServer();
  const listen = `127.0.0.1:${freePort()}`;
  // The certificate is for another name than the requested one.
  const env = {
    ...ENV,
    NATS_S3_TLS_CERT: pem("name"),
    NATS_S3_TLS_KEY: pem("name-key"),
    NATS_S3_LISTEN: listen,
  };
  const health = async (
    variables: Record<string, string>,
  ): Promise<{ readonly code: number; readonly output: string }> => {
    await using command = startCommand(["run", ...PERMISSIONS, "main.ts", "health"], {
      env: variables,
    });
    const { code } = await command.ended();
    return { code, output: command.output };
  };
  const none = await health(env);
  strictEqual(none.code, 1);
  match(none.output, /No response from https:/);

  await using gateway = await startGateway(["--natsServers", server.url, "--listen", listen], {
    env,
  });
  ok(gateway.pid > 0);
  const fine = await health(env);
  strictEqual(fine.code, 0, fine.output);
  strictEqual((await health({ NATS_S3_LISTEN: listen })).code, 1);
});
