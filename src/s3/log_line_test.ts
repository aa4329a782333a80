import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { newRecord, type RequestRecord } from "../telemetry/request_record.ts";
import { type EndedRequest, formatLog, logLine, logLineOfPart } from "./log_line.ts";
import { logOperation } from "./log_operation.ts";
import { parseRequest, parseSiteRequest } from "./request.ts";
import type { SubResource } from "./subresources.ts";
import { SUB_RESOURCES } from "./subresources.ts";

const OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
const TIME = new Date("2019-02-06T00:00:38Z");

type Sent = {
  readonly method?: string;
  /** As on the wire. */
  readonly target?: string;
  readonly headers?: Record<string, string>;
  readonly host?: string;
  readonly record?: Partial<RequestRecord>;
  readonly answer?: Record<string, string>;
};

function ended(
  { method = "GET", target = "/", headers = {}, host, record, answer }: Sent,
): EndedRequest {
  const request = new Request("http://localhost/", { method, headers });
  Object.defineProperty(request, "url", { value: `http://${host ?? "localhost"}${target}` });
  const asked = parseRequest(request, []);
  const path = asked.rawPath;
  return {
    record: {
      ...newRecord({ id: "3E57427F3EXAMPLE", method, path, client: "192.0.2.3" }),
      bucket: "bucket" in asked.target ? asked.target.bucket : undefined,
      key: asked.target.on === "object" ? asked.target.key : undefined,
      user: OWNER,
      status: 200,
      ...record,
    },
    asked,
    answer: new Headers(answer),
    parts: undefined,
  };
}

/** The line of a request as it is delivered, without its line break. */
function lineOf(request: EndedRequest, owner: string | undefined = OWNER): string {
  return formatLog(owner, [logLine(request, TIME) ?? ""]).slice(0, -1);
}

/** Splits a line as programs do that read logs: blanks separate fields, brackets and quotes hold them together. */
function fieldsOf(line: string): readonly string[] {
  return line.match(/\[[^\]]*\]|"[^"]*"|[^ ]+/g) ?? [];
}

Deno.test("a line is as in the first example of AWS, as far as the gateway knows the fields", () => {
  const request = ended({
    target: "/amzn-bucket1?versioning",
    host: "amzn-bucket1.s3.us-west-1.amazonaws.com",
    headers: {
      "user-agent": "S3Console/0.4",
      "authorization": "AWS4-HMAC-SHA256 Credential=…".slice(0, 16),
    },
    record: { sent: 113, ended: 7.2, answered: 6.9 },
  });
  strictEqual(
    lineOf(request),
    `${OWNER} amzn-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 ${OWNER} 3E57427F3EXAMPLE ` +
      'REST.GET.VERSIONING - "GET /amzn-bucket1?versioning HTTP/1.1" 200 - 113 - 7 7 "-" "S3Console/0.4" - ' +
      "3E57427F3EXAMPLE SigV4 - AuthHeader amzn-bucket1.s3.us-west-1.amazonaws.com - - - -",
  );
});

Deno.test("a line has 27 fields, whatever the request lacks", () => {
  const request = ended({
    target: "/photos/a.jpg",
    record: { user: undefined, client: undefined },
  });
  const line = lineOf(request, undefined);
  strictEqual(fieldsOf(line).length, 27, line);
  strictEqual(logLine(ended({ target: "/" }), TIME), undefined);
  strictEqual(logLine({ ...request, asked: undefined }, TIME), undefined);
});

Deno.test("a line has the size of the whole object that was written or read", () => {
  const size = (sent: Sent): string | undefined => fieldsOf(lineOf(ended(sent)))[12];
  const target = "/photos/a.jpg";
  strictEqual(size({ target, answer: { "content-length": "41" } }), "41");
  strictEqual(size({ target, method: "HEAD", answer: { "content-length": "41" } }), "41");
  const part = { "content-length": "4", "content-range": "bytes 0-3/41" };
  strictEqual(size({ target, answer: part, record: { status: 206 } }), "41");
  strictEqual(size({ target, answer: { "content-length": "300" }, record: { status: 404 } }), "-");
  strictEqual(size({ target: `${target}?tagging`, answer: { "content-length": "300" } }), "-");
  strictEqual(size({ target: "/photos", answer: { "content-length": "300" } }), "-");
  const outcome = { key: "a.jpg", size: 5 };
  strictEqual(size({ target, method: "PUT", record: { outcome } }), "5");
});

Deno.test("a line tells the turn-around time only if it counts from the last byte of the request", () => {
  const times = (received: number): readonly string[] =>
    fieldsOf(lineOf(
      ended({ target: "/photos/a", record: { received, ended: 12, answered: 9 } }),
    )).slice(13, 15);
  deepStrictEqual(times(0), ["12", "9"]);
  deepStrictEqual(times(5), ["12", "-"]);
});

Deno.test("a client cannot split a line or forge a field", () => {
  const evil = '" 200 - - - - - "-" "x\\" - \u00e9\t[x]';
  const target = `/photos/${encodeURIComponent('a b"\n\r\u2028é\\')}?x="&y=\\`;
  const request = ended({ target, headers: { "user-agent": evil, "referer": evil }, host: 'a"b' });
  const line = lineOf(request);
  match(line, /^[ -~]*$/);
  const fields = fieldsOf(line);
  strictEqual(fields.length, 27, line);
  strictEqual(fields[7], "a%20b%22%0A%0D%E2%80%A8%C3%A9%5C");
  strictEqual(fields[9], "200");
  match(fields[8] ?? "", /^"GET \/photos\/a%20b%22%0A.*\?x=%22&y=%5C HTTP\/1.1"$/);
  strictEqual(fields[15], '"%22 200 - - - - - %22-%22 %22x%5C%22 - %E9%09[x]"');
  strictEqual(fields[16], fields[15]);
  strictEqual(fields[22], "a%22b");
});

Deno.test("a long text is cut, so that a line has a bounded length", () => {
  const long = "é".repeat(30_000);
  const headers = { "user-agent": long, "referer": long };
  const line = lineOf(ended({ target: `/photos?x=${"y".repeat(60_000)}`, headers }));
  strictEqual(fieldsOf(line).length, 27);
  strictEqual(line.length < 16_000, true, String(line.length));
});

Deno.test("a log has the owner of the bucket at the beginning of each line", () => {
  strictEqual(formatLog("a b", ["1 2", "3"]), "a%20b 1 2\na%20b 3\n");
  strictEqual(formatLog(undefined, ["1 2"]), "- 1 2\n");
});

Deno.test("a line shows no signature, however it is encoded", () => {
  const targets = [
    "/photos/a?X-Amz-Signature=secret&X-Amz-Expires=60",
    "/photos/a?x-amz-%53ignature=secret",
    "/photos/a?Signature=secret&Expires=1",
    "/photos/a?X-Amz-Security-Token=secret",
    "/photos/a?next=http%3A%2F%2Fa%2F%3FX-Amz-Signature%3Dsecret",
    "/photos/a%3FX-Amz-Signature=secret",
    "/photos/a%3FX-Amz-Signature%3Dsecret",
  ];
  for (const target of targets) {
    const line = lineOf(ended({ target, record: { user: undefined } }));
    strictEqual(line.includes("secret"), false, line);
    strictEqual(line.includes("REDACTED"), true, line);
    strictEqual(fieldsOf(line).length, 27, line);
  }
});

Deno.test("a line tells how the request was signed", () => {
  const signed = (sent: Sent): string => {
    const fields = fieldsOf(lineOf(ended(sent)));
    return `${fields[19]} ${fields[21]}`;
  };
  const target = "/photos/a";
  strictEqual(signed({ target }), "- -");
  strictEqual(
    signed({ target, headers: { authorization: "AWS4-HMAC-SHA256 x" } }),
    "SigV4 AuthHeader",
  );
  strictEqual(signed({ target, headers: { authorization: "AWS a:b" } }), "SigV2 AuthHeader");
  strictEqual(signed({ target, headers: { authorization: "Basic x" } }), "- AuthHeader");
  strictEqual(signed({ target: `${target}?X-Amz-Signature=a` }), "SigV4 QueryString");
  strictEqual(signed({ target: `${target}?Signature=a` }), "SigV2 QueryString");
});

Deno.test("a part of a request has a line without the request's target, as on AWS", () => {
  const request = ended({ method: "POST", target: "/photos?delete", host: "s3.test" });
  const rest = logLineOfPart(request, TIME, "photos", {
    operation: "BATCH.DELETE.OBJECT",
    key: "a b",
    status: 204,
    code: undefined,
  });
  const line = formatLog(OWNER, [rest]).slice(0, -1);
  strictEqual(
    line,
    `${OWNER} photos [06/Feb/2019:00:00:38 +0000] 192.0.2.3 ${OWNER} 3E57427F3EXAMPLE ` +
      "BATCH.DELETE.OBJECT a%20b - 204 - - - - - - - - 3E57427F3EXAMPLE - - - s3.test - - - -",
  );
  strictEqual(fieldsOf(line).length, 27);
});

Deno.test("operations are named as AWS names them", () => {
  const name = (method: string, target: string, headers: Record<string, string> = {}): string => {
    const { asked } = ended({ method, target, headers });
    return asked === undefined ? "" : logOperation(asked);
  };
  const copy = { "x-amz-copy-source": "a/b" };
  for (
    const [method, target, expected, headers] of [
      ["GET", "/b/k", "REST.GET.OBJECT"],
      ["GET", "/b/k?versionId=null&partNumber=1", "REST.GET.OBJECT"],
      ["HEAD", "/b/k", "REST.HEAD.OBJECT"],
      ["PUT", "/b/k", "REST.PUT.OBJECT"],
      ["PUT", "/b/k", "REST.COPY.OBJECT", copy],
      ["DELETE", "/b/k", "REST.DELETE.OBJECT"],
      ["POST", "/b/k?uploads", "REST.POST.UPLOADS"],
      ["PUT", "/b/k?partNumber=1&uploadId=a", "REST.PUT.PART"],
      ["PUT", "/b/k?partNumber=1&uploadId=a", "REST.COPY.PART", copy],
      ["POST", "/b/k?uploadId=a", "REST.POST.UPLOAD"],
      ["DELETE", "/b/k?uploadId=a", "REST.DELETE.UPLOAD"],
      ["GET", "/b/k?uploadId=a", "REST.GET.UPLOAD"],
      ["GET", "/b?uploads", "REST.GET.UPLOADS"],
      ["GET", "/b?list-type=2", "REST.GET.BUCKET"],
      ["GET", "/b?versions", "REST.GET.BUCKETVERSIONS"],
      ["GET", "/b?location", "REST.GET.LOCATION"],
      ["GET", "/b?logging", "REST.GET.LOGGING_STATUS"],
      ["PUT", "/b?logging", "REST.PUT.LOGGING_STATUS"],
      ["GET", "/b?policy", "REST.GET.BUCKETPOLICY"],
      ["GET", "/b?requestPayment", "REST.GET.REQUEST_PAYMENT"],
      ["GET", "/b?tagging", "REST.GET.TAGGING"],
      ["GET", "/b/k?tagging", "REST.GET.OBJECT_TAGGING"],
      ["HEAD", "/b", "REST.HEAD.BUCKET"],
      ["PUT", "/b", "REST.PUT.BUCKET"],
      ["PUT", "/b", "REST.PUT.BUCKET", copy],
      ["DELETE", "/b", "REST.DELETE.BUCKET"],
      ["POST", "/b?delete", "REST.POST.MULTI_OBJECT_DELETE"],
      ["OPTIONS", "/b/k", "REST.OPTIONS.PREFLIGHT"],
      ["PROPFIND", "/b/k", "REST.UNKNOWN.OBJECT"],
    ] as const
  ) strictEqual(name(method, target, headers), expected);
  const site = parseSiteRequest(new Request("http://www.example.com/a"), () => "photos");
  strictEqual(logOperation(site), "WEBSITE.GET.OBJECT");
});

Deno.test("every sub-resource gives a name of capitals", () => {
  const query = (name: SubResource) => new Map([[name, ""]]);
  for (const name of SUB_RESOURCES) {
    const target = { on: "object" } as const;
    match(
      logOperation({ method: "GET", target, query: query(name), headers: new Headers() }),
      /^REST\.GET\.[A-Z_]+$/,
    );
  }
});
