/**
 * Random calls that remove messages, and make, change, delete and describe streams.
 * @module
 */

import { api, filterOf, type Memory, type Request, sequence } from "./random_words.ts";
import type { Random } from "./random.ts";

export function purge(random: Random, stream: string): Request {
  const body = {
    ...(random.chance(0.8) && { filter: filterOf(random, stream) }),
    ...(random.chance(0.3) && { seq: sequence(random) }),
    ...(random.chance(0.3) && { keep: random.below(4) }),
  };
  return api(`STREAM.PURGE.${stream}`, body);
}

export function deleteMessage(random: Random, stream: string): Request {
  return api(`STREAM.MSG.DELETE.${stream}`, {
    seq: sequence(random),
    no_erase: random.chance(0.7),
  });
}

function configOf(random: Random, stream: string, { replicas }: Memory): Record<string, unknown> {
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
    num_replicas: replicas,
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

export function createStream(random: Random, stream: string, memory: Memory): Request {
  const config = configOf(random, stream, memory);
  if (random.chance(0.3)) config["first_seq"] = 1 + random.below(40);
  if (random.chance(0.03)) config["name"] = "OBJ_other";
  if (random.chance(0.03)) config["subjects"] = ["$O.>"];
  if (random.chance(0.02)) config["sealed"] = true;
  return api(`STREAM.CREATE.${stream}`, config);
}

export function updateStream(random: Random, stream: string, memory: Memory): Request {
  const config = configOf(random, stream, memory);
  if (random.chance(0.03)) config["deny_delete"] = true;
  if (random.chance(0.03)) config["deny_purge"] = true;
  if (random.chance(0.02)) config["sealed"] = true;
  if (random.chance(0.03)) config["storage"] = "memory";
  return api(`STREAM.UPDATE.${stream}`, config);
}

export function deleteStream(random: Random, stream: string): Request {
  return api(`STREAM.DELETE.${stream}`, random.chance(0.05) ? {} : undefined);
}

export function streamInfo(random: Random, stream: string): Request {
  if (random.chance(0.4)) return api(`STREAM.INFO.${stream}`);
  return api(`STREAM.INFO.${stream}`, {
    subjects_filter: filterOf(random, stream),
    ...(random.chance(0.3) && { offset: random.below(4) }),
  });
}

export function listStreams(random: Random): Request {
  const body = {
    ...(random.chance(0.3) && { offset: random.below(3) }),
    ...(random.chance(0.5) &&
      { subject: random.pick(["$O.>", "$KV.c.one", "$O.a.M.>", "nothing"]) }),
  };
  return api(random.pick(["STREAM.NAMES", "STREAM.LIST"]), body);
}
