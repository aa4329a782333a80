/** The store contract on three servers. */

import { storeOf, streamOf } from "../../src/nats/layout/names.ts";
import { infoSubject } from "../../src/nats/layout/subjects.ts";
import { storeContract } from "../contract/store_contract.ts";
import { cluster } from "./store_on_cluster.ts";

// One cluster for all tests, because starting it takes seconds; outside of them, so that no test leaks its processes.
const given = await cluster();
Deno.test.afterAll(async () => await given[Symbol.asyncDispose]());

storeContract("NATS store, R=3", async ({ minPartSize }) => {
  const { store, connection, [Symbol.asyncDispose]: close } = await given.open(undefined, {
    minPartSize,
  });
  return {
    store,
    async retain(bucket, key, until) {
      const name = storeOf(bucket);
      if (name === undefined) throw new TypeError(`No store has the name "${bucket}"`);
      const subject = infoSubject(name, key);
      const reply = await connection.request(
        `$JS.API.STREAM.MSG.GET.${streamOf(name)}`,
        JSON.stringify({ last_by_subj: subject }),
      );
      const info = JSON.parse(atob(reply.json<{ message: { data: string } }>().message.data));
      info.metadata["x-amz-object-lock-mode"] = "COMPLIANCE";
      info.metadata["x-amz-object-lock-retain-until-date"] = until.toISOString();
      await connection.request(subject, JSON.stringify(info));
    },
    async [Symbol.asyncDispose]() {
      // The next test begins without buckets.
      const reply = await connection.request("$JS.API.STREAM.NAMES", "");
      for (const name of reply.json<{ streams: string[] | null }>().streams ?? []) {
        await connection.request(`$JS.API.STREAM.DELETE.${name}`, "", { timeout: 10_000 });
      }
      await close();
    },
  };
});
