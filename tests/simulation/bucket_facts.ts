/**
 * What clients and operators ask about buckets, and what operators change about the one that stays.
 * @module
 */

import { isS3Error } from "../../src/s3/errors.ts";
import { isFull } from "../../src/nats/jetstream/errors.ts";
import type { NatsStore } from "../../src/nats/store.ts";
import type { BucketOwner } from "../../src/store/buckets.ts";
import type { Acting } from "./clients.ts";

/** The creator of all buckets. */
export const CREATOR = "me";

/** A question about a bucket. */
type Question = {
  readonly what: string;
  /** Tells what is wrong with the response; undefined if nothing is. */
  readonly ask: (store: NatsStore, acting: Acting) => Promise<string | undefined>;
};

/** Questions about the bucket that stays. */
const QUESTIONS: readonly Question[] = [
  {
    what: "HAS BUCKET",
    ask: async (store, { bucket }) => await store.hasBucket(bucket) ? undefined : "no",
  },
  {
    what: "READ BUCKET",
    async ask(store, { bucket }) {
      const { name, owner, location } = await store.readBucket(bucket);
      const isRight = name === bucket && owner === CREATOR && location === undefined;
      return isRight ? undefined : `${name} of ${owner} in ${location}`;
    },
  },
  {
    what: "LIST BUCKETS",
    async ask(store, { bucket }) {
      const names = (await store.listBuckets()).map(({ name }) => name);
      return names.filter((name) => name === bucket).length === 1 ? undefined : `${names}`;
    },
  },
  {
    what: "KNOWN LOCATION",
    ask: (store, { bucket }) => Promise.resolve(store.knownLocation(bucket)),
  },
  {
    what: "READ DETAILS",
    async ask({ administration }, { bucket }) {
      const { name, stream } = await administration.read(bucket);
      return name === bucket && stream === `OBJ_${bucket}` ? undefined : `${name} ${stream}`;
    },
  },
  {
    what: "LIST DETAILS",
    async ask({ administration }, { bucket }) {
      const names = (await administration.list()).map(({ name }) => name);
      return names.filter((name) => name === bucket).length === 1 ? undefined : `${names}`;
    },
  },
  {
    what: "COUNT",
    async ask({ administration }, { bucket, states, witness }) {
      const from = witness.now();
      const count = await administration.count(bucket);
      return states.countedSince(from, count) ? undefined : `${count} objects`;
    },
  },
  {
    what: "PROBLEM",
    async ask({ problem }, { witness }) {
      const found = await problem();
      return witness.isQuiet ? found : undefined;
    },
  },
  {
    what: "CHANGE NOTHING",
    async ask({ administration }, { bucket }) {
      const { name } = await administration.change(bucket, ({ config }) => config);
      return name === bucket ? undefined : name;
    },
  },
];

/** Asks something about the bucket that stays. */
export async function askAboutBucket(acting: Acting): Promise<string> {
  if (acting.bucket === acting.fleeting) return "not here";
  const { what, ask } = acting.random.pick(QUESTIONS);
  const ended = await acting.call(what, (store) => ask(store, acting));
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") return judgeOperator(acting, ended.cause, what);
  if (ended.value === undefined) return "done";
  acting.witness.object(`${what} was answered with ${ended.value}`);
  return "wrong";
}

/** Gives the bucket to another account, whose number nobody else has. */
export async function giveBucket(acting: Acting): Promise<string> {
  const { bucket, random, call, documents } = acting;
  if (bucket === acting.fleeting) return "not here";
  const account = String(1e11 + random.below(8e11));
  const what = `GIVE BUCKET to ${account}`;
  const begun = documents.write("owner", account, what);
  const ended = await call(what, ({ administration }) => administration.giveTo(bucket, account));
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") return judgeOperator(acting, ended.cause, what);
  begun.end("done");
  return "done";
}

/** Asks to whom the bucket belongs. */
export async function readOwner(acting: Acting): Promise<string> {
  const { bucket, random, call, documents, witness } = acting;
  if (bucket === acting.fleeting) return "not here";
  const [what, from] = ["READ OWNER", documents.now()];
  const ended = await call(what, async (store): Promise<BucketOwner | undefined> => {
    const known = random.chance(0.5) ? store.knownOwner(bucket) : undefined;
    return known ?? await store.readOwner(bucket);
  });
  if (ended.kind === "lost") return "lost";
  if (ended.kind === "failed") return witness.judge(ended.cause, what, bucket);
  if (ended.value?.accessKeyId !== CREATOR) {
    witness.object(`${what} was answered with ${ended.value?.accessKeyId}`);
  }
  documents.saw("owner", from, ended.value?.account ?? null, what);
  return "done";
}

/** Judges an error that an operator sees as JetStream gives it. */
function judgeOperator({ witness, bucket }: Acting, cause: unknown, what: string): string {
  if (witness.mayBeFull && isFull(cause)) return "full";
  if (witness.mayBeFull && isFull(cause)) return "full";
  return isS3Error(cause) || witness.isQuiet ? witness.judge(cause, what, bucket) : "JetStream";
}
