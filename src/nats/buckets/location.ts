/**
 * The location of a bucket: its name in the metadata of the stream, and the placement that the settings give it.
 *
 * Pure. The name is kept beside the placement, in one configuration, so that a stream never has one without the other. A
 * gateway without the setting still tells clients the name.
 * @module
 */

import { isRegionName } from "../../s3/region.ts";
import type { BucketPlacement } from "./storage.ts";

/** The placement in a stream's configuration. */
export type PlacementConfig = { readonly cluster?: string; readonly tags?: readonly string[] };

type Metadata = Readonly<Record<string, string>>;

/** Key of the name in the metadata. */
const LOCATION = "s3-location";

/** Returns the placement of a location; undefined if JetStream chooses. */
export function placementFor(
  placements: readonly BucketPlacement[] | undefined,
  location: string,
): PlacementConfig | undefined {
  const found = placements?.find((placement) => placement.location === location);
  if (found === undefined) return undefined;
  return configOf(found);
}

/** Returns a placement as JetStream expects it. */
export function configOf(
  { cluster, tags }: Pick<BucketPlacement, "cluster" | "tags">,
): PlacementConfig {
  return { ...(cluster !== undefined && { cluster }), ...(tags.length > 0 && { tags }) };
}

/** Returns the location that metadata name; undefined if they name none, or what cannot be one. */
export function locationOf(metadata: Metadata = {}): string | undefined {
  const location = metadata[LOCATION];
  return location !== undefined && isRegionName(location) ? location : undefined;
}

/** Returns metadata that name a location, or none. */
export function withLocation(metadata: Metadata, location: string | undefined): Metadata {
  const { [LOCATION]: _, ...others } = metadata;
  return location === undefined ? others : { ...others, [LOCATION]: location };
}
