/** What the checkers of simulations refuse. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { S3Error } from "../../src/s3/errors.ts";
import { Contents } from "./contents.ts";
import { Witness } from "./witness.ts";

/** A witness whose moments a test counts. */
function witness(): Witness {
  let moment = 0;
  return new Witness(() => ++moment);
}

function violationsOf(tell: (witness: Witness) => void): readonly string[] {
  const heard = witness();
  tell(heard);
  heard.checkHistories();
  return heard.violations;
}

const HISTORIES: readonly [name: string, isPossible: boolean, tell: (heard: Witness) => void][] = [
  ["a read of what was written", true, (heard) => {
    heard.history.write("b/k", "one", "PUT").end("done");
    heard.saw("b/k", heard.now(), "one", "GET");
  }],
  ["a stale read", false, (heard) => {
    heard.history.write("b/k", "one", "PUT").end("done");
    heard.history.write("b/k", "two", "PUT").end("done");
    heard.saw("b/k", heard.now(), "one", "GET");
  }],
  ["a lost write", false, (heard) => {
    heard.history.write("b/k", "one", "PUT").end("done");
    heard.saw("b/k", heard.now(), null, "GET");
  }],
  ["an unanswered write that happens later", true, (heard) => {
    heard.history.write("b/k", "one", "PUT").end("unknown");
    heard.saw("b/k", heard.now(), null, "GET");
    heard.saw("b/k", heard.now(), "one", "GET");
  }],
  ["an unanswered write that is seen and gone", false, (heard) => {
    heard.history.write("b/k", "one", "PUT").end("unknown");
    heard.saw("b/k", heard.now(), "one", "GET");
    heard.saw("b/k", heard.now(), null, "GET");
  }],
  ["two winners of one condition", false, (heard) => {
    heard.history.write("b/k", "one", "PUT if none", null).end("done");
    heard.history.write("b/k", "two", "PUT if none", null).end("done");
  }],
  ["a refusal of a condition that held", false, (heard) => {
    heard.history.write("b/k", "one", "PUT if none", null).end("refused");
  }],
  ["what a power failure took away", true, (heard) => {
    heard.history.write("b/k", "one", "PUT").end("done");
    heard.history.write("b/k", "two", "PUT").end("done");
    heard.beginAnew(new Map([["b/k", "one"]]));
    heard.saw("b/k", heard.now(), "one", "GET");
  }],
  ["what a power failure left, and is gone later", false, (heard) => {
    heard.history.write("b/k", "one", "PUT").end("done");
    heard.beginAnew(new Map([["b/k", "one"]]));
    heard.saw("b/k", heard.now(), null, "LIST");
  }],
  ["an unanswered write of before a power failure", true, (heard) => {
    heard.history.write("b/k", "one", "PUT").end("unknown");
    heard.beginAnew(new Map([["b/k", null]]));
    heard.saw("b/k", heard.now(), null, "GET");
    heard.saw("b/k", heard.now(), "one", "GET");
  }],
];

for (const [name, isPossible, tell] of HISTORIES) {
  Deno.test(`Witness ${isPossible ? "accepts" : "refuses"} ${name}`, () => {
    strictEqual(violationsOf(tell).length, isPossible ? 0 : 1);
  });
}

Deno.test("Witness refuses errors that no fault explains", () => {
  const heard = witness();
  strictEqual(heard.judge(new S3Error("ServiceUnavailable"), "PUT"), "ServiceUnavailable");
  strictEqual(heard.violations.length, 0);
  heard.judge(new S3Error("InternalError"), "PUT");
  heard.judge(new S3Error("NoSuchBucket"), "PUT", "lasting");
  heard.mayBeFull = true;
  heard.judge(new S3Error("QuotaExceeded"), "DELETE");
  heard.judge(new S3Error("QuotaExceeded"), "PUT");
  strictEqual(heard.violations.length, 3);
});

Deno.test("Contents refuses bytes that are torn, short or of nobody", () => {
  const contents = new Contents();
  const [one, two] = [contents.make(1000), contents.make(1000)];
  const torn = one.bytes.slice();
  torn.set(two.bytes.subarray(500), 500);
  const all = [0, 1000] as const;
  strictEqual(contents.explain(one.etag, one.bytes, all, true), undefined);
  strictEqual(contents.explain(one.etag, one.bytes.subarray(10, 20), [10, 20], true), undefined);
  strictEqual(contents.explain(one.etag, one.bytes.subarray(0, 7), all, false), undefined);
  match(contents.explain(one.etag, torn, all, true) ?? "", /are not those/);
  match(contents.explain(one.etag, one.bytes.subarray(0, 7), all, true) ?? "", /instead of 1000/);
  match(contents.explain("other", one.bytes, all, true) ?? "", /nobody wrote/);
  deepStrictEqual(one.bytes.length, 1000);
});
