import { strictEqual } from "node:assert/strict";
import { groupNamedBy } from "../layout/info_json.ts";
import { nameIn } from "./identity.ts";

const encoder = new TextEncoder();

Deno.test("the name in object info is found as it is written, or the JSON is parsed", () => {
  const texts = [
    '{"name":"k","nuid":"abc","size":1}',
    '{"nuid" : "abc"}',
    '{"nuid":"größe 2026.11"}',
    '{"n\\u0075id":"abc"}',
    '{"nuid":"a\\u0062c"}',
    '{"description":"\\"nuid\\":\\"no\\"","nuid":"abc"}',
    '{"description":"nuid","nuid":"abc"}',
    '{"nuid" :"abc","metadata":{"nuid":"no"}}',
    '{"nuid" :"abc","name":"nuid"}',
    '{"metadata":{"nuid":"no"},"nuid":"abc"}',
    '{"nuid":"abc","metadata":{"nuid":"no"}}',
    '{"nuid":"no","nuid":"abc"}',
    '{"nuid":"no","nuid" :"abc"}',
    '{"nuid":"no","nuid":7}',
    '{"nuid":7}',
    '{"nuid":null,"name":"nuid"}',
    '{"nuid":"abc","size":1',
    '{"nuid":"abc',
    "{}",
    "null",
    "",
  ];
  for (const text of texts) {
    const payload = encoder.encode(text);
    strictEqual(nameIn(payload)?.name, groupNamedBy(payload), text);
  }
  // A nested field is taken for the name: it can only keep more.
  strictEqual(nameIn(encoder.encode('{"metadata":{"nuid":"more"}}'))?.name, "more");
});

Deno.test("a delete marker names nothing, and object info that is only hidden names its group", () => {
  const name = (info: unknown): string | undefined =>
    nameIn(encoder.encode(JSON.stringify(info)))?.name;
  strictEqual(name({ nuid: "abc", deleted: true, size: 0, chunks: 0 }), undefined);
  strictEqual(name({ nuid: "abc", deleted: true }), undefined);
  strictEqual(name({ nuid: "abc", deleted: false, size: 1 }), "abc");
  strictEqual(name({ nuid: "abc", metadata: { deleted: "true" } }), "abc");
  const parts = { "s3.layout": "parts" };
  strictEqual(name({ nuid: "abc", deleted: true, size: 5, metadata: parts }), "abc");
  strictEqual(name({ nuid: "abc", deleted: true, size: 0, metadata: parts }), undefined);
  strictEqual(name({ nuid: "abc", deleted: true, size: 5, metadata: { "s3.needs": "x" } }), "abc");
  strictEqual(name({ nuid: "abc", deleted: true, size: -1 }), "abc");
  strictEqual(nameIn(encoder.encode('{"nuid":"abc","deleted":true'))?.name, "abc");
});

Deno.test("the number of parts is told by object info that is in parts", () => {
  const parts = (metadata: unknown): number | undefined =>
    nameIn(encoder.encode(JSON.stringify({ nuid: "abc", metadata })))?.parts;
  strictEqual(parts({ "s3.layout": "parts", "s3.parts": "5*3,7" }), 4);
  strictEqual(parts({ "s3.layout": "parts" }), undefined);
  strictEqual(parts({ "s3.layout": "parts", "s3.parts": "x!" }), undefined);
  strictEqual(parts({ "s3.parts": "5*3,7" }), undefined);
  strictEqual(parts(undefined), undefined);
});
