/** The contract of stores, on JetStream in memory: it answers everything that the store asks. */

import { createNatsStore } from "../../src/nats/store.ts";
import { storeOf, streamOf } from "../../src/nats/layout/names.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import { storeContract } from "../contract/store_contract.ts";
import { STORE_OPTIONS } from "../nats/store_on_server.ts";
import { JetStream } from "./jetstream/jetstream.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";

storeContract("store on simulated JetStream", ({ minPartSize }) => {
  const random = new Random(1);
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const network = new Network((_connection, _way, run) => queueMicrotask(run), 1024 * 1024);
  const jetStream = new JetStream({
    clock: {
      now: () => Date.now(),
      after(milliseconds, run) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          run();
        }, milliseconds);
        timers.add(timer);
        return () => {
          timers.delete(timer);
          clearTimeout(timer);
        };
      },
    },
    random: () => random.next(),
    send: (message) => network.fromServer(message),
    hasInterest: (subject) => network.hasInterest(subject),
  });
  network.serve({
    receive: (message) => jetStream.receive(message),
    subscribed: (subject) => jetStream.subscribed(subject),
  });
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
      for (const timer of timers) clearTimeout(timer);
    },
  });
});
