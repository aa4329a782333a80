/** For whom the store works: an access key, a presigned URL at an address, or an address. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createAuthenticate } from "../../src/auth/authenticate.ts";
import { createCredentials } from "../../src/auth/credentials.ts";
import type { Handler } from "../../src/http/exchange_services.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import type { Store } from "../../src/store/store.ts";
import { currentClient } from "../../src/streams/clients_work.ts";
import { PAIR, presign } from "../http/wire_request.ts";
import {
  ACCOUNT,
  authenticationIn,
  createTestGateway,
  NOW,
  REGION,
  signedRequest,
} from "./test_gateway.ts";
import { createTestSite, INDEX } from "./test_site.ts";

const INFO = { completed: Promise.resolve(), remoteAddr: { hostname: "10.0.0.9" } };

/** Makes a store note the client for whom it reads each object. */
function noteClients(
  store: Store,
  clients: (string | undefined)[],
  wait: Promise<void> = Promise.resolve(),
): void {
  const { getObject } = store;
  Object.assign(store, {
    getObject: async (...args: Parameters<Store["getObject"]>) => {
      clients.push(currentClient());
      await wait;
      return await getObject(...args);
    },
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve));
}

async function read(handler: Handler, request: Request): Promise<void> {
  const response = await handler(request, INFO);
  strictEqual(response.status, 200, await response.text());
}

Deno.test("The store works for an access key or a presigned URL at an address, if there are several", async () => {
  const clients: (string | undefined)[] = [];
  const store = createMemoryStore({ now: () => NOW });
  const owner = authenticationIn(REGION).credentials;
  const guest = createCredentials(PAIR.accessKeyId, PAIR.secretAccessKey, ACCOUNT);
  const credentials = {
    refresh: () => undefined,
    find: (id: string) => owner.find(id) ?? guest.find(id),
  };
  const authenticate = createAuthenticate({ ...authenticationIn(REGION), credentials });
  const { handler, ok } = await createTestGateway({ store, authenticate });
  await ok("PUT", "/bucket/key", { body: "x" });
  const { promise: wait, resolve: go } = Promise.withResolvers<void>();
  noteClients(store, clients, wait);
  const asked = { method: "GET", path: "/bucket/key", query: "", body: "" };
  const query = presign({ ...asked, headers: [["host", "localhost"]] }, { now: NOW });
  const byKey = (): Request => signedRequest("GET", "/bucket/key", {});
  const byUrl = (): Request => signedRequest("GET", `/bucket/key?${query}`, { anonymous: true });
  const reads: Promise<void>[] = [];
  for (const request of [byKey(), byKey(), byUrl(), byKey()]) {
    reads.push(read(handler, request));
    await until(() => clients.length === reads.length);
  }
  go();
  await Promise.all(reads);
  // A client alone is not told apart.
  deepStrictEqual(clients, [undefined, undefined, "ann 10.0.0.9", "alice"]);
});

Deno.test("A site works for the address of its visitor", async () => {
  const clients: (string | undefined)[] = [];
  const { store, visit } = await createTestSite(INDEX);
  noteClients(store, clients);
  strictEqual(await (await visit("/", { info: INFO })).text(), "home");
  deepStrictEqual(clients, ["10.0.0.9"]);
});
