/**
 * Reads everything back once nothing fails any more: what was acknowledged must be there, on every gateway.
 * @module
 */

import { isS3Error } from "../../src/s3/errors.ts";
import { readOwner } from "./bucket_facts.ts";
import type { Acting, ClientWorld } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { Random } from "./random.ts";
import { readDocuments } from "./documents.ts";
import { list, readKey } from "./reads.ts";
import { checkVersionLists } from "./version_lists.ts";

/** Reads and lists all keys through every gateway. Errors are violations now. */
export async function readBack(cluster: Cluster, world: ClientWorld): Promise<void> {
  const { witness, trace, keys, bucket } = world;
  for (const gateway of cluster.running) {
    const call: Acting["call"] = async (what, work) => {
      const ended = await gateway.call(`reader ${what}`, work);
      trace.add("reader", `${gateway.name} ${what}: ${ended.kind}`);
      const isMissing = ended.kind === "failed" && witness.isMissing(ended.cause, bucket);
      // Whoever reads tells whether natives may have purged the bytes.
      const isJudged = ended.kind === "failed" &&
        isS3Error(ended.cause, "InternalError", "MethodNotAllowed");
      if (ended.kind !== "done" && !isMissing && !isJudged) {
        const cause = ended.kind === "failed" ? ended.cause : ended.kind;
        witness.object(`After healing, ${what} of ${gateway.name} ended with ${cause}`);
      }
      return ended;
    };
    const acting: Acting = { ...world, name: "reader", random: new Random(1), gateway, call };
    for (const key of keys) {
      const outcome = await readKey(acting, key, undefined);
      if (outcome === "broken") witness.object(`After healing, GET ${key} breaks off`);
    }
    await list(acting);
    await readVersions(acting);
    await readDocuments(acting);
    await readOwner(acting);
  }
}

/** Reads every version that the server holds, and lists them. */
async function readVersions(acting: Acting): Promise<void> {
  const { versions, witness, keys } = acting;
  if (versions === undefined) return;
  for (const key of keys) {
    for (const { id, value } of versions.present(key).versions) {
      const outcome = await readKey({ ...acting, slowness: 0 }, key, undefined, id);
      const isRight = value === null ? outcome === "refused" : outcome === "done";
      if (!isRight && outcome !== "spoilt") {
        witness.object(`After healing, GET ${key} ${id} (${value}) ends as ${outcome}`);
      }
    }
  }
  await checkVersionLists(acting);
}
