/** Tags of objects and buckets. */

import { deepStrictEqual } from "node:assert/strict";
import { type Checks, shows } from "../check.ts";

const tags = (...pairs: readonly (readonly [Key: string, Value: string])[]) => ({
  TagSet: pairs.map(([Key, Value]) => ({ Key, Value })),
});
const many = (count: number) =>
  tags(...Array.from({ length: count }, (_, i) => [`k${i}`, "v"] as const));

export const TAGS: Checks = {
  "get-object-tagging returns what put-object-tagging stored": async ({ aws, put, refused }) => {
    const tagging = tags(["Team", "a b"], ["team", ""], ["é", "+-=._:/@"]);
    await put("a");
    const head = async (): Promise<unknown> =>
      (await aws`s3api head-object --bucket BUCKET --key a`).json;
    const before = await head();
    deepStrictEqual((await aws`s3api get-object-tagging --bucket BUCKET --key a`).json, tags());
    await aws`s3api put-object-tagging --bucket BUCKET --key a --tagging ${
      JSON.stringify(tagging)
    }`;
    deepStrictEqual((await aws`s3api get-object-tagging --bucket BUCKET --key a`).json, tagging);
    deepStrictEqual(await head(), { ...(before as object), TagCount: 3 });
    await aws`s3api delete-object-tagging --bucket BUCKET --key a`;
    deepStrictEqual((await aws`s3api get-object-tagging --bucket BUCKET --key a`).json, tags());
    deepStrictEqual(await head(), before);
    await refused("NoSuchKey", 404)`s3api get-object-tagging --bucket BUCKET --key b`;
  },
  "put-object-tagging refuses the tags that Amazon refuses": async ({ put, refused }) => {
    await put("a");
    const rows = [
      ["BadRequest", many(11)],
      ["InvalidTag", tags(["a", "1"], ["a", "2"])],
      ["InvalidTag", tags(["aws:a", "1"])],
      ["InvalidTag", tags(["a", "<>"])],
    ] as const;
    for (const [code, tagging] of rows) {
      await refused(code, 400)`s3api put-object-tagging --bucket BUCKET --key a
        --tagging ${JSON.stringify(tagging)}`;
    }
  },
  "a copy has the tags of its source, unless it replaces them": async ({ aws }) => {
    await aws`s3api put-object --bucket BUCKET --key a --body hello --tagging a=b&c=d`;
    const tagsOf = async (key: string): Promise<unknown> =>
      (await aws`s3api get-object-tagging --bucket BUCKET --key ${key}`).json;
    await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a`;
    deepStrictEqual(await tagsOf("b"), tags(["a", "b"], ["c", "d"]));
    await aws`s3api copy-object --bucket BUCKET --key b --copy-source BUCKET/a --tagging x=y
      --tagging-directive REPLACE`;
    deepStrictEqual(await tagsOf("b"), tags(["x", "y"]));
  },
  "an upload in parts keeps its tags": async ({ aws, part }) => {
    const { json } = await aws`s3api create-multipart-upload --bucket BUCKET --key a
      --tagging a=b`;
    const { UploadId: id } = json as { UploadId: string };
    const list = { Parts: [{ PartNumber: 1, ETag: await part("a", id, 1, "hello") }] };
    await aws`s3api complete-multipart-upload --bucket BUCKET --key a --upload-id ${id}
      --multipart-upload ${JSON.stringify(list)}`;
    shows((await aws`s3api get-object-tagging --bucket BUCKET --key a`).json, tags(["a", "b"]));
  },
  "aws s3 cp copies a large object that has tags": async ({ aws }) => {
    await aws`s3 cp --no-progress twelve-mib s3://BUCKET/a`;
    await aws`s3api put-object-tagging --bucket BUCKET --key a --tagging ${
      JSON.stringify(tags(["team", "a b"]))
    }`;
    await aws`s3 cp --no-progress s3://BUCKET/a s3://BUCKET/b`;
    shows((await aws`s3api head-object --bucket BUCKET --key b`).json, {
      ContentLength: 12 * 1024 * 1024,
      ETag: /-2"$/,
    });
  },
  "get-bucket-tagging returns what put-bucket-tagging stored": async ({ aws, refused }) => {
    const tagging = tags(["team", "a b"], ["Team", ""]);
    await refused("NoSuchTagSet", 404)`s3api get-bucket-tagging --bucket BUCKET`;
    await aws`s3api put-bucket-tagging --bucket BUCKET --tagging ${JSON.stringify(tagging)}`;
    deepStrictEqual((await aws`s3api get-bucket-tagging --bucket BUCKET`).json, tagging);
    await refused("BadRequest", 400)`s3api put-bucket-tagging --bucket BUCKET --tagging ${
      JSON.stringify(many(51))
    }`;
    deepStrictEqual((await aws`s3api get-bucket-tagging --bucket BUCKET`).json, tagging);
    await aws`s3api delete-bucket-tagging --bucket BUCKET`;
    await refused("NoSuchTagSet", 404)`s3api get-bucket-tagging --bucket BUCKET`;
  },
};
