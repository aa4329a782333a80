/**
 * Random consumers, pushed and pulled.
 * @module
 */

import { api, filterOf, type Memory, type Request, sequence } from "./random_words.ts";
import type { Random } from "./random.ts";

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

export function pullConsumer(random: Random, stream: string, memory: Memory): Request {
  if (memory.pulled !== undefined && random.chance(0.8)) {
    const { stream: of, name } = memory.pulled;
    if (random.chance(0.1)) {
      memory.pulled = undefined;
      return api(`CONSUMER.DELETE.${of}.${name}`);
    }
    // Twice as many as a stream here holds: the status at the end shows that all have come.
    const isSingle = random.chance(0.2);
    const maxBytes = random.chance(0.4) ? { max_bytes: 1 + random.below(5000) } : undefined;
    return api(`CONSUMER.MSG.NEXT.${of}.${name}`, {
      batch: isSingle ? 1 : 1000,
      no_wait: true,
      ...maxBytes,
    }, !isSingle ? "status" : maxBytes === undefined ? "one" : "quiet");
  }
  const name = `c${memory.consumers++}`;
  memory.pulled = { stream, name };
  return api(`CONSUMER.CREATE.${stream}.${name}`, {
    stream_name: stream,
    action: "create",
    config: consumerConfig(random, stream, name),
  });
}

export function pushConsumer(random: Random, stream: string, memory: Memory): Request {
  const name = `c${memory.consumers++}`;
  return api(`CONSUMER.CREATE.${stream}.${name}`, {
    stream_name: stream,
    action: "create",
    config: {
      ...consumerConfig(random, stream, name),
      deliver_subject: "%INBOX%",
      flow_control: true,
      idle_heartbeat: 1_000_000_000,
    },
  }, "pushed");
}
