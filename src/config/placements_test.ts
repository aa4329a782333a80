import { deepStrictEqual, throws } from "node:assert/strict";
import { parsePlacements } from "./placements.ts";

Deno.test("parsePlacements() reads locations with clusters and tags", () => {
  for (
    const [text, expected] of [
      ["eu=cluster:eu-1", [["eu", "eu-1"]]],
      ["eu=tags:ssd", [["eu", undefined, "ssd"]]],
      ["eu=cluster:eu-1,tags:ssd,az:1,tags:nvme", [["eu", "eu-1", "ssd", "az:1", "nvme"]]],
      [" eu = cluster:eu-1 , tags: ssd ; us_2.x=cluster:us ;", [["eu", "eu-1", "ssd"], [
        "us_2.x",
        "us",
      ]]],
      ["eu=tags:a=b", [["eu", undefined, "a=b"]]],
    ] as const
  ) {
    const placements = parsePlacements(text);
    deepStrictEqual(
      placements.map(({ location, cluster, tags }) => [location, cluster, ...tags]),
      expected.map(([location, cluster = undefined, ...tags]) => [location, cluster, ...tags]),
      text,
    );
  }
});

Deno.test("parsePlacements() refuses what is unclear, with the reason", () => {
  for (
    const [text, reason] of [
      ["", /the list is empty/],
      [";", /the list is empty/],
      ["eu", /it is not LOCATION=cluster:NAME/],
      ["=cluster:eu", /it is not LOCATION=cluster:NAME/],
      ["e u=cluster:eu", /it is not LOCATION=cluster:NAME/],
      ["eu:fast=cluster:eu", /it is not LOCATION=cluster:NAME/],
      ["none=cluster:eu", /cannot have the name none/],
      ["eu=", /the list is empty/],
      ["eu=ssd", /it is not cluster:NAME,tags:TAG/],
      ["eu=cluster:", /a cluster that is empty/],
      ["eu=tags:", /a tag that is empty/],
      ["eu=cluster:a b", /a cluster that is empty or has blanks/],
      ["eu=cluster:a,cluster:b", /two clusters/],
      ["eu=tags:ssd,cluster:a", /a cluster behind its tags/],
      ["eu=cluster:a;eu=cluster:b", /two placements of the location eu/],
    ] as const
  ) throws(() => parsePlacements(text), { message: reason }, text);
});
