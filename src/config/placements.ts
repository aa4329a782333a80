/**
 * Parses the placements of locations.
 * @module
 */

import type { BucketPlacement } from "../nats/buckets/storage.ts";
import { isRegionName } from "../s3/region.ts";
import { splitList } from "./values.ts";

/**
 * Parses a list of placements, such as `eu=cluster:eu-1,tags:ssd,az:1;us=cluster:us-1`. All items after `tags:` are tags,
 * which may have colons.
 *
 * @throws RangeError, with the reason
 *
 * @example Usage
 * ```ts
 * import { parsePlacements } from "./placements.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * deepStrictEqual(parsePlacements("eu=cluster:eu-1,tags:ssd,az:1"), [
 *   { location: "eu", cluster: "eu-1", tags: ["ssd", "az:1"] },
 * ]);
 * ```
 */
export function parsePlacements(text: string): readonly BucketPlacement[] {
  const placements: BucketPlacement[] = [];
  for (const part of text.split(";")) {
    if (part.trim() === "") continue;
    const end = part.indexOf("=");
    const location = part.slice(0, Math.max(end, 0)).trim();
    if (!isRegionName(location)) {
      throw new RangeError(
        "it is not LOCATION=cluster:NAME,tags:TAG,… with a location like a region",
      );
    }
    if (location === "none") throw new RangeError("a location cannot have the name none");
    if (placements.some((other) => other.location === location)) {
      throw new RangeError(`it has two placements of the location ${location}`);
    }
    placements.push({ location, ...parsePlacement(part.slice(end + 1)) });
  }
  if (placements.length === 0) throw new RangeError("the list is empty");
  return placements;
}

/**
 * Parses one placement, such as `cluster:eu-1,tags:ssd,az:1`.
 *
 * @throws RangeError, with the reason
 */
export function parsePlacement(text: string): Pick<BucketPlacement, "cluster" | "tags"> {
  let cluster: string | undefined;
  const tags: string[] = [];
  let isTagged = false;
  for (const item of splitList(text)) {
    const [kind = ""] = item.split(":", 1);
    if (kind === "cluster" && isTagged) throw new RangeError("it has a cluster behind its tags");
    if (kind === "cluster" && cluster !== undefined) throw new RangeError("it has two clusters");
    isTagged ||= kind === "tags";
    const isKind = kind === "cluster" || kind === "tags";
    if (!isKind && !isTagged) throw new RangeError("it is not cluster:NAME,tags:TAG,…");
    const value = isKind ? item.slice(kind.length + 1).trim() : item;
    if (!isName(value)) {
      throw new RangeError(`it has a ${isTagged ? "tag" : "cluster"} that is empty or has blanks`);
    }
    if (isTagged) tags.push(value);
    else cluster = value;
  }
  return { cluster, tags };
}

/** Returns whether a text can be the name of a cluster, or a tag. */
function isName(text: string): boolean {
  return text.length <= 255 && /^[\x21-\x7e\u00a1-\uffff]+$/.test(text);
}
