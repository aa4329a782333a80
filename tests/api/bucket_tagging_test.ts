/** PutBucketTagging, GetBucketTagging and DeleteBucketTagging, and the tags that buckets are created with. */

import { strictEqual } from "node:assert/strict";
import { textOf } from "../../src/s3/xml_reader.ts";
import { assertError, createTestGateway } from "./test_gateway.ts";

type Tag = readonly [key: string, value: string];

const elements = (tags: readonly Tag[]): string =>
  tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join("");
const tagging = (...tags: readonly Tag[]): string =>
  `<?xml version="1.0"?>\n<Tagging><TagSet>${elements(tags)}</TagSet></Tagging>`;
const many = (count: number): readonly Tag[] =>
  Array.from({ length: count }, (_, i): Tag => [`k${i}`, "v"]);
const TAGS = tagging(["team", "a b"], ["Team", ""]);
/** Tags that AWS refuses, and what it answers. */
const REFUSED: readonly (readonly [tags: readonly Tag[], code: string, message: string])[] = [
  [many(51), "BadRequest", "Bucket tag count cannot be greater than 50"],
  [[["a", "1"], ["a", "2"]], "InvalidTag", "Cannot provide multiple Tags with the same key"],
  [[["a", "<![CDATA[<>]]>"]], "InvalidTag", "The TagValue you have provided is invalid"],
  [[["k".repeat(129), ""]], "InvalidTag", "The TagKey you have provided is invalid"],
];

Deno.test("the tags of a bucket are returned as they were put, and can be deleted", async () => {
  const { send, ok } = await createTestGateway();
  await assertError(await send("GET", "/bucket?tagging"), 404, "NoSuchTagSet");
  strictEqual((await ok("PUT", "/bucket?tagging", { body: TAGS })).status, 204);
  strictEqual(await (await ok("GET", "/bucket?tagging")).text(), TAGS);
  await ok("PUT", "/bucket?tagging", { body: tagging(...many(50)) });
  strictEqual(await (await ok("GET", "/bucket?tagging")).text(), tagging(...many(50)));
  strictEqual((await ok("DELETE", "/bucket?tagging")).status, 204);
  strictEqual((await ok("DELETE", "/bucket?tagging")).status, 204);
  const error = await assertError(await send("GET", "/bucket?tagging"), 404, "NoSuchTagSet");
  strictEqual(textOf(error, "Message"), "The TagSet does not exist");
  await ok("PUT", "/bucket?tagging", { body: TAGS });
  await ok("PUT", "/bucket?tagging", { body: tagging() });
  await assertError(await send("GET", "/bucket?tagging"), 404, "NoSuchTagSet");
});

Deno.test("tags of a bucket that AWS refuses change nothing", async () => {
  const { send, ok } = await createTestGateway();
  await ok("PUT", "/bucket?tagging", { body: TAGS });
  const put = (body: string): Promise<Response> => send("PUT", "/bucket?tagging", { body });
  for (const body of ["", "<Tagging/>", TAGS.replaceAll("Tagging", "Tags")]) {
    await assertError(await put(body), 400, "MalformedXML");
  }
  for (const [tags, code, message] of REFUSED) {
    const error = await assertError(await put(tagging(...tags)), 400, code);
    strictEqual(textOf(error, "Message"), message);
  }
  const reserved = await assertError(await put(tagging(["aws:a", "1"])), 400, "InvalidTag");
  strictEqual(textOf(reserved, "Message"), "System tags cannot be added/updated by requester");
  await assertError(await put(TAGS + " ".repeat(64 * 1024)), 400, "MaxMessageLengthExceeded");
  strictEqual(await (await ok("GET", "/bucket?tagging")).text(), TAGS);
  for (const method of ["GET", "PUT", "DELETE"]) {
    const body = method === "PUT" ? { body: TAGS } : {};
    await assertError(await send(method, "/missing?tagging", body), 404, "NoSuchBucket");
  }
});

const creation = (...tags: readonly Tag[]): string =>
  `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint/><Tags>${
    elements(tags)
  }</Tags></CreateBucketConfiguration>`;

Deno.test("CreateBucket gives a bucket the tags of its configuration", async () => {
  const { send, ok } = await createTestGateway();
  await ok("PUT", "/tagged", { body: creation(["team", "a"], ["a", "1"]) });
  strictEqual(
    await (await ok("GET", "/tagged?tagging")).text(),
    '<?xml version="1.0" encoding="UTF-8"?>\n<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>' +
      elements([["a", "1"], ["team", "a"]]) + "</TagSet></Tagging>",
  );
  await ok("PUT", "/plain", { body: creation() });
  await assertError(await send("GET", "/plain?tagging"), 404, "NoSuchTagSet");
  // A second CreateBucket by the owner is a success in this region, and changes nothing.
  await ok("PUT", "/tagged", { body: creation(["other", "b"]) });
  await ok("PUT", "/plain", { body: creation(["other", "b"]) });
  strictEqual((await (await ok("GET", "/tagged?tagging")).text()).includes("other"), false);
  await assertError(await send("GET", "/plain?tagging"), 404, "NoSuchTagSet");
});

Deno.test("CreateBucket with tags that AWS refuses creates no bucket", async () => {
  const { send } = await createTestGateway();
  const refused: readonly (readonly [body: string, code: string])[] = [
    ...REFUSED.map(([tags, code]) => [creation(...tags), code] as const),
    [creation(["aws:a", "1"]), "InvalidTag"],
    [creation().replace("<Tags>", "<Tags><Other/>"), "MalformedXML"],
    [creation().replace("<Tags>", "<Tags/><Tags>"), "MalformedXML"],
  ];
  for (const [body, code] of refused) {
    await assertError(await send("PUT", "/new-bucket", { body }), 400, code);
    strictEqual((await send("HEAD", "/new-bucket")).status, 404, body);
  }
});
