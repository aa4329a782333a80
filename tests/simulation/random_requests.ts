/**
 * Random requests to JetStream, most of which make sense.
 * @module
 */

import type { Random } from "./random.ts";

/** A request, and how to know that its last answer has come. */
export type Request = {
  readonly subject: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `%INBOX%` stands for the inbox of the answers. */
  readonly data: string;
  readonly ends: "one" | "status" | "quiet" | "none";
};

const STREAMS = ["OBJ_a", "OBJ_b", "KV_c"] as const;
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  OBJ_a: [
    "$O.a.C.n1",
    "$O.a.C.n2",
    "$O.a.M.k1",
    "$O.a.M.k2",
    "$O.a.M.k3",
    "$O.a.S3.lock",
    "$O.a.S3.part.n1.1.x",
  ],
  OBJ_b: ["$O.b.C.n1", "$O.b.M.k1", "$O.b.M.k2", "$O.b.S3.lock"],
  KV_c: ["$KV.c.one", "$KV.c.two", "$KV.c.three.four"],
};
const FILTERS: Readonly<Record<string, readonly string[]>> = {
  OBJ_a: [
    "$O.a.C.>",
    "$O.a.M.>",
    "$O.a.S3.>",
    ">",
    "$O.a.*.k1",
    "$O.a.C.*",
    "$O.a.S3.part.*.*.>",
    "$O.x.>",
  ],
  OBJ_b: ["$O.b.C.>", "$O.b.M.>", ">"],
  KV_c: ["$KV.c.>", "$KV.c.*", "$KV.>"],
};

/** What a generator knows: the stream that it asks about. */
type Make = (random: Random, stream: string) => Request;

/** Kinds of requests, each as often as its weight. */
const KINDS: readonly (readonly [weight: number, make: Make])[] = [
  [40, publish],
  [8, batch],
  [14, directGet],
  [8, directGetLast],
  [10, directBatch],
  [5, multiLast],
  [12, leaderGet],
  [4, purge],
  [6, deleteMessage],
  [6, createStream],
  [4, updateStream],
  [1, deleteStream],
  [6, streamInfo],
  [1, listStreams],
  [3, pullConsumer],
  [2, pushConsumer],
];
const TOTAL = KINDS.reduce((sum, [weight]) => sum + weight, 0);

/** Returns the next request. */
export function randomRequest(random: Random): Request {
  let left = random.below(TOTAL);
  const stream = random.pick(STREAMS);
  for (const [weight, make] of KINDS) {
    left -= weight;
    if (left < 0) return make(random, stream);
  }
  throw new RangeError("No kind of request was chosen");
}

function api(method: string, body?: unknown, ends: Request["ends"] = "one"): Request {
  return {
    subject: `$JS.API.${method}`,
    data: body === undefined ? "" : JSON.stringify(body),
    ends,
  };
}

function subjectOf(random: Random, stream: string): string {
  return random.pick(SUBJECTS[stream] ?? []);
}

function filterOf(random: Random, stream: string): string {
  return random.chance(0.4) ? subjectOf(random, stream) : random.pick(FILTERS[stream] ?? []);
}

/** Sequences are small: streams are made anew now and then. */
function sequence(random: Random): number {
  return random.below(random.chance(0.5) ? 12 : 120);
}

function conditions(random: Random, stream: string): Record<string, string> {
  const headers: Record<string, string> = {};
  const sometimes = (name: string, probability: number, value: () => string): void => {
    if (random.chance(probability)) headers[name] = value();
  };
  sometimes(
    "Nats-Expected-Last-Subject-Sequence",
    0.25,
    () => `${random.chance(0.4) ? 0 : sequence(random)}`,
  );
  sometimes("Nats-Expected-Last-Subject-Sequence-Subject", 0.05, () => filterOf(random, stream));
  sometimes("Nats-Expected-Last-Sequence", 0.06, () => `${sequence(random)}`);
  sometimes("Nats-Rollup", 0.2, () => random.pick(["sub", "sub", "sub", "all", "odd"]));
  sometimes(
    "Nats-TTL",
    0.1,
    () => random.pick(["1h", "3600", "never", "0", "1h30m", "500ms", "odd", "-1"]),
  );
  sometimes("Nats-Msg-Id", 0.08, () => `id${random.below(20)}`);
  sometimes("Nats-Expected-Stream", 0.03, () => random.pick(STREAMS));
  sometimes("Nats-Expected-Last-Msg-Id", 0.02, () => `id${random.below(20)}`);
  sometimes("KV-Operation", 0.05, () => "DEL");
  sometimes("Other", 0.05, () => "text");
  return headers;
}

function content(random: Random): string {
  return "x".repeat(random.chance(0.9) ? random.below(40) : random.below(4000));
}

function publish(random: Random, stream: string): Request {
  const headers = random.chance(0.6) ? conditions(random, stream) : {};
  return {
    subject: subjectOf(random, stream),
    data: content(random),
    ends: "one",
    ...(Object.keys(headers).length > 0 && { headers }),
  };
}

let batches = 0;
/** Messages of the batch that is being sent. */
let rest: Request[] = [];

function batch(random: Random, stream: string): Request {
  const next = rest.shift();
  if (next !== undefined) return next;
  const id = random.chance(0.03) ? "long".repeat(20) : `batch${batches++}`;
  const length = 1 + random.below(5);
  const messages: Request[] = [];
  for (let i = 1; i <= length; i++) {
    const isLast = i === length;
    const number = random.chance(0.04) ? i + 1 : i;
    messages.push({
      subject: subjectOf(random, stream),
      data: content(random),
      headers: {
        ...(random.chance(0.7) ? conditions(random, stream) : {}),
        "Nats-Batch-Id": id,
        ...(random.chance(0.98) && { "Nats-Batch-Sequence": `${number}` }),
        ...(isLast && { "Nats-Batch-Commit": random.pick(["1", "1", "1", "1", "eob", "odd"]) }),
      },
      ends: "one",
    });
  }
  rest = messages.slice(1);
  const [first] = messages;
  if (first === undefined) throw new RangeError("A batch is empty");
  return first;
}

function directGet(random: Random, stream: string): Request {
  const kind = random.below(10);
  const body = kind < 4
    ? { seq: sequence(random) }
    : kind < 6
    ? { last_by_subj: filterOf(random, stream) }
    : kind < 9
    ? { seq: sequence(random), next_by_subj: filterOf(random, stream) }
    : random.pick([{}, { seq: 3, last_by_subj: "a" }, { last_by_subj: "a", next_by_subj: "b" }, {
      last_by_subj: "a",
      batch: 3,
    }]);
  return api(`DIRECT.GET.${stream}`, body);
}

function directGetLast(random: Random, stream: string): Request {
  return api(`DIRECT.GET.${stream}.${subjectOf(random, stream)}`);
}

function directBatch(random: Random, stream: string): Request {
  return api(`DIRECT.GET.${stream}`, {
    seq: sequence(random),
    next_by_subj: filterOf(random, stream),
    batch: 1 + random.below(20),
    ...(random.chance(0.3) && { max_bytes: 1 + random.below(3000) }),
  }, "status");
}

function multiLast(random: Random, stream: string): Request {
  const filters = Array.from({ length: 1 + random.below(3) }, () => filterOf(random, stream));
  return api(`DIRECT.GET.${stream}`, {
    multi_last: filters,
    ...(random.chance(0.7) && { batch: 1 + random.below(20) }),
    ...(random.chance(0.2) && { max_bytes: 1 + random.below(3000) }),
  }, "status");
}

function leaderGet(random: Random, stream: string): Request {
  const kind = random.below(10);
  const body = kind < 4
    ? { seq: sequence(random) }
    : kind < 7
    ? { last_by_subj: filterOf(random, stream) }
    : kind < 9
    ? { seq: sequence(random), next_by_subj: filterOf(random, stream) }
    : random.pick([undefined, {}, { seq: 1, batch: 2 }, { seq: 3, last_by_subj: "a" }]);
  return api(`STREAM.MSG.GET.${stream}`, body);
}

function purge(random: Random, stream: string): Request {
  const body = {
    ...(random.chance(0.8) && { filter: filterOf(random, stream) }),
    ...(random.chance(0.3) && { seq: sequence(random) }),
    ...(random.chance(0.3) && { keep: random.below(4) }),
  };
  return api(`STREAM.PURGE.${stream}`, body);
}

function deleteMessage(random: Random, stream: string): Request {
  return api(`STREAM.MSG.DELETE.${stream}`, {
    seq: sequence(random),
    no_erase: random.chance(0.7),
  });
}

function configOf(random: Random, stream: string): Record<string, unknown> {
  const store = stream.slice(stream.indexOf("_") + 1);
  const isKv = stream.startsWith("KV");
  const subjects = isKv
    ? [`$KV.${store}.>`]
    : [`$O.${store}.C.>`, `$O.${store}.M.>`, `$O.${store}.S3.>`];
  return {
    name: stream,
    subjects: random.chance(0.1) && !isKv
      ? subjects.filter((subject) => !subject.includes(".M."))
      : subjects,
    retention: "limits",
    discard: random.chance(0.8) ? "new" : "old",
    storage: stream === "OBJ_b" ? "memory" : "file",
    num_replicas: 1,
    max_consumers: -1,
    max_msgs: random.chance(0.85) ? -1 : 30,
    max_msgs_per_subject: isKv ? 1 : random.chance(0.9) ? -1 : 2,
    max_bytes: random.chance(0.8) ? -1 : 3000,
    max_age: 0,
    max_msg_size: random.chance(0.95) ? -1 : 500,
    allow_rollup_hdrs: random.chance(0.95),
    allow_direct: random.chance(0.97),
    allow_msg_ttl: random.chance(0.95),
    allow_atomic: random.chance(0.95),
    ...(random.chance(0.1) && { metadata: { location: "here" } }),
  };
}

function createStream(random: Random, stream: string): Request {
  const config = configOf(random, stream);
  if (random.chance(0.3)) config["first_seq"] = 1 + random.below(40);
  if (random.chance(0.03)) config["name"] = "OBJ_other";
  if (random.chance(0.03)) config["subjects"] = ["$O.>"];
  if (random.chance(0.02)) config["sealed"] = true;
  return api(`STREAM.CREATE.${stream}`, config);
}

function updateStream(random: Random, stream: string): Request {
  const config = configOf(random, stream);
  if (random.chance(0.03)) config["deny_delete"] = true;
  if (random.chance(0.03)) config["deny_purge"] = true;
  if (random.chance(0.02)) config["sealed"] = true;
  if (random.chance(0.03)) config["storage"] = "memory";
  return api(`STREAM.UPDATE.${stream}`, config);
}

function deleteStream(random: Random, stream: string): Request {
  return api(`STREAM.DELETE.${stream}`, random.chance(0.05) ? {} : undefined);
}

function streamInfo(random: Random, stream: string): Request {
  if (random.chance(0.4)) return api(`STREAM.INFO.${stream}`);
  return api(`STREAM.INFO.${stream}`, {
    subjects_filter: filterOf(random, stream),
    ...(random.chance(0.3) && { offset: random.below(4) }),
  });
}

function listStreams(random: Random): Request {
  const body = {
    ...(random.chance(0.3) && { offset: random.below(3) }),
    ...(random.chance(0.5) &&
      { subject: random.pick(["$O.>", "$KV.c.one", "$O.a.M.>", "nothing"]) }),
  };
  return api(random.pick(["STREAM.NAMES", "STREAM.LIST"]), body);
}

let consumers = 0;
/** The consumer that was made last, to be pulled and deleted. */
let pulled: { readonly stream: string; readonly name: string } | undefined;

function consumerConfig(random: Random, stream: string, name: string): Record<string, unknown> {
  return {
    name,
    filter_subjects: random.chance(0.2)
      ? ["$O.a.C.>", "$O.a.M.>"].map((filter) => filter.replace(".a.", `.${stream.slice(-1)}.`))
      : [filterOf(random, stream)],
    deliver_policy: "by_start_sequence",
    opt_start_seq: 1 + sequence(random),
    ack_policy: "none",
    replay_policy: "instant",
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: 60_000_000_000,
    ...(random.chance(0.3) && { headers_only: true }),
  };
}

function pullConsumer(random: Random, stream: string): Request {
  if (pulled !== undefined && random.chance(0.8)) {
    const { stream: of, name } = pulled;
    if (random.chance(0.1)) {
      pulled = undefined;
      return api(`CONSUMER.DELETE.${of}.${name}`);
    }
    // Twice as many as a stream here holds: the status at the end shows that all have come.
    return api(`CONSUMER.MSG.NEXT.${of}.${name}`, {
      batch: random.chance(0.2) ? 1 : 1000,
      no_wait: true,
      ...(random.chance(0.4) && { max_bytes: 1 + random.below(5000) }),
    }, "quiet");
  }
  const name = `c${consumers++}`;
  pulled = { stream, name };
  return api(`CONSUMER.CREATE.${stream}.${name}`, {
    stream_name: stream,
    action: "create",
    config: consumerConfig(random, stream, name),
  });
}

function pushConsumer(random: Random, stream: string): Request {
  const name = `c${consumers++}`;
  return api(`CONSUMER.CREATE.${stream}.${name}`, {
    stream_name: stream,
    action: "create",
    config: {
      ...consumerConfig(random, stream, name),
      deliver_subject: "%INBOX%",
      flow_control: true,
      idle_heartbeat: 1_000_000_000,
    },
  }, "quiet");
}
