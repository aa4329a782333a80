/**
 * Random gets of messages.
 * @module
 */

import { api, filterOf, type Request, sequence, subjectOf } from "./random_words.ts";
import type { Random } from "./random.ts";

export function directGet(random: Random, stream: string): Request {
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

export function directGetLast(random: Random, stream: string): Request {
  return api(`DIRECT.GET.${stream}.${subjectOf(random, stream)}`);
}

export function directBatch(random: Random, stream: string): Request {
  return api(`DIRECT.GET.${stream}`, {
    seq: sequence(random),
    next_by_subj: filterOf(random, stream),
    batch: 1 + random.below(20),
    ...(random.chance(0.3) && { max_bytes: 1 + random.below(3000) }),
  }, "status");
}

export function multiLast(random: Random, stream: string): Request {
  const filters = Array.from({ length: 1 + random.below(3) }, () => filterOf(random, stream));
  return api(`DIRECT.GET.${stream}`, {
    multi_last: filters,
    ...(random.chance(0.7) && { batch: 1 + random.below(20) }),
    ...(random.chance(0.2) && { max_bytes: 1 + random.below(3000) }),
  }, "status");
}

export function leaderGet(random: Random, stream: string): Request {
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
