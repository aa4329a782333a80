/** The contract of stores, on JetStream in memory: it answers everything that the store asks. */

import { createNatsStore } from "../../src/nats/store.ts";
import { storeOf, streamOf } from "../../src/nats/layout/names.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import { storeContract } from "../contract/store_contract.ts";
import { STORE_OPTIONS } from "../nats/store_on_server.ts";
import { skipTime } from "../nats/skip_time.ts";
import { startInRealTime } from "./real_time.ts";

// No other gateway looks at these buckets, so no test waits until it did.
skipTime({ jump: true });

storeContract("store on simulated JetStream", ({ minPartSize }) => {
  const { jetStream, network, [Symbol.dispose]: stop } = startInRealTime(1);
  const connection = network.connect("store");
  const store = createNatsStore(connection.asLibrary, { ...STORE_OPTIONS, minPartSize });
  return Promise.resolve({
    store,
    retain(bucket, key, until) {
      const name = storeOf(bucket);
      if (name === undefined) throw new Error(`No store of "${bucket}"`);
      const subject = infoSubject(name, key);
      const message = jetStream.stream(streamOf(name))?.store.last(subject);
      const info = JSON.parse(new TextDecoder().decode(message?.data));
      info.metadata["x-amz-object-lock-mode"] = "COMPLIANCE";
      info.metadata["x-amz-object-lock-retain-until-date"] = until.toISOString();
      connection.publish(subject, JSON.stringify(info));
      return new Promise((resolve) => setTimeout(resolve, 1));
    },
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      await connection.close();
      stop();
    },
  });
}, { versions: true });
