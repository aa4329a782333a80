import { strictEqual, throws } from "node:assert/strict";
import { isS3Error } from "../s3/errors.ts";
import { checkRequestTime, formatAmzDate, parseAmzDate, readRequestTime } from "./request_time.ts";

Deno.test("parseAmzDate() accepts only one form, and only dates that exist", () => {
  const date = parseAmzDate("20240229T235959Z");
  strictEqual(date?.toISOString(), "2024-02-29T23:59:59.000Z");
  strictEqual(date && formatAmzDate(date), "20240229T235959Z");
  for (
    const text of ["", "20230229T000000Z", "20241301T000000Z", "20240229T240000Z", "20240229"]
  ) {
    strictEqual(parseAmzDate(text), undefined, text);
  }
});

Deno.test("readRequestTime() prefers x-amz-date to Date", () => {
  const date = "Fri, 24 May 2013 00:00:00 GMT";
  const time = (headers: Record<string, string>): string =>
    readRequestTime(new Headers(headers)).timestamp;
  strictEqual(time({ date }), "20130524T000000Z");
  strictEqual(time({ date: "Tue, 27 Mar 2007 21:20:26 +0200" }), "20070327T192026Z");
  strictEqual(time({ date, "x-amz-date": "20130525T000000Z" }), "20130525T000000Z");
  for (const headers of [{}, { "x-amz-date": "now" }, { "x-amz-date": "20230229T000000Z" }]) {
    throws(() => time(headers), (error) => isS3Error(error, "AccessDenied"));
  }
});

Deno.test("readRequestTime() reads each header, also after the same or another one", () => {
  for (const date of ["20130524T000000Z", "20130524T000000Z", "20130524T000001Z"]) {
    const time = readRequestTime(new Headers({ "x-amz-date": date }));
    strictEqual(time.timestamp, date);
    strictEqual(formatAmzDate(time.date), date);
  }
  throws(() => readRequestTime(new Headers()));
  strictEqual(
    readRequestTime(new Headers({ date: "Fri, 24 May 2013 00:00:01 GMT" })).timestamp,
    "20130524T000001Z",
  );
});

Deno.test("checkRequestTime() allows the skew in both directions, to the millisecond", () => {
  const now = new Date("2013-05-24T00:00:00Z");
  const at = (offset: number): void =>
    checkRequestTime(new Date(now.getTime() + offset), now, 300_000);
  at(300_000);
  at(-300_000);
  for (const offset of [300_001, -300_001]) {
    throws(() => at(offset), (error) =>
      isS3Error(error, "RequestTimeTooSkewed") &&
      error.fields["MaxAllowedSkewMilliseconds"] === 300_000);
  }
});
