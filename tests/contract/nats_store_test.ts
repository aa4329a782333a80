import { connect } from "@nats-io/transport-node";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import { storeOf, streamOf } from "../../src/nats/layout/names.ts";
import { createNatsStore } from "../../src/nats/store.ts";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { type CreateStore, storeContract } from "./store_contract.ts";

const createStore: CreateStore = async ({ minPartSize }) => {
  const server = await startNatsServer();
  const connection = await connect({ servers: server.url });
  const store = createNatsStore(connection, {
    apiPrefix: "$JS.API",
    inboxPrefix: "_INBOX",
    replicas: 1,
    storage: "file",
    compression: "none",
    defaultOwner: "native",
    log: { warn() {} },
    minPartSize,
  });
  return {
    store,
    async retain(bucket, key, until) {
      const name = storeOf(bucket);
      if (name === undefined) throw new TypeError(`No store has the name "${bucket}"`);
      const subject = infoSubject(name, key);
      const message = await connection.request(`$JS.API.DIRECT.GET.${streamOf(name)}.${subject}`);
      const info = message.json<{ metadata: Record<string, string> }>();
      info.metadata["x-amz-object-lock-mode"] = "COMPLIANCE";
      info.metadata["x-amz-object-lock-retain-until-date"] = until.toISOString();
      await connection.request(subject, JSON.stringify(info));
    },
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
};

storeContract("NATS store", createStore);
