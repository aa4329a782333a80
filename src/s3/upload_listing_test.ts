import { deepStrictEqual } from "node:assert/strict";
import { compareUploads, listUploadPage } from "./upload_listing.ts";

type Markers = { readonly keyMarker: string; readonly uploadIdMarker: string };

Deno.test("listUploadPage() pages through uploads of one key", () => {
  const uploads = [["a", "2", 1], ["a", "1", 2], ["b/x", "3", 0], ["b/y", "4", 0], ["c", "5", 0]]
    .map(([key, id, time]) => ({
      key: String(key),
      id: String(id),
      initiated: new Date(Number(time)),
    }))
    .sort(compareUploads);
  for (const limit of [1, 2, 5]) {
    const shown: string[] = [];
    let markers: Markers | undefined = { keyMarker: "", uploadIdMarker: "" };
    while (markers !== undefined) {
      const query = { prefix: "", delimiter: "/", limit, ...markers };
      const page: ReturnType<typeof listUploadPage<typeof uploads[number]>> = listUploadPage(
        uploads,
        query,
      );
      shown.push(...page.uploads.map(({ id }) => id), ...page.commonPrefixes);
      markers = page.next;
    }
    deepStrictEqual(shown.toSorted(), ["1", "2", "5", "b/"]);
  }
});
