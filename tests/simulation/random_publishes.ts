/**
 * Random publishes, with conditions that sometimes hold, and batches.
 * @module
 */

import {
  filterOf,
  type Memory,
  type Request,
  sequence,
  STREAMS,
  subjectOf,
} from "./random_words.ts";
import type { Random } from "./random.ts";

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

export function publish(random: Random, stream: string): Request {
  const headers = random.chance(0.6) ? conditions(random, stream) : {};
  return {
    subject: subjectOf(random, stream),
    data: content(random),
    ends: "one",
    ...(Object.keys(headers).length > 0 && { headers }),
  };
}

export function batch(random: Random, stream: string, memory: Memory): Request {
  const next = memory.rest.shift();
  if (next !== undefined) return next;
  const id = random.chance(0.03) ? "long".repeat(20) : `batch${memory.batches++}`;
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
  memory.rest.push(...messages.slice(1));
  const [first] = messages;
  if (first === undefined) throw new RangeError("A batch is empty");
  return first;
}
