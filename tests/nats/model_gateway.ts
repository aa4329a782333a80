/**
 * A gateway on a memory store with the clock of the machine, with which gateways on nats-server are compared.
 * @module
 */

import type { Handler } from "../../src/gateway.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import type { Store } from "../../src/store/store.ts";
import { createTestGateway, NOW, type Send, signedRequest } from "../api/test_gateway.ts";
import { OPS } from "./users_gateway.ts";
import type { SendTo } from "./version_side.ts";

/** Creates the model, and returns how to send to it. */
export async function modelGateway(
  change: (store: Store) => Partial<Store> = () => ({}),
): Promise<SendTo> {
  const store = createMemoryStore();
  const { handler } = await createTestGateway({
    store: { ...store, ...change(store) },
    checksumDefault: "CRC64NVME",
  });
  return sendWith(handler, { now: NOW });
}

/** Returns how to send to a gateway in this process. */
export function sendWith(handler: Handler, signer: Send = signerOf(OPS)): SendTo {
  return async (method, target, { headers, body }) => {
    const send = { ...signer, headers, ...(body && { body }) };
    return await handler(signedRequest(method, target, send), undefined);
  };
}

/** Returns how to sign with an access key now. */
export function signerOf(
  { accessKeyId, secret }: { readonly accessKeyId: string; readonly secret: string },
): Send {
  return { accessKeyId, secret, now: new Date() };
}
