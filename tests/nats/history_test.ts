/** Marks in the history of a stream: what they prove while messages are replaced, and after they were lost. */

import { strictEqual } from "node:assert/strict";
import { headers, type NatsConnection } from "@nats-io/nats-core";
import { History, type Mark } from "../../src/nats/buckets/history.ts";
import { Requests } from "../../src/nats/jetstream/requests.ts";
import { STORE_OPTIONS, storeOnServer } from "./store_on_server.ts";

const stream = "marks";

/** Replaces the last message of a subject. */
async function write(connection: NatsConnection, requests: Requests, name: string): Promise<Mark> {
  const subject = `marks.${name}`;
  const rollup = headers();
  rollup.set("Nats-Rollup", "sub");
  await connection.request(subject, "", { headers: rollup, timeout: 4000 });
  const message = await requests.leaderGet(stream, { last_by_subj: subject });
  if (message === undefined) throw new Error(`${subject} was not stored`);
  return message;
}

Deno.test("a history is proved by its last mark that the stream holds", async () => {
  await using given = await storeOnServer();
  const { connection } = given;
  const config = { name: stream, subjects: ["marks.>"], allow_rollup_hdrs: true };
  await connection.request(`$JS.API.STREAM.CREATE.${stream}`, JSON.stringify(config));
  const { apiPrefix, inboxPrefix } = STORE_OPTIONS;
  using requests = new Requests(connection, { apiPrefix, inboxPrefix, timeout: 4000 });
  const purge = async (subject: string): Promise<void> => {
    const filter = JSON.stringify({ filter: subject });
    await connection.request(`$JS.API.STREAM.PURGE.${stream}`, filter);
  };
  const find = (history: History): Promise<number | undefined> => history.find(requests, stream);

  const history = new History();
  strictEqual(await find(history), 0, "nothing was applied");
  const marks: Mark[] = [];
  for (const name of ["a", "b", "c"]) {
    const mark = await write(connection, requests, name);
    marks.push(mark);
    history.note(mark);
  }
  strictEqual(history.last, 3);
  strictEqual(await find(history), 3);

  await write(connection, requests, "c");
  strictEqual(await find(history), 2, "a later message has replaced the last mark");
  await write(connection, requests, "a");
  strictEqual(await find(history), 2);
  await write(connection, requests, "b");
  strictEqual(await find(history), 0, "all of them, and all are remembered");
  await purge("marks.c");
  strictEqual(await find(history), undefined, "nothing corrects what is known of c");
  await write(connection, requests, "c");
  strictEqual(await find(history), 0);

  const other = new History();
  const mark = await write(connection, requests, "a");
  other.note({ ...mark, stamp: "1" });
  strictEqual(await find(other), 0, "another message has this sequence");

  const begun = new History(mark);
  strictEqual(await find(begun), mark.sequence);
  begun.note({ ...mark, subject: "marks.z", sequence: mark.sequence - 1 });
  strictEqual(await find(begun), mark.sequence, "the state included this");
  await write(connection, requests, "a");
  strictEqual(await find(begun), undefined, "it cannot begin before its state");

  const crowded = new History();
  for (let i = 0; i < 130; i++) {
    crowded.note({ ...mark, subject: `marks.${i}`, sequence: 1000 + i });
  }
  strictEqual(await find(crowded), undefined, "not all are remembered");

  const forgetful = new History();
  forgetful.note(await write(connection, requests, "a"));
  forgetful.forget();
  strictEqual(await find(forgetful), undefined);
  const after = await write(connection, requests, "b");
  forgetful.note(after);
  strictEqual(await find(forgetful), after.sequence);
});
