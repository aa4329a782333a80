/** Users on three servers: no acknowledged change is lost with a leader, and nobody is let in who was removed. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startCluster } from "../../scripts/nats_server.ts";
import { call } from "../contract/nats_store.ts";
import { openStore } from "../nats/store_on_server.ts";
import { addUser, LEASE, namesOf, removeUser, STREAM, withUsers } from "../nats/users_on_server.ts";

type Info = {
  readonly config: { readonly num_replicas: number };
  readonly cluster: { readonly leader: string };
};

Deno.test("users outlive the leader of their stream", async () => {
  await using cluster = await startCluster();
  const gateways = await Promise.all(
    cluster.servers.map(({ url }) => openStore(url, withUsers({}, { replicas: 3 }))),
  );
  try {
    const [first] = gateways;
    ok(first !== undefined);
    await first.store.users.change(addUser("alice"));
    await first.store.users.change(addUser("bob"));
    const info = await call<Info>(first.connection, `STREAM.INFO.${STREAM}`);
    strictEqual(info.config.num_replicas, 3);
    for (const { store } of gateways) await until(() => store.users.read(), ["alice", "bob"]);

    const leader = Number(info.cluster.leader.slice(1)) - 1;
    await cluster.servers[leader]?.kill("SIGKILL");
    const others = gateways.filter((_, i) => i !== leader);
    const [other] = others;
    ok(other !== undefined);
    // The change may be refused until there is a leader; then it is not made.
    await until(() => other.store.users.change(removeUserIfThere("alice")), ["bob"]);
    await delay(LEASE);
    for (const { store } of others) {
      // Whatever happens, nobody believes that there is an Alice.
      const directory = store.users.current() ?? await store.users.read().catch(() => undefined);
      if (directory !== undefined) deepStrictEqual(namesOf(directory), ["bob"]);
      await until(() => store.users.read(), ["bob"]);
    }
    await cluster.servers[leader]?.start();
    for (const { store } of gateways) await until(() => store.users.read(), ["bob"]);
  } finally {
    for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
  }
});

type Plan = ReturnType<typeof removeUser>;

function removeUserIfThere(name: string): Plan {
  return (directory) => namesOf(directory).includes(name) ? removeUser(name)(directory) : [];
}

/** Waits until there are these users and no others. */
async function until(
  read: () => Promise<Parameters<typeof namesOf>[0]>,
  names: readonly string[],
): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const found = await read().then(namesOf, () => undefined);
    if (found?.join() === names.join()) return;
    await delay(100);
  }
  throw new Error(`There never were ${names.join()}`);
}
