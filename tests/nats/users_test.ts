/** Users in the KV bucket `s3-users`: changes on several gateways, and everything that may happen to the stream. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import type { BucketName } from "../../src/s3/names.ts";
import { call } from "../contract/nats_store.ts";
import { openStore, STORE_OPTIONS, storeOnServer, subjectsOfStream } from "./store_on_server.ts";
import { backUp, restore } from "./stream_backup.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import {
  ACCOUNT,
  addUser,
  keyOf,
  LEASE,
  loseConsumers,
  namesOf,
  removeUser,
  sealingOf,
  STREAM,
  withUsers,
} from "./users_on_server.ts";

/** Writes what a native client might, and returns the sequence. */
const USER = `$KV.s3-users.user.${ACCOUNT}.`;
const subjectOf = (name: string): string => USER + btoa(name).replaceAll("=", "");

Deno.test("a change on one gateway is in force on every other, and survives both", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  await using other = await openStore(given.server.url, withUsers());
  const [a, b] = [given.store.users, other.store.users];
  deepStrictEqual(namesOf(await b.read()), []);
  strictEqual(b.current()?.accounts.size, 0);

  const changed = await a.change(addUser("alice"));
  deepStrictEqual(namesOf(changed), ["alice"]);
  deepStrictEqual(namesOf(a.current() ?? await a.read()), ["alice"]);
  await delay(LEASE);
  const seen = b.current() ?? await b.read();
  strictEqual(seen.holderOf(keyOf("alice"))?.key.secret, "secret of alice");
  deepStrictEqual([...seen.accounts.keys()], [ACCOUNT]);

  await b.change(removeUser("alice"));
  await delay(LEASE);
  strictEqual((a.current() ?? await a.read()).holderOf(keyOf("alice")), undefined);
  await using third = await openStore(given.server.url, withUsers());
  deepStrictEqual(namesOf(await third.store.users.read()), []);
});

Deno.test("records are JSON below readable keys, with sealed secrets, and no bucket of S3", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  const { store, connection } = given;
  await store.users.change(addUser("Alice"));
  deepStrictEqual(Object.keys(await subjectsOfStream(connection, STREAM)).sort(), [
    `$KV.s3-users.account.${ACCOUNT}`,
    subjectOf("alice"),
  ]);
  const { message } = await call<{ readonly message: { readonly data: string } }>(
    connection,
    `STREAM.MSG.GET.${STREAM}`,
    { last_by_subj: subjectOf("alice") },
  );
  const text = atob(message.data);
  const { name, account, keys: [key] } = JSON.parse(text);
  deepStrictEqual([name, account, key.id], ["Alice", ACCOUNT, keyOf("Alice")]);
  match(key.sealed, /^k1:/);
  ok(!text.includes("secret of"), text);
  deepStrictEqual(await store.listBuckets(), []);
  await store.createBucket("s3-users" as BucketName, "alice");
  deepStrictEqual(namesOf(await store.users.read()), ["Alice"]);
});

Deno.test("changes of two gateways at the same time are serial", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  await using other = await openStore(given.server.url, withUsers());
  const both = [given.store.users, other.store.users];
  const names = Array.from({ length: 20 }, (_, i) => `user${i + 10}`);
  await Promise.all(names.map((name, i) => both[i % 2]?.change(addUser(name))));
  for (const users of both) deepStrictEqual(namesOf(await users.read()), names);

  const twice = await Promise.allSettled(both.map((users) => users.change(addUser("once"))));
  deepStrictEqual(twice.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const failed = twice.find((result) => result.status === "rejected");
  strictEqual(failed?.reason.code, "EntityAlreadyExists");
});

Deno.test("a gateway whose server stands still refuses, and goes on when the server does", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  await using other = await openStore(given.server.url, withUsers());
  await given.store.users.change(addUser("alice"));
  const { users } = other.store;
  await users.read();
  await given.server.kill("SIGSTOP");
  try {
    await delay(LEASE);
    strictEqual(users.current(), undefined);
    await rejects(users.read(), { code: "ServiceUnavailable" });
  } finally {
    await given.server.kill("SIGCONT");
  }
  await until(async () => namesOf(await users.read()).length === 1);
});

Deno.test("a gateway that has never had users goes on while JetStream does not answer", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  const { users } = given.store;
  deepStrictEqual(namesOf(await users.read()), []);
  await given.server.kill("SIGSTOP");
  try {
    await delay(LEASE);
    strictEqual(users.current(), undefined);
    deepStrictEqual(namesOf(await users.read()), []);
    ok(users.current() !== undefined, "nobody else waits");
  } finally {
    await given.server.kill("SIGCONT");
  }
  await until(async () => namesOf(await users.change(addUser("alice"))).length === 1);
});

Deno.test("a gateway whose server is restarted goes on with what changed meanwhile", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url, withUsers());
  await given.store.users.change(addUser("alice"));
  const { users } = other.store;
  deepStrictEqual(namesOf(await users.read()), ["alice"]);
  await given.server.restart("SIGKILL");
  await until(async () => namesOf(await given.store.users.read()).length === 1);
  proxy.cut();
  await given.store.users.change(addUser("bob"));
  await given.store.users.change(removeUser("alice"));
  await until(async () => namesOf(await users.read()).join() === "bob");
});

Deno.test("a gateway that has lost its consumer sees changes all the same", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  await using other = await openStore(given.server.url, withUsers());
  const { users } = other.store;
  await given.store.users.change(addUser("alice"));
  await users.read();
  ok(await loseConsumers(given.connection) > 0);
  await given.store.users.change(removeUser("alice"));
  await delay(LEASE);
  deepStrictEqual(namesOf(users.current() ?? await users.read()), []);
});

Deno.test("a KV bucket that is deleted has no users, and one that is made again has its own", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  await using other = await openStore(given.server.url, withUsers());
  const { users } = other.store;
  await given.store.users.change(addUser("alice"));
  deepStrictEqual(namesOf(await users.read()), ["alice"]);
  await call(given.connection, `STREAM.DELETE.${STREAM}`);
  await delay(LEASE);
  deepStrictEqual(namesOf(users.current() ?? await users.read()), []);

  await given.store.users.change(addUser("bob"));
  await call(given.connection, `STREAM.DELETE.${STREAM}`);
  await users.change(addUser("carol"));
  await delay(LEASE);
  for (const one of [users, given.store.users]) {
    deepStrictEqual(namesOf(one.current() ?? await one.read()), ["carol"]);
  }
});

Deno.test("a backup that is restored is in force, although its sequences go back", async () => {
  const [storeDir, backup] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  await using given = await storeOnServer({ server: { storeDir }, store: withUsers() });
  await using other = await openStore(given.server.url, withUsers());
  const { users } = other.store;
  await given.store.users.change(addUser("alice"));
  await given.server.kill("SIGTERM");
  await copyFolder(storeDir, backup);
  await given.server.start();
  await delay(LEASE); // a reading from before the end of the server is good for as long
  await until(async () => namesOf(await given.store.users.read()).length === 1);
  await given.store.users.change(addUser("bob"));
  await given.store.users.change(addUser("carol"));
  await until(async () => namesOf(await users.read()).length === 3);

  await given.server.kill("SIGTERM");
  await Deno.remove(storeDir, { recursive: true });
  await copyFolder(backup, storeDir);
  await given.server.start();
  // As many records follow as before, and one more behind the place where the readings ended.
  await using third = await openStore(given.server.url, withUsers());
  await third.store.users.change(addUser("dave"));
  await third.store.users.change(addUser("eve"));
  await third.store.users.change(addUser("frank"));
  for (const one of [users, given.store.users, third.store.users]) {
    await until(async () => namesOf(await one.read()).join() === "alice,dave,eve,frank");
  }
});

Deno.test("a stream is backed up and restored while gateways run", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  await using other = await openStore(given.server.url, withUsers());
  const [a, b] = [given.store.users, other.store.users];
  await a.change(addUser("alice"));
  const backup = await backUp(given.connection, STREAM);
  await a.change(addUser("bob"));
  await a.change(removeUser("alice"));
  deepStrictEqual(namesOf(await b.read()), ["bob"]);
  await call(given.connection, `STREAM.DELETE.${STREAM}`);
  await restore(given.connection, backup);
  await delay(LEASE);
  for (const users of [a, b]) {
    const directory = users.current() ?? await users.read();
    deepStrictEqual(namesOf(directory), ["alice"]);
    strictEqual(directory.holderOf(keyOf("alice"))?.key.secret, "secret of alice");
  }
  deepStrictEqual(namesOf(await b.change(addUser("carol"))), ["alice", "carol"]);
  await delay(LEASE);
  deepStrictEqual(namesOf(a.current() ?? await a.read()), ["alice", "carol"]);
});

Deno.test("a gateway that hears nothing from its consumer does not trust what a restored stream has lost", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url, withUsers());
  const [a, b] = [given.store.users, other.store.users];
  await a.change(addUser("alice"));
  const backup = await backUp(given.connection, STREAM);
  await a.change(addUser("bob"));
  deepStrictEqual(namesOf(await b.read()), ["alice", "bob"]);
  // Responses to requests have a third token.
  const isResponse = /^_INBOX\.\w+\.\w+$/;
  proxy.judge = ({ direction, verb, subject }) =>
    direction === "to client" && verb.endsWith("MSG") && !isResponse.test(subject)
      ? "drop"
      : "pass";
  await call(given.connection, `STREAM.DELETE.${STREAM}`);
  await restore(given.connection, backup);
  await delay(LEASE);
  await rejects(b.read(), { code: "ServiceUnavailable" });
  proxy.judge = () => "pass";
  await until(async () => namesOf(await b.read()).join() === "alice");
});

Deno.test("records that vanish without a trace are noticed", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  const { store: { users }, connection } = given;
  await users.change(addUser("alice"));
  await users.change(addUser("bob"));
  await call(connection, `STREAM.PURGE.${STREAM}`, { filter: subjectOf("alice") });
  await delay(LEASE);
  deepStrictEqual(namesOf(await users.read()), ["bob"]);
  await call(connection, `STREAM.PURGE.${STREAM}`, { filter: subjectOf("bob") }); // the last one
  await delay(LEASE);
  deepStrictEqual(namesOf(await users.read()), []);
  deepStrictEqual(namesOf(await users.change(addUser("carol"))), ["carol"]);
  await call(connection, `STREAM.PURGE.${STREAM}`);
  await delay(LEASE);
  deepStrictEqual(namesOf(await users.read()), []);
  deepStrictEqual(namesOf(await users.change(addUser("dave"))), ["dave"]);
});

Deno.test("a record that cannot be read is reported, counted and ignored; the last good one stays", async () => {
  const warned: string[] = [];
  const kinds: string[] = [];
  const observe = { unreadable: (kind: string): void => void kinds.push(kind) };
  const log = { warn: (message: string): void => void warned.push(message) };
  await using given = await storeOnServer({ store: withUsers({}, { observe, log }) });
  const { store: { users }, connection } = given;
  await users.change(addUser("alice"));
  for (const [name, text] of [["alice", "{"], ["bob", "[]"], ["carol", '{"version":9}']] as const) {
    await connection.request(subjectOf(name), text);
  }
  await connection.request("$KV.s3-users.future.x", "{}");
  await delay(LEASE);
  const directory = await users.read();
  deepStrictEqual(namesOf(directory), ["alice"]);
  strictEqual(directory.holderOf(keyOf("alice"))?.key.secret, "secret of alice");
  deepStrictEqual(kinds, ["users", "users", "users"]);
  deepStrictEqual(warned, Array(3).fill("record cannot be read"));
  strictEqual(users.counts.unreadable, 3);
  await rejects(users.change(addUser("carol")), {
    code: "AccessDenied",
    message: /cannot be read/,
  });

  await loseConsumers(connection);
  await users.change(addUser("dave"));
  deepStrictEqual(namesOf(await users.read()), ["alice", "dave"]);
  deepStrictEqual(namesOf(await users.change(removeUser("alice"))), ["dave"]);
});

Deno.test("without its key no user can sign, and no record can be changed", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  await given.store.users.change(addUser("alice"));
  const warned: unknown[] = [];
  const log = { warn: (message: string): void => void warned.push(message) };
  for (const sealing of [undefined, sealingOf(2)]) {
    await using other = await openStore(given.server.url, withUsers({ sealing }, { log }));
    const { users } = other.store;
    const directory = await users.read();
    deepStrictEqual([...directory.accounts.keys()], [ACCOUNT], "accounts stay isolated");
    strictEqual(directory.holderOf(keyOf("alice")), undefined);
    strictEqual(users.counts.locked, 1);
    const change = users.change(({ user }) => {
      const alice = directory.user(ACCOUNT, "alice");
      ok(alice !== undefined && user !== undefined);
      return [{ put: { kind: "user", value: { ...alice, path: "/other/" } } }];
    });
    await rejects(change, { code: "AccessDenied", message: /NATS_S3_USERS_KEY/ });
  }
  deepStrictEqual(warned.length, 2);
  await using other = await openStore(given.server.url, withUsers({ sealing: undefined }));
  await rejects(other.store.users.change(addUser("bob")), { message: /NATS_S3_USERS_KEY/ });
});

Deno.test("secrets are sealed again under a new key, after which the old one is not needed", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  for (const name of ["alice", "bob"]) await given.store.users.change(addUser(name));
  await using rotated = await openStore(given.server.url, withUsers({ sealing: sealingOf(2, 1) }));
  const { users } = rotated.store;
  await users.read();
  strictEqual(users.counts.outdated, 2);
  strictEqual(await users.reseal(), 2);
  strictEqual(await users.reseal(), 0);
  strictEqual(users.counts.outdated, 0);
  await using later = await openStore(given.server.url, withUsers({ sealing: sealingOf(2) }));
  const directory = await later.store.users.read();
  strictEqual(directory.holderOf(keyOf("bob"))?.key.secret, "secret of bob");
});

Deno.test("secrets in the clear are written without a key, and accepted only where the operator permits it", async () => {
  const plain = withUsers({ sealing: undefined, plaintext: true });
  await using given = await storeOnServer({ store: plain });
  await given.store.users.change(addUser("alice"));
  const secretAt = async (settings: Parameters<typeof withUsers>[0]): Promise<unknown> => {
    await using other = await openStore(given.server.url, withUsers(settings));
    const { users } = other.store;
    await users.read();
    await users.reseal();
    return (await users.read()).holderOf(keyOf("alice"))?.key.secret;
  };
  strictEqual(await secretAt({}), undefined);
  strictEqual(await secretAt({ plaintext: true }), "secret of alice");
  strictEqual(await secretAt({}), "secret of alice", "it was sealed");
});

Deno.test("a change without a response is found out about, and made once", async () => {
  await using given = await storeOnServer({ store: withUsers({}, { timeout: 500 }) });
  await given.store.users.change(addUser("alice"));
  await using proxy = new TcpProxy(given.server.port);
  await using other = await openStore(proxy.url, withUsers({}, { timeout: 500 }));
  const { users } = other.store;
  await users.read();
  for (const [name, verdict] of [["bob", "lost response"], ["carol", "lost request"]] as const) {
    let reply = "";
    proxy.judge = ({ verb, subject, reply: inbox }) => {
      if (verb === "HPUB" && subject === subjectOf(name) && reply === "") {
        reply = inbox;
        return verdict === "lost request" ? "drop" : "pass";
      }
      return reply !== "" && subject === reply ? "drop" : "pass";
    };
    const before = await lastSequence(given.connection);
    deepStrictEqual(namesOf(await users.change(addUser(name))).includes(name), true);
    strictEqual(await lastSequence(given.connection), before + 1, verdict);
    ok(reply !== "");
  }
});

Deno.test("while requests come in, one small question a second goes to JetStream, with users and without", async () => {
  const calls: string[] = [];
  const observe = {
    call: ({ method }: { readonly method: string }) => {
      calls.push(method);
      return (): void => {};
    },
  };
  await using given = await storeOnServer({ store: withUsers({}, { observe }) });
  const { users } = given.store;
  const busy = async (): Promise<readonly string[]> => {
    await users.read();
    calls.length = 0;
    for (let n = 0; n < 1000; n++) {
      if (users.current() === undefined) await users.read();
    }
    return [...calls];
  };
  deepStrictEqual(await busy(), []);
  await delay(LEASE);
  await users.read();
  deepStrictEqual(calls, ["STREAM.INFO"]);
  await users.change(addUser("alice"));
  deepStrictEqual(await busy(), []);
  await delay(LEASE);
  calls.length = 0;
  await Promise.all(Array.from({ length: 100 }, () => users.read()));
  deepStrictEqual(calls, ["STREAM.INFO"]);
});

Deno.test("without the NATS permission to look for users there are none", async () => {
  await using server = await startNatsServer({
    config: `
      authorization { users = [
        { user: admin, password: x }
        { user: gateway, password: x, permissions: {
          publish: { deny: ["$JS.API.STREAM.INFO.${STREAM}"] }
        } }
      ] }`,
  });
  const connection = await connect({ servers: server.url, user: "gateway", pass: "x" });
  try {
    const warned: string[] = [];
    const log = { warn: (message: string): void => void warned.push(message) };
    using store = createNatsStore(connection, { ...STORE_OPTIONS, ...withUsers({}, { log }) });
    deepStrictEqual(namesOf(await store.users.read()), []);
    ok(store.users.current() !== undefined);
    deepStrictEqual(warned.length, 1);
    await rejects(store.users.change(addUser("alice")), { code: "AccessDenied" });
  } finally {
    await connection.close();
  }
});

Deno.test("there is no first account that nobody administers", async () => {
  await using given = await storeOnServer({ store: withUsers({ hasAdministrator: false }) });
  const { users } = given.store;
  await rejects(users.change(addUser("alice")), { code: "AccessDenied", message: /administrator/ });
  deepStrictEqual(await subjectsOfStreams(given.connection), []);
});

async function subjectsOfStreams(connection: Parameters<typeof call>[0]): Promise<unknown> {
  return (await call<{ readonly streams: unknown[] | null }>(connection, "STREAM.NAMES")).streams ??
    [];
}

async function lastSequence(connection: Parameters<typeof call>[0]): Promise<number> {
  const info = await call<{ readonly state: { readonly last_seq: number } }>(
    connection,
    `STREAM.INFO.${STREAM}`,
  );
  return info.state.last_seq;
}

/** Waits until something is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await isSo().catch(() => false)) return;
    await delay(100);
  }
  throw new Error("It never was so");
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

Deno.test("a new gateway takes accounts, blocks and groups that it cannot read for what restricts most", async () => {
  await using given = await storeOnServer({ store: withUsers() });
  const { store: { users }, connection } = given;
  await users.change(addUser("alice"));
  for (const kind of ["account", "settings"]) {
    await connection.request(`$KV.s3-users.${kind}.${ACCOUNT}`, '{"version":2}');
  }
  await using other = await openStore(given.server.url, withUsers());
  const directory = await other.store.users.read();
  strictEqual(directory.accounts.size, 0);
  strictEqual(directory.hasAccounts, true);
  strictEqual(directory.blockOf(ACCOUNT)?.RestrictPublicBuckets, true);
  strictEqual(directory.blockOf("999900001111"), undefined);
  const settings = { kind: "settings", account: ACCOUNT, name: "" } as const;
  const repaired = await other.store.users.change(() => [{ remove: settings }]);
  strictEqual(repaired.blockOf(ACCOUNT), undefined);
});
