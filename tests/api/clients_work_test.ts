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
function noteClients(store: Store, clients: (string | undefined)[]): void {
  const { getObject } = store;
  Object.assign(store, {
    getObject: (...args: Parameters<Store["getObject"]>) => {
      clients.push(currentClient());
      return getObject(...args);
    },
  });
}

async function read(handler: Handler, request: Request): Promise<void> {
  const response = await handler(request, INFO);
  strictEqual(response.status, 200, await response.text());
}

Deno.test("The store works for an access key, or for a presigned URL at an address", async () => {
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
  noteClients(store, clients);
  await read(handler, signedRequest("GET", "/bucket/key", {}));
  const asked = { method: "GET", path: "/bucket/key", query: "", headers: [], body: "" };
  const query = presign({ ...asked, headers: [["host", "localhost"]] }, { now: NOW });
  await read(handler, signedRequest("GET", `/bucket/key?${query}`, { anonymous: true }));
  deepStrictEqual(clients, ["alice", "ann 10.0.0.9"]);
});

Deno.test("A site works for the address of its visitor", async () => {
  const clients: (string | undefined)[] = [];
  const { store, visit } = await createTestSite(INDEX);
  noteClients(store, clients);
  strictEqual(await (await visit("/", { info: INFO })).text(), "home");
  deepStrictEqual(clients, ["10.0.0.9"]);
});
