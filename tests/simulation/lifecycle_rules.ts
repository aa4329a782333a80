/**
 * Operations that set and remove lifecycle rules, and the end of a simulation with them: what was due is gone.
 * @module
 */

import type { StoreName } from "../../src/nats/layout/names.ts";
import { records } from "../../src/nats/layout/subjects.ts";
import type { LifecycleRule } from "../../src/s3/lifecycle.ts";
import { formatKeptLifecycle } from "../../src/s3/lifecycle_document.ts";
import type { Acting, ClientWorld } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { EPOCH } from "./home.ts";
import { Random } from "./random.ts";

/** Days after which what the last rules let go has been due for two days. */
const DAYS = 5;

/** Sets lifecycle rules, or removes them. */
export async function changeRules(acting: Acting): Promise<string> {
  const { bucket, fleeting, versions, random, call, witness } = acting;
  if (bucket === fleeting || versions?.lifecycle === undefined) return "not here";
  const text = random.chance(0.7) ? newRules(random) : undefined;
  const what = text === undefined ? "DELETE RULES" : "PUT RULES";
  const ended = await call(
    what,
    (store) =>
      text === undefined
        ? store.deleteDocument(bucket, "lifecycle")
        : store.putDocument(bucket, "lifecycle", text),
  );
  if (ended.kind === "lost") return "lost";
  return ended.kind === "failed" ? witness.judge(ended.cause, what, bucket) : "done";
}

/** Sets the last rules, waits until what they let go must be gone, looks whether it is, and stops the work. */
export async function endLifecycle(cluster: Cluster, world: ClientWorld): Promise<void> {
  const { versions, witness, keys, trace, bucket, seed } = world;
  const [lifecycle, gateway] = [versions?.lifecycle, cluster.running[0]];
  if (versions === undefined || lifecycle === undefined || gateway === undefined) return;
  // A gateway that was killed may have left its claim, which would last for a minute.
  const operator = cluster.network.connect("operator");
  cluster.links.add(operator, cluster.clients, new Random(seed));
  const filter = records.lock(bucket as string as StoreName, "lifecycle");
  operator.publish(`$JS.API.STREAM.PURGE.OBJ_${bucket}`, JSON.stringify({ filter }));
  const text = format([new Random(seed + 3).chance(0.5) ? ALL : HISTORY]);
  const ended = await gateway.call(
    "PUT LAST RULES",
    (store) => store.putDocument(bucket, "lifecycle", text),
  );
  if (ended.kind === "failed") witness.judge(ended.cause, "PUT LAST RULES", bucket);
  trace.add("world", "waits for the lifecycle rules");
  await cluster.wait(DAYS * lifecycle.plan.day);
  for (const key of keys) {
    if (witness.mayBeFull) break; // there is no room for delete markers
    for (const left of lifecycle.explainLeft(key, versions.present(key))) witness.object(left);
  }
  lifecycle.isOver = true;
  for (const one of cluster.running) one.stopLifecycle();
  await cluster.wait(1000);
}

const FILTER = { form: "filter", tags: new Map() } as const;
/** Rules that remove everything, and that keep one noncurrent version. */
const ALL: LifecycleRule = {
  ...{ id: "all", isEnabled: true, filter: FILTER, abortDays: 1 },
  ...{ expiration: { days: 1 }, noncurrent: { days: 1 } },
};
const HISTORY: LifecycleRule = {
  ...{ id: "history", isEnabled: true, filter: FILTER },
  ...{ expiration: { markers: true }, noncurrent: { days: 1, newer: 1 } },
};

function format(rules: readonly LifecycleRule[]): string {
  return formatKeptLifecycle({ minimumSize: "all_storage_classes_128K", rules });
}

/** Returns the text of random rules. */
function newRules(random: Random): string {
  const count = 1 + random.below(2);
  const rules = Array.from({ length: count }, (_, i): LifecycleRule => {
    const prefix = random.pick([undefined, "key/", "key/0", "key/1", "other/"]);
    const days = 1 + random.below(2);
    const action = random.below(4);
    return {
      id: `rule${i}`,
      isEnabled: random.chance(0.9),
      filter: { form: "filter", prefix, tags: new Map() },
      ...(action === 0 && { expiration: { days } }),
      ...(action === 1 && { expiration: { date: new Date(EPOCH) } }),
      ...(action === 2 && { expiration: { markers: true } }),
      ...((action === 3 || random.chance(0.5)) && {
        noncurrent: { days, newer: random.chance(0.5) ? 1 + random.below(2) : undefined },
      }),
      ...(random.chance(0.3) && { abortDays: days }),
    };
  });
  return format(rules);
}
