/** The examples of docs/policies.md: each is put, and asked about requests that it allows and denies. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { TrustedProxies } from "../../src/s3/forwarded.ts";
import { ROOT } from "../documents.ts";
import { createPolicyScene, outcomeOf, type Statement, type Who } from "./policy_scene.ts";

const DENIED = "403 AccessDenied";
const OK = "200";
const GONE = "204";

/** What is asked: who, a request with its headers, and what comes of it. */
type Row = readonly [
  who: Who,
  request: string,
  outcome: string,
  headers?: Readonly<Record<string, string>>,
];

const NEW = { "if-none-match": "*" };
const PROJECT = { "x-amz-tagging": "project=a" };
const ELSEWHERE = { "x-forwarded-for": "198.51.100.7" };
const PLAIN = { "x-forwarded-proto": "http" };

/** Rows by the heading of an example. Requests come from 192.0.2.7 over TLS unless a header says otherwise. */
const EXAMPLES: Readonly<Record<string, readonly Row[]>> = {
  "Read only": [
    ["ann", "GET /bucket/key", OK],
    ["ann", "GET /bucket?list-type=2", OK],
    ["ann", "GET /bucket/missing", "404 NoSuchKey"],
    ["ann", "PUT /bucket/new", DENIED],
    ["ann", "DELETE /bucket/key", DENIED],
    ["ben", "GET /bucket/key", DENIED],
  ],
  "A drop box": [
    ["ann", "PUT /bucket/incoming/a", OK, NEW],
    ["ann", "PUT /bucket/incoming/a", "412 PreconditionFailed", NEW],
    ["ann", "PUT /bucket/incoming/a", DENIED],
    ["ann", "PUT /bucket/key", DENIED, NEW],
    ["ann", "POST /bucket/incoming/large?uploads", OK],
    ["ann", "POST /bucket/incoming/large?uploadId=x", DENIED],
    ["ann", "POST /bucket/key?uploads", DENIED],
    ["ann", "GET /bucket/incoming/a", DENIED],
    ["ann", "GET /bucket?prefix=incoming%2F", DENIED],
  ],
  "One prefix": [
    ["ann", "PUT /bucket/team-a/x", OK],
    ["ann", "GET /bucket/team-a/x", OK],
    ["ann", "GET /bucket?prefix=team-a%2F", OK],
    ["ann", "DELETE /bucket/team-a/x", GONE],
    ["ann", "GET /bucket", DENIED],
    ["ann", "GET /bucket?prefix=team-b%2F", DENIED],
    ["ann", "GET /bucket/team-b/x", DENIED],
    ["ann", "PUT /bucket/team-abc", DENIED],
  ],
  "Only from a network": [
    ["root", "GET /bucket/key", OK],
    ["root", "GET /bucket/key", DENIED, ELSEWHERE],
    ["root", "GET /bucket", DENIED, ELSEWHERE],
    ["root", "GET /bucket/key", OK, { "x-forwarded-for": "2001:db8::1" }],
    ["root", "GET /bucket?policy", OK, ELSEWHERE],
    ["ann", "GET /bucket/key", DENIED],
  ],
  "Only over TLS": [
    ["root", "GET /bucket/key", OK],
    ["root", "GET /bucket/key", DENIED, PLAIN],
    ["root", "PUT /bucket/new", DENIED, PLAIN],
  ],
  "Nobody deletes": [
    ["root", "DELETE /bucket/key", DENIED],
    ["root", "DELETE /bucket", DENIED],
    ["root", "PUT /bucket/renamed?renameObject", DENIED, { "x-amz-rename-source": "/bucket/key" }],
    ["root", "PUT /bucket/key", OK],
    ["root", "GET /bucket/key", OK],
  ],
  "A required tag": [
    ["root", "PUT /bucket/new", DENIED],
    ["root", "PUT /bucket/new", OK, PROJECT],
    ["root", "PUT /bucket/new", DENIED, { "x-amz-tagging": "other=a" }],
    ["root", "GET /bucket/key", OK],
  ],
  "A backup tool": [
    ["ann", "GET /bucket?location", OK],
    ["ann", "GET /bucket?list-type=2&prefix=data%2F", OK],
    ["ann", "PUT /bucket/data/00", OK],
    ["ann", "GET /bucket/data/00", OK],
    ["ann", "POST /bucket/data/01?uploads", OK],
    ["ann", "PUT /bucket/locks/1", OK],
    ["ann", "DELETE /bucket/locks/1", GONE],
    ["ann", "DELETE /bucket/data/00", DENIED],
    ["ann", "DELETE /bucket", DENIED],
    ["ann", "PUT /bucket?policy", DENIED],
  ],
  "Terraform's state": [
    ["ann", "GET /bucket/network/terraform.tfstate", "404 NoSuchKey"],
    ["ann", "PUT /bucket/network/terraform.tfstate.tflock", OK, NEW],
    ["ann", "PUT /bucket/network/terraform.tfstate.tflock", "412 PreconditionFailed", NEW],
    ["ann", "PUT /bucket/network/terraform.tfstate", OK],
    ["ann", "GET /bucket/network/terraform.tfstate.tflock", OK],
    ["ann", "DELETE /bucket/network/terraform.tfstate.tflock", GONE],
    ["ann", "DELETE /bucket/network/terraform.tfstate", DENIED],
    ["ann", "GET /bucket/key", DENIED],
  ],
  "Not here: MFA": [
    ["root", "DELETE /bucket/key", DENIED],
    ["root", "GET /bucket/key", OK],
  ],
};

const text = await Deno.readTextFile(`${ROOT}/docs/policies.md`);
const section = text.slice(text.indexOf("\n## Examples\n") + 1).split(/^## /m, 2)[1] ?? "";
const found = section.split(/^### /m).slice(1).map((part) => {
  const policies = [...part.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, json = ""]) => json);
  return { title: part.split("\n", 1)[0] ?? "", policies };
});

Deno.test("each example of docs/policies.md has rows", () => {
  deepStrictEqual(found.map(({ title }) => title), Object.keys(EXAMPLES));
  ok(found.every(({ policies }) => policies.length === 1));
});

for (const { title, policies: [policy = ""] } of found) {
  Deno.test(`the example of docs/policies.md does what it says: ${title}`, async () => {
    const scene = await createPolicyScene({ proxies: new TrustedProxies(["10.0.0.0/8"]) });
    await scene.as("root", "PUT", "/bucket/key", { body: "x" });
    const json = policy.replaceAll("arn:aws:s3:::photos", "arn:aws:s3:::bucket");
    if (json.includes('"Principal"')) {
      const response = await scene.as("root", "PUT", "/bucket?policy", { body: json });
      strictEqual(await outcomeOf(response), "204");
    } else {
      const { Statement } = JSON.parse(json) as { Statement: Statement | readonly Statement[] };
      scene.give("ann", ...[Statement].flat());
    }
    for (const [who, request, outcome, headers] of EXAMPLES[title] ?? []) {
      const [method = "", target = ""] = request.split(" ");
      const response = await scene.as(who, method, target, {
        headers: { "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https", ...headers },
        via: { host: "localhost", peer: "10.0.0.1" },
        ...(method === "PUT" && { body: target.includes("renameObject") ? "" : "x" }),
      });
      strictEqual(
        await outcomeOf(response),
        outcome,
        `${who} ${request} ${JSON.stringify(headers)}`,
      );
    }
  });
}
