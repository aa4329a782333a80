/**
 * The connection to NATS against real nats-servers.
 * @module
 */

import { nkeys } from "@nats-io/nats-core";
import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { freePort, startNatsServer } from "../../scripts/nats_server.ts";
import { connect, type ConnectionSettings } from "../../src/nats/connection/connection.ts";
import {
  checkJetStream,
  JetStreamUnavailable,
  waitForJetStream,
} from "../../src/nats/jetstream/availability.ts";
import { createLog, type Log, SILENT_LOG } from "../../src/telemetry/log.ts";

const TLS = `${import.meta.dirname}/../fixtures/tls`;

function settings(url: string, others: Partial<ConnectionSettings> = {}): ConnectionSettings {
  return {
    servers: [url],
    login: { kind: "none" },
    tls: undefined,
    inboxPrefix: "_INBOX",
    ...others,
  };
}

async function levelOf(given: ConnectionSettings): Promise<number> {
  const connection = await connect(given, { log: SILENT_LOG });
  try {
    return (await checkJetStream(connection, "$JS.API")).level;
  } finally {
    await connection.close();
  }
}

function collectLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = createLog({
    format: "text",
    level: "debug",
    write: (_level, line) => lines.push(line),
  });
  return { log, lines };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("The condition did not become true within 15 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("connect() logs in with user and password, and says that a wrong one is refused", async () => {
  await using server = await startNatsServer({
    config: "authorization { user: ann, password: secret }",
  });
  const login = { kind: "user", user: "ann", password: "secret" } as const;
  ok(await levelOf(settings(server.url, { login })) >= 2);
  await rejects(
    levelOf(settings(server.url, { login: { ...login, password: "wrong" } })),
    /NATS refuses the login at nats:\/\/127/,
  );
});

Deno.test("connect() logs in with a token", async () => {
  await using server = await startNatsServer({ config: "authorization { token: t0ken }" });
  ok(await levelOf(settings(server.url, { login: { kind: "token", token: "t0ken" } })) >= 2);
});

Deno.test("connect() logs in with an NKey", async () => {
  const user = nkeys.createUser();
  const seed = new TextDecoder().decode(user.getSeed());
  await using server = await startNatsServer({
    config: `authorization { users [{ nkey: ${user.getPublicKey()} }] }`,
  });
  ok(await levelOf(settings(server.url, { login: { kind: "nkey", seed } })) >= 2);
});

Deno.test("connect() logs in with a credentials file's text", async () => {
  const operator = nkeys.createOperator();
  const account = nkeys.createAccount();
  const user = nkeys.createUser();
  const unlimited = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const limits = { subs: -1, conn: -1, leaf: -1, imports: -1, exports: -1, data: -1, payload: -1 };
  const system = nkeys.createAccount();
  const operatorToken = signToken(operator, operator, { type: "operator", version: 2 });
  const systemToken = signToken(operator, system, {
    type: "account",
    version: 2,
    limits: { ...limits, wildcards: true },
  });
  const accountToken = signToken(operator, account, {
    type: "account",
    version: 2,
    limits: { ...limits, wildcards: true, ...unlimited },
  });
  const userToken = signToken(account, user, {
    type: "user",
    version: 2,
    subs: -1,
    data: -1,
    payload: -1,
  });
  const creds = [
    "-----BEGIN NATS USER JWT-----",
    userToken,
    "------END NATS USER JWT------",
    "-----BEGIN USER NKEY SEED-----",
    new TextDecoder().decode(user.getSeed()),
    "------END USER NKEY SEED------",
    "",
  ].join("\n");
  await using server = await startNatsServer({
    config: `operator: ${operatorToken}\nresolver: MEMORY\nresolver_preload: {
        ${account.getPublicKey()}: ${accountToken}
        ${system.getPublicKey()}: ${systemToken}
      }\nsystem_account: ${system.getPublicKey()}`,
  });
  ok(await levelOf(settings(server.url, { login: { kind: "creds", creds } })) >= 2);
});

/** Signs a NATS JWT. */
function signToken(issuer: nkeys.KeyPair, subject: nkeys.KeyPair, nats: object): string {
  const base64url = (bytes: Uint8Array): string =>
    bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  const encode = (value: unknown): string =>
    base64url(new TextEncoder().encode(JSON.stringify(value)));
  const claims = { jti: "test", iat: 1, iss: issuer.getPublicKey(), sub: subject.getPublicKey() };
  const text = [encode({ typ: "JWT", alg: "ed25519-nkey" }), encode({ ...claims, nats })].join(".");
  return `${text}.${base64url(issuer.sign(new TextEncoder().encode(text)))}`;
}

Deno.test("connect() speaks WebSocket", async () => {
  const port = freePort();
  await using server = await startNatsServer({
    config: `websocket { listen: "127.0.0.1:${port}", no_tls: true }`,
  });
  ok(server.pid > 0);
  ok(await levelOf(settings(`ws://127.0.0.1:${port}`)) >= 2);
});

/** Reads a PEM file of the fixtures. */
function pem(name: string): string {
  return Deno.readTextFileSync(`${TLS}/${name}.pem`);
}

const CA = pem("ca");
const PAIR = { cert: pem("client"), key: pem("client-key") };

/** Returns the configuration of a server with this certificate. */
function tlsConfig(certificate: string, more = ""): string {
  return `tls { cert_file: "${TLS}/${certificate}.pem", key_file: "${TLS}/${certificate}-key.pem"
    ${more} }`;
}

const VERIFY = `ca_file: "${TLS}/ca.pem", verify: true`;
const FIRST = "handshake_first: true";

Deno.test("connect() speaks TLS with PEM texts, and believes the server's name", async (t) => {
  const ca = CA;
  for (
    const [title, config, host, tls] of [
      ["by an address that the certificate has", tlsConfig("address"), "127.0.0.1", { ca }],
      ["by a name that it has", tlsConfig("name"), "localhost", { ca }],
      ["one of several authorities", tlsConfig("address"), "127.0.0.1", { ca: pem("name") + ca }],
      ["with a client certificate", tlsConfig("address", VERIFY), "127.0.0.1", { ca, ...PAIR }],
      ["a handshake that comes first", tlsConfig("address", FIRST), "127.0.0.1", {
        ca,
        handshakeFirst: true,
      }],
      ["both", tlsConfig("address", `${FIRST}, ${VERIFY}`), "127.0.0.1", {
        ca,
        ...PAIR,
        handshakeFirst: true,
      }],
      ["where it is offered only", `${tlsConfig("address")}\nallow_non_tls: true`, "127.0.0.1", {
        ca,
      }],
    ] as const
  ) {
    await t.step(title, async () => {
      await using server = await startNatsServer({ config });
      const connection = await connect(settings(`tls://${host}:${server.port}`, { tls }), {
        log: SILENT_LOG,
      });
      ok((await checkJetStream(connection, "$JS.API")).level >= 2);
      await connection.close();
    });
  }
});

Deno.test("connect() says why there is no TLS, and tries again", async (t) => {
  const ca = CA;
  const unknown = /reason="No trusted authority issued the server's certificate/;
  const otherName = /reason="The server's certificate is for other names/;
  const missing = /reason="The server demands a client certificate: set --nats.tls-cert/;
  const refused = /reason="The server refuses TLS with us: perhaps it demands another client/;
  const foreign = `ca_file: "${TLS}/name.pem", verify: true`;
  for (
    const [title, config, host, tls, reason] of [
      ["an unknown authority", tlsConfig("server"), "127.0.0.1", { ca: pem("name") }, unknown],
      [
        "an authority that the runtime does not know",
        tlsConfig("server"),
        "127.0.0.1",
        {},
        unknown,
      ],
      ["tls:// and no more", tlsConfig("server"), "127.0.0.1", undefined, unknown],
      ["a certificate that has expired", tlsConfig("expired"), "127.0.0.1", { ca }, /has expired/],
      // transport-node once accepted any certificate for "localhost" at every address.
      [
        "an address, a certificate for localhost",
        tlsConfig("name"),
        "127.0.0.1",
        { ca },
        otherName,
      ],
      [
        "the same with a client certificate",
        tlsConfig("name", VERIFY),
        "127.0.0.1",
        { ca, ...PAIR },
        otherName,
      ],
      [
        "the same with a handshake that comes first",
        tlsConfig("name", `${FIRST}, ${VERIFY}`),
        "127.0.0.1",
        { ca, ...PAIR, handshakeFirst: true },
        otherName,
      ],
      [
        "a name, a certificate for an address",
        tlsConfig("address"),
        "localhost",
        { ca },
        otherName,
      ],
      ["no client certificate", tlsConfig("server", VERIFY), "127.0.0.1", { ca }, missing],
      [
        "a client certificate from elsewhere",
        tlsConfig("server", foreign),
        "127.0.0.1",
        { ca, ...PAIR },
        refused,
      ],
      [
        "a client certificate from elsewhere, in a handshake that comes first",
        tlsConfig("server", `${FIRST}, ${foreign}`),
        "127.0.0.1",
        { ca, ...PAIR, handshakeFirst: true },
        refused,
      ],
      [
        "a server without TLS",
        "",
        "127.0.0.1",
        { ca },
        /reason="The server has no TLS, which tls:/,
      ],
      [
        "a server that waits for us",
        tlsConfig("server", FIRST),
        "127.0.0.1",
        { ca },
        /--nats.tls-f/,
      ],
      [
        "a server that begins",
        tlsConfig("server"),
        "127.0.0.1",
        { ca, handshakeFirst: true },
        /reason="The server does not begin with TLS, as --nats.tls-first demands/,
      ],
    ] as const
  ) {
    await t.step(title, async () => {
      await using server = await startNatsServer({ config });
      const { log, lines } = collectLog();
      const abort = new AbortController();
      const connecting = connect(settings(`tls://${host}:${server.port}`, { tls }), {
        log,
        signal: abort.signal,
      });
      const ended = rejects(connecting, { name: "AbortError" });
      await until(() => lines.length > 0);
      abort.abort();
      await ended;
      match(lines[0] ?? "", /Cannot reach NATS, trying again/);
      match(lines[0] ?? "", reason);
    });
  }
});

Deno.test("connect() takes TLS where a nats:// server wants it", async () => {
  await using server = await startNatsServer({ config: tlsConfig("server") });
  const { log, lines } = collectLog();
  const abort = new AbortController();
  const connecting = connect(settings(server.url), { log, signal: abort.signal });
  const ended = rejects(connecting, { name: "AbortError" });
  await until(() => lines.length > 0);
  abort.abort();
  await ended;
  match(lines[0] ?? "", /No trusted authority/);
});

Deno.test("connect() says that there is no server, tries again, and gets through", async () => {
  const port = freePort();
  const { log, lines } = collectLog();
  const connecting = connect(settings(`nats://127.0.0.1:${port}`), { log });
  await until(() => lines.length > 0);
  match(lines[0] ?? "", /Cannot reach NATS, trying again.*servers=nats:\/\/127.*refused/);

  await using server = await startNatsServer({ port });
  const connection = await connecting;
  strictEqual(connection.getServer(), `127.0.0.1:${server.port}`);
  await connection.close();
});

Deno.test("connect() returns a connection that outlives its server", async () => {
  await using server = await startNatsServer();
  const { log, lines } = collectLog();
  const connection = await connect(settings(server.url), { log });
  await server.kill("SIGKILL");
  await until(() => lines.some((line) => line.includes("Lost the connection to NATS")));
  await server.start();
  await until(() => lines.some((line) => line.includes("Connected to NATS again")));
  ok((await checkJetStream(connection, "$JS.API")).level >= 2);
  await connection.close();
});

Deno.test("checkJetStream() names the permission that is missing", async () => {
  await using server = await startNatsServer({
    config: `accounts { A { jetstream: enabled, users [
      { user: p, password: p, permissions: { publish: { deny: "$JS.API.INFO" } } }
      { user: s, password: s, permissions: { subscribe: { deny: "_INBOX.>" } } }
    ] }, B { users [{ user: none, password: none }] } }`,
  });
  const as = (user: string): Promise<number> =>
    levelOf(settings(server.url, { login: { kind: "user", user, password: user } }));
  await rejects(as("p"), /does not permit this user to publish to "\$JS\.API\.INFO"/);
  await rejects(as("s"), /does not permit this user to subscribe to "_INBOX\./);
  await rejects(as("none"), (cause) => cause instanceof JetStreamUnavailable);
});

Deno.test("checkJetStream() uses the prefix of a domain", async () => {
  await using server = await startNatsServer({ jetstream: "domain: hub" });
  const connection = await connect(settings(server.url), { log: SILENT_LOG });
  strictEqual((await checkJetStream(connection, "$JS.hub.API")).domain, "hub");
  await rejects(
    checkJetStream(connection, "$JS.spoke.API"),
    /No one responds to \$JS\.spoke\.API\.INFO/,
  );
  await connection.close();
});

Deno.test("checkJetStream() refuses a JetStream that is too old, with the versions", async () => {
  await using server = await startNatsServer();
  const connection = await connect(settings(server.url), { log: SILENT_LOG });
  // The response of nats-server 2.11.11, under its own prefix.
  connection.subscribe("OLD.API.INFO", {
    callback: (_error, message) => void message.respond('{"api":{"level":1,"total":0,"errors":0}}'),
  });
  await rejects(checkJetStream(connection, "OLD.API"), /API level is 1.*2 is needed.*2\.12/);
  await connection.close();
});

Deno.test("waitForJetStream() tries again until JetStream is there", async () => {
  await using server = await startNatsServer();
  const { log, lines } = collectLog();
  const connection = await connect(settings(server.url), { log: SILENT_LOG });
  const waiting = waitForJetStream(connection, "LATE.API", { log });
  await until(() => lines.length > 0);
  match(lines[0] ?? "", /JetStream is not available, trying again.*LATE\.API\.INFO/);
  connection.subscribe("LATE.API.INFO", {
    callback: (_error, message) => void message.respond('{"api":{"level":5}}'),
  });
  strictEqual((await waiting).level, 5);
  await connection.close();
});
